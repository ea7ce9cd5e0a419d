#pragma once

#include <audyn/config/location.hpp>
#include <audyn/config/text.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::config {

/// An integer outside the range of `int64_t`, kept as decimal digits with an optional `-`.
struct BigInteger {
    std::string digits;
    bool operator==(const BigInteger&) const = default;
};

/// Raw bytes, YAML's `!!binary`.
struct Bytes {
    std::string data;
    bool operator==(const Bytes&) const = default;
};

/// A named constant, `${const:torch.bfloat16}`, with the number that `${const:NAME + 1}` adds. The configuration layer only keeps it;
/// what it means is said by the one who reads it.
struct Constant {
    std::string name;
    std::variant<std::int64_t, double> offset = std::int64_t{0};

    bool operator==(const Constant&) const = default;

    /// `NAME` or `NAME + NUMBER`.
    [[nodiscard]] std::string to_string() const;
};

/// What a `Value` holds.
enum class Kind { null, boolean, integer, big_integer, floating, string, bytes, constant, list, dict };

/// The kind in the words of an error message, for example "an integer".
[[nodiscard]] constexpr std::string_view describe(Kind kind) {
    switch (kind) {
    case Kind::null: return "null";
    case Kind::boolean: return "a boolean";
    case Kind::integer:
    case Kind::big_integer: return "an integer";
    case Kind::floating: return "a number";
    case Kind::string: return "a string";
    case Kind::bytes: return "bytes";
    case Kind::constant: return "a constant";
    case Kind::list: return "a list";
    case Kind::dict: return "a dictionary";
    }
    return "a value";
}

/// A dictionary's key: nearly always a string; YAML also allows numbers, booleans and bytes. Equal as in Python: 1, 1.0 and true are one key.
class Key {
public:
    using Storage = std::variant<std::string, bool, std::int64_t, BigInteger, double, Bytes>;

    Key(std::string text) : storage_(std::move(text)) {}
    Key(std::string_view text) : storage_(std::string(text)) {}
    Key(const char* text) : storage_(std::string(text)) {}
    explicit Key(Storage storage) : storage_(std::move(storage)) {}

    [[nodiscard]] const Storage& storage() const { return storage_; }
    [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(storage_); }
    [[nodiscard]] bool is_string(std::string_view text) const {
        const auto* own = std::get_if<std::string>(&storage_);
        return own != nullptr && *own == text;
    }

    /// The key as a part of a path, as Python's `str` gives it.
    [[nodiscard]] std::string to_string() const;

    bool operator==(const Key& other) const {
        const auto own_number = number();
        const auto other_number = other.number();
        if (own_number.second && other_number.second) {
            return own_number.first == other_number.first;
        }
        return storage_ == other.storage_;
    }

private:
    [[nodiscard]] std::pair<double, bool> number() const {
        if (const auto* boolean = std::get_if<bool>(&storage_)) {
            return {*boolean ? 1.0 : 0.0, true};
        }
        if (const auto* integer = std::get_if<std::int64_t>(&storage_)) {
            constexpr std::int64_t exact = std::int64_t{1} << 53;
            return {static_cast<double>(*integer), *integer <= exact && *integer >= -exact};
        }
        const auto* floating = std::get_if<double>(&storage_);
        return {floating != nullptr ? *floating : 0.0, floating != nullptr};
    }

    Storage storage_;
};

/// A node of a configuration tree: a scalar, a list or an ordered dictionary, with the place that set it. A string that contains `${` is an
/// interpolation and the string `???` a missing value, as in OmegaConf; both are kept as their text.
///
/// Children know their parent, so relative interpolation works; they have stable addresses until they are replaced.
/// Copying copies the whole tree. Not thread-safe.
class Value {
public:
    struct Entry {
        Key key;
        std::unique_ptr<Value> value;
    };
    using List = std::vector<std::unique_ptr<Value>>;

    Value() = default;
    Value(std::nullptr_t) {}
    Value(bool boolean) : data_(boolean) {}
    template <std::integral Integer>
        requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
    Value(Integer integer) {
        if (std::in_range<std::int64_t>(integer)) {
            data_ = static_cast<std::int64_t>(integer);
        } else {
            data_ = BigInteger{std::to_string(integer)};
        }
    }
    Value(double floating) : data_(floating) {}
    Value(std::string text) : data_(std::move(text)) {}
    Value(std::string_view text) : data_(std::string(text)) {}
    Value(const char* text) : data_(std::string(text)) {}
    Value(BigInteger integer) : data_(std::move(integer)) {}
    Value(Bytes bytes) : data_(std::move(bytes)) {}
    Value(Constant constant) : data_(std::move(constant)) {}
    template <class Item>
        requires std::convertible_to<Item, Value>
    Value(const std::vector<Item>& items) : Value(list()) {
        for (const Item& item : items) {
            append(Value(item));
        }
    }

    Value(const Value& other) { copy_from(other); }
    Value(Value&& other) noexcept { move_from(std::move(other)); }
    Value& operator=(const Value& other) {
        if (this != &other) {
            Value copy(other);
            move_from(std::move(copy));
        }
        return *this;
    }
    Value& operator=(Value&& other) noexcept {
        if (this != &other) {
            Value taken(std::move(other)); // `other` may be a child of this
            move_from(std::move(taken));
        }
        return *this;
    }
    ~Value() = default;

    /// An empty list.
    static Value list() {
        Value value;
        value.data_ = List{};
        return value;
    }
    /// An empty dictionary.
    static Value dict() {
        Value value;
        value.data_ = Dict{};
        return value;
    }
    /// A scalar from a key, for example for `oc.dict.keys`.
    static Value from_key(const Key& key) {
        return std::visit([](const auto& part) { return Value(part); }, key.storage());
    }

    [[nodiscard]] Kind kind() const { return static_cast<Kind>(data_.index()); }
    [[nodiscard]] bool is_null() const { return kind() == Kind::null; }
    [[nodiscard]] bool is_list() const { return kind() == Kind::list; }
    [[nodiscard]] bool is_dict() const { return kind() == Kind::dict; }
    [[nodiscard]] bool is_container() const { return is_list() || is_dict(); }
    [[nodiscard]] bool is_string() const { return kind() == Kind::string; }

    /// The mandatory value that was not given, `???`.
    [[nodiscard]] bool is_missing() const {
        const auto* text = get_if<std::string>();
        return text != nullptr && *text == "???" && !literal_;
    }
    /// A string that contains `${`.
    [[nodiscard]] bool is_interpolation() const {
        const auto* text = get_if<std::string>();
        return text != nullptr && !literal_ && text->find("${") != std::string::npos;
    }
    /// Marks a string as a result: `${` in it is then text.
    void set_literal(bool literal) { literal_ = literal; }
    [[nodiscard]] bool is_literal() const { return literal_; }

    /// The scalar of exactly this type, or null.
    template <class T>
    [[nodiscard]] const T* get_if() const {
        return std::get_if<T>(&data_);
    }

    [[nodiscard]] const Location& location() const { return location_; }
    void set_location(Location location) { location_ = std::move(location); }

    /// The container that holds this value; null at a root.
    [[nodiscard]] const Value* parent() const { return parent_; }
    [[nodiscard]] Value* parent() { return parent_; }
    /// Makes this value a child of `parent` for the purpose of relative interpolation only: `parent` does not hold it.
    void adopt_by(const Value* parent, std::size_t slot) {
        parent_ = const_cast<Value*>(parent);
        slot_ = slot;
    }
    [[nodiscard]] std::size_t slot() const { return slot_; }

    /// Number of children; 0 for a scalar.
    [[nodiscard]] std::size_t size() const {
        if (const auto* items = std::get_if<List>(&data_)) {
            return items->size();
        }
        const auto* members = std::get_if<Dict>(&data_);
        return members != nullptr ? members->entries.size() : 0;
    }

    /// Child number `index` of a list or dictionary, in order.
    [[nodiscard]] const Value& child(std::size_t index) const {
        const auto* items = std::get_if<List>(&data_);
        return items != nullptr ? *(*items)[index] : *std::get<Dict>(data_).entries[index].value;
    }
    [[nodiscard]] Value& child(std::size_t index) {
        return const_cast<Value&>(std::as_const(*this).child(index));
    }

    /// Entries of a dictionary, in order. Only for dictionaries.
    [[nodiscard]] const std::vector<Entry>& entries() const { return std::get<Dict>(data_).entries; }

    /// The child with this key; null when there is none or this is not a dictionary.
    [[nodiscard]] const Value* find(std::string_view key) const {
        const auto index = index_of(key);
        return index == npos ? nullptr : &child(index);
    }
    [[nodiscard]] Value* find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }
    [[nodiscard]] Value* find_key(const Key& key) {
        const auto index = index_of_key(key);
        return index == npos ? nullptr : &child(index);
    }

    /// Adds to the end of a list.
    Value& append(Value value) {
        auto& items = std::get<List>(data_);
        items.push_back(std::make_unique<Value>(std::move(value)));
        items.back()->adopt_by(this, items.size() - 1);
        return *items.back();
    }

    /// Sets a dictionary's key, at its old place when it exists. Gives back what was there.
    std::unique_ptr<Value> set(Key key, Value value) {
        auto& members = std::get<Dict>(data_);
        auto owned = std::make_unique<Value>(std::move(value));
        auto index = index_of_key(key);
        if (index == npos) {
            index = members.entries.size();
            members.entries.push_back({std::move(key), nullptr});
            members.remember(index);
        }
        owned->adopt_by(this, index);
        std::swap(members.entries[index].value, owned);
        return owned;
    }

    /// Replaces item `index` of a list or entry `index` of a dictionary. Gives back what was there.
    std::unique_ptr<Value> replace(std::size_t index, Value value) {
        auto owned = std::make_unique<Value>(std::move(value));
        owned->adopt_by(this, index);
        auto* items = std::get_if<List>(&data_);
        std::swap(items != nullptr ? (*items)[index] : std::get<Dict>(data_).entries[index].value, owned);
        return owned;
    }

    /// Removes a dictionary's key. Gives back what was there; null when there was nothing.
    std::unique_ptr<Value> erase(std::string_view key) {
        const auto index = index_of(key);
        if (index == npos) {
            return nullptr;
        }
        auto& members = std::get<Dict>(data_);
        auto removed = std::move(members.entries[index].value);
        members.entries.erase(members.entries.begin() + static_cast<std::ptrdiff_t>(index));
        members.positions.clear();
        for (std::size_t position = 0; position < members.entries.size(); ++position) {
            members.entries[position].value->slot_ = position;
            members.remember(position);
        }
        return removed;
    }

    static constexpr std::size_t npos = std::numeric_limits<std::size_t>::max();

    [[nodiscard]] std::size_t index_of(std::string_view key) const {
        const auto* members = std::get_if<Dict>(&data_);
        if (members == nullptr) {
            return npos;
        }
        if (!members->positions.empty()) {
            const auto found = members->positions.find(key);
            return found == members->positions.end() ? npos : found->second;
        }
        for (std::size_t index = 0; index < members->entries.size(); ++index) {
            if (members->entries[index].key.is_string(key)) {
                return index;
            }
        }
        return npos;
    }
    [[nodiscard]] std::size_t index_of_key(const Key& key) const {
        if (const auto* text = std::get_if<std::string>(&key.storage())) {
            return index_of(std::string_view(*text));
        }
        const auto* members = std::get_if<Dict>(&data_);
        for (std::size_t index = 0; members != nullptr && index < members->entries.size(); ++index) {
            if (members->entries[index].key == key) {
                return index;
            }
        }
        return npos;
    }

    /// Keys from the root to this value joined by dots, list indices in brackets: `train.stages[1].lr`. Empty at the root.
    [[nodiscard]] std::string path() const {
        if (parent_ == nullptr) {
            return "";
        }
        const std::string above = parent_->path();
        if (parent_->is_list()) {
            return above + "[" + std::to_string(slot_) + "]";
        }
        const std::string own = key();
        return above.empty() ? own : above + "." + own;
    }

    /// The key or index by which the parent holds this value; empty at the root.
    [[nodiscard]] std::string key() const {
        if (parent_ == nullptr) {
            return "";
        }
        if (parent_->is_list() || slot_ >= parent_->size()) {
            return std::to_string(slot_);
        }
        return parent_->entries()[slot_].key.to_string();
    }

    /// Same kind, same content, same order of keys. Places are not compared.
    bool operator==(const Value& other) const {
        if (kind() != other.kind() || size() != other.size()) {
            return false;
        }
        if (!is_container()) {
            return scalar_equal(other);
        }
        for (std::size_t index = 0; index < size(); ++index) {
            if (is_dict() && !(entries()[index].key == other.entries()[index].key)) {
                return false;
            }
            if (!(child(index) == other.child(index))) {
                return false;
            }
        }
        return true;
    }

private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    struct Dict {
        std::vector<Entry> entries;
        /// Positions of string keys; built only when a linear search would be slow.
        std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> positions;

        void remember(std::size_t added) {
            constexpr std::size_t small = 16;
            if (entries.size() <= small) {
                return;
            }
            const std::size_t first = positions.empty() ? 0 : added;
            for (std::size_t index = first; index <= added; ++index) {
                if (const auto* text = std::get_if<std::string>(&entries[index].key.storage())) {
                    positions.emplace(*text, index);
                }
            }
        }
    };

    [[nodiscard]] bool scalar_equal(const Value& other) const {
        return std::visit(
            [&other](const auto& own) {
                using Own = std::decay_t<decltype(own)>;
                if constexpr (std::same_as<Own, List> || std::same_as<Own, Dict>) {
                    return false;
                } else {
                    return own == *other.get_if<Own>();
                }
            },
            data_);
    }

    void copy_from(const Value& other) {
        location_ = other.location_;
        literal_ = other.literal_;
        std::visit(
            [this](const auto& theirs) {
                using Theirs = std::decay_t<decltype(theirs)>;
                if constexpr (std::same_as<Theirs, List>) {
                    auto& items = data_.template emplace<List>();
                    items.reserve(theirs.size());
                    for (const auto& item : theirs) {
                        append(*item);
                    }
                } else if constexpr (std::same_as<Theirs, Dict>) {
                    auto& members = data_.template emplace<Dict>();
                    members.entries.reserve(theirs.entries.size());
                    for (const auto& entry : theirs.entries) {
                        set(entry.key, *entry.value);
                    }
                } else {
                    data_ = theirs;
                }
            },
            other.data_);
    }

    /// Takes the content; the place in a tree (parent and slot) stays what it is.
    void move_from(Value&& other) noexcept {
        location_ = std::move(other.location_);
        literal_ = other.literal_;
        data_ = std::move(other.data_);
        other.data_ = std::monostate{};
        for (std::size_t index = 0; index < size(); ++index) {
            child(index).parent_ = this;
        }
    }

    std::variant<std::monostate, bool, std::int64_t, BigInteger, double, std::string, Bytes, Constant, List, Dict> data_;
    Location location_;
    Value* parent_ = nullptr;
    std::size_t slot_ = 0;
    bool literal_ = false;
};

/// A scalar, list or dictionary as Python's `repr` prints it. Interpolations are printed as their text.
[[nodiscard]] inline std::string python_repr(const Value& value);

/// As Python's `str` prints it: a string is itself, everything else as by `python_repr`.
[[nodiscard]] inline std::string python_text(const Value& value) {
    const auto* text = value.get_if<std::string>();
    return text != nullptr ? *text : python_repr(value);
}

inline std::string python_repr(const Value& value) {
    switch (value.kind()) {
    case Kind::null: return "None";
    case Kind::boolean: return *value.get_if<bool>() ? "True" : "False";
    case Kind::integer: return std::to_string(*value.get_if<std::int64_t>());
    case Kind::big_integer: return value.get_if<BigInteger>()->digits;
    case Kind::floating: return float_text(*value.get_if<double>());
    case Kind::string: return repr(*value.get_if<std::string>());
    case Kind::bytes: return bytes_text(value.get_if<Bytes>()->data);
    case Kind::constant: return value.get_if<Constant>()->to_string();
    case Kind::list:
    case Kind::dict: break;
    }
    std::string text;
    for (std::size_t index = 0; index < value.size(); ++index) {
        text += index == 0 ? "" : ", ";
        if (value.is_dict()) {
            text += python_repr(Value::from_key(value.entries()[index].key)) + ": ";
        }
        text += python_repr(value.child(index));
    }
    return value.is_dict() ? "{" + text + "}" : "[" + text + "]";
}

inline std::string Constant::to_string() const {
    if (const auto* integer = std::get_if<std::int64_t>(&offset)) {
        return *integer == 0 ? name : name + " + " + std::to_string(*integer);
    }
    return name + " + " + float_text(std::get<double>(offset));
}

inline std::string Key::to_string() const {
    return python_text(Value::from_key(*this));
}

} // namespace audyn::config
