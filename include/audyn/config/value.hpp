#pragma once

#include <audyn/config/location.hpp>
#include <audyn/config/text.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

/// A named constant, `${const:torch.bfloat16}`, with the number that `${const:NAME + 1}` adds. The configuration layer
/// only keeps it; what it means is said by the one who reads it.
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
    case Kind::null:
        return "null";
    case Kind::boolean:
        return "a boolean";
    case Kind::integer:
    case Kind::big_integer:
        return "an integer";
    case Kind::floating:
        return "a number";
    case Kind::string:
        return "a string";
    case Kind::bytes:
        return "bytes";
    case Kind::constant:
        return "a constant";
    case Kind::list:
        return "a list";
    case Kind::dict:
        return "a dictionary";
    }
    return "a value";
}

class Value;

/// A dictionary's key: nearly always a string; YAML also allows numbers, booleans and bytes. Equal as in Python: 1, 1.0
/// and true are one key.
class Key {
public:
    Key(std::string text) : text_(std::move(text)) {}
    Key(std::string_view text) : text_(text) {}
    Key(const char* text) : text_(text) {}

    /// The scalar as a key; nothing when it cannot be one, as null and containers cannot.
    static std::optional<Key> from(const Value& scalar);
    [[nodiscard]] Value to_value() const;

    [[nodiscard]] bool is_string() const { return kind_ == Kind::string; }
    [[nodiscard]] bool is_string(std::string_view text) const { return kind_ == Kind::string && text_ == text; }
    /// The string; empty when the key is none.
    [[nodiscard]] const std::string& text() const { return text_; }

    /// The key as a part of a path, as Python's `str` gives it.
    [[nodiscard]] std::string to_string() const;

    bool operator==(const Key& other) const {
        if (is_number() && other.is_number()) {
            const bool both_integers = kind_ != Kind::floating && other.kind_ != Kind::floating;
            return both_integers ? integer_ == other.integer_ : floating_ == other.floating_;
        }
        return kind_ == other.kind_ && text_ == other.text_;
    }

private:
    [[nodiscard]] bool is_number() const {
        return kind_ == Kind::boolean || kind_ == Kind::integer || kind_ == Kind::floating;
    }

    Kind kind_ = Kind::string;
    std::string text_;
    std::int64_t integer_ = 0;
    double floating_ = 0.0;
};

/// A node of a configuration tree: a scalar, a list or an ordered dictionary, with the place that set it. A string that
/// contains `${` is an interpolation and the string `???` a missing value, as in OmegaConf; both are kept as their
/// text.
///
/// Children know their parent, so relative interpolation works; they have stable addresses until they are replaced.
/// Copying copies the whole tree. Not thread-safe.
class Value {
public:
    struct Entry {
        Key key;
        std::unique_ptr<Value> value;
    };
    Value() = default;
    Value(std::nullptr_t) {}
    Value(bool boolean) : kind_(Kind::boolean) { scalar_.boolean = boolean; }
    template <std::integral Integer>
    requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>) Value(Integer integer) {
        if (std::in_range<std::int64_t>(integer)) {
            kind_ = Kind::integer;
            scalar_.integer = static_cast<std::int64_t>(integer);
        } else {
            *this = Value(BigInteger{std::to_string(integer)});
        }
    }
    Value(double floating) : kind_(Kind::floating) { scalar_.floating = floating; }
    Value(std::string text) : kind_(Kind::string), text_(std::move(text)) {}
    Value(std::string_view text) : kind_(Kind::string), text_(text) {}
    Value(const char* text) : kind_(Kind::string), text_(text) {}
    Value(BigInteger integer) : kind_(Kind::big_integer), rare_(std::make_unique<Rare>()) {
        rare_->integer = std::move(integer);
    }
    Value(Bytes bytes) : kind_(Kind::bytes), rare_(std::make_unique<Rare>()) { rare_->bytes = std::move(bytes); }
    Value(Constant constant) : kind_(Kind::constant), rare_(std::make_unique<Rare>()) {
        rare_->constant = std::move(constant);
    }
    template <class Item>
    requires std::convertible_to<Item, Value> Value(const std::vector<Item>& items) : Value(list()) {
        for (const Item& item : items) {
            append(Value(item));
        }
    }

    [[gnu::noinline]] Value(const Value& other) { copy_from(other); }
    [[gnu::noinline]] Value(Value&& other) noexcept { move_from(std::move(other)); }
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
    [[gnu::noinline]] ~Value() {} // not defaulted: one copy of it in a program instead of one at every temporary

    /// An empty list.
    static Value list() {
        Value value;
        value.kind_ = Kind::list;
        return value;
    }
    /// An empty dictionary.
    static Value dict() {
        Value value;
        value.kind_ = Kind::dict;
        return value;
    }
    /// A scalar from a key, for example for `oc.dict.keys`.
    static Value from_key(const Key& key) { return key.to_value(); }

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] bool is_null() const { return kind() == Kind::null; }
    [[nodiscard]] bool is_list() const { return kind() == Kind::list; }
    [[nodiscard]] bool is_dict() const { return kind() == Kind::dict; }
    [[nodiscard]] bool is_container() const { return is_list() || is_dict(); }
    [[nodiscard]] bool is_string() const { return kind() == Kind::string; }

    /// The mandatory value that was not given, `???`.
    [[nodiscard]] bool is_missing() const { return kind_ == Kind::string && text_ == "???" && !literal_; }
    /// A string that contains `${`.
    [[nodiscard]] bool is_interpolation() const {
        return kind_ == Kind::string && !literal_ && text_.find("${") != std::string::npos;
    }
    /// Marks a string as a result: `${` in it is then text.
    void set_literal(bool literal) { literal_ = literal; }
    [[nodiscard]] bool is_literal() const { return literal_; }

    /// The scalar of exactly this type, or null.
    template <class T>
    [[nodiscard]] const T* get_if() const {
        if constexpr (std::same_as<T, bool>) {
            return kind_ == Kind::boolean ? &scalar_.boolean : nullptr;
        } else if constexpr (std::same_as<T, std::int64_t>) {
            return kind_ == Kind::integer ? &scalar_.integer : nullptr;
        } else if constexpr (std::same_as<T, double>) {
            return kind_ == Kind::floating ? &scalar_.floating : nullptr;
        } else if constexpr (std::same_as<T, std::string>) {
            return kind_ == Kind::string ? &text_ : nullptr;
        } else if constexpr (std::same_as<T, BigInteger>) {
            return kind_ == Kind::big_integer ? &rare_->integer : nullptr;
        } else if constexpr (std::same_as<T, Bytes>) {
            return kind_ == Kind::bytes ? &rare_->bytes : nullptr;
        } else {
            static_assert(std::same_as<T, Constant>,
                          "a scalar is a bool, int64_t, double, std::string, BigInteger, Bytes or Constant");
            return kind_ == Kind::constant ? &rare_->constant : nullptr;
        }
    }

    [[nodiscard]] const Location& location() const { return location_; }
    void set_location(Location location) { location_ = std::move(location); }
    /// Where the key stands that this value belongs to; the value's own place when that is not known.
    [[nodiscard]] Location key_location() const {
        return key_line_ > 0 ? Location(location_.source(), key_line_, key_column_) : location_;
    }
    /// `line` and `column` in the text that the value comes from too.
    void set_key_place(int line, int column) {
        key_line_ = line;
        key_column_ = column;
    }

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
    [[nodiscard]] std::size_t size() const { return children_.size(); }

    /// Child number `index` of a list or dictionary, in order.
    [[nodiscard]] const Value& child(std::size_t index) const { return *children_[index].value; }
    [[nodiscard]] Value& child(std::size_t index) { return *children_[index].value; }

    /// Entries of a dictionary, in order. Those of a list have empty keys.
    [[nodiscard]] const std::vector<Entry>& entries() const { return children_; }

    /// The child with this key; null when there is none or this is not a dictionary.
    [[nodiscard]] const Value* find(std::string_view key) const {
        const auto index = index_of(key);
        return index == npos ? nullptr : children_[index].value.get();
    }
    [[nodiscard]] Value* find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }
    [[nodiscard]] Value* find_key(const Key& key) {
        const auto index = index_of_key(key);
        return index == npos ? nullptr : children_[index].value.get();
    }

    /// Adds to the end of a list.
    Value& append(Value value) {
        children_.push_back({Key(std::string()), std::make_unique<Value>(std::move(value))});
        children_.back().value->adopt_by(this, children_.size() - 1);
        return *children_.back().value;
    }

    /// Sets a dictionary's key, at its old place when it exists. Gives back what was there.
    std::unique_ptr<Value> set(Key key, Value value) {
        const auto index = index_of_key(key);
        if (index != npos) {
            return replace(index, std::move(value));
        }
        children_.push_back({std::move(key), std::make_unique<Value>(std::move(value))});
        children_.back().value->adopt_by(this, children_.size() - 1);
        remember(children_.size() - 1);
        return nullptr;
    }

    /// Replaces item `index` of a list or entry `index` of a dictionary. Gives back what was there.
    std::unique_ptr<Value> replace(std::size_t index, Value value) {
        auto owned = std::make_unique<Value>(std::move(value));
        owned->adopt_by(this, index);
        children_[index].value.swap(owned);
        return owned;
    }

    /// Removes a dictionary's key. Gives back what was there; null when there was nothing.
    std::unique_ptr<Value> erase(std::string_view key) {
        const auto index = index_of(key);
        if (index == npos) {
            return nullptr;
        }
        auto removed = std::move(children_[index].value);
        children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(index));
        for (std::size_t position = index; position < children_.size(); ++position) {
            children_[position].value->slot_ = position;
        }
        build_positions();
        return removed;
    }

    static constexpr std::size_t npos = std::numeric_limits<std::size_t>::max();

    [[nodiscard]] std::size_t index_of(std::string_view key) const {
        if (kind_ != Kind::dict) {
            return npos;
        }
        if (!positions_.empty()) {
            for (std::size_t bucket = first_bucket(key); positions_[bucket] != 0; bucket = next_bucket(bucket)) {
                if (children_[positions_[bucket] - 1].key.is_string(key)) {
                    return positions_[bucket] - 1;
                }
            }
            return npos;
        }
        for (std::size_t index = 0; index < children_.size(); ++index) {
            if (children_[index].key.is_string(key)) {
                return index;
            }
        }
        return npos;
    }
    [[nodiscard]] std::size_t index_of_key(const Key& key) const {
        if (key.is_string()) {
            return index_of(key.text());
        }
        for (std::size_t index = 0; index < children_.size(); ++index) {
            if (children_[index].key == key) {
                return index;
            }
        }
        return npos;
    }

    /// Keys from the root to this value joined by dots, list indices in brackets: `train.stages[1].lr`. Empty at the
    /// root.
    [[nodiscard]] std::string path() const {
        if (parent_ == nullptr) {
            return "";
        }
        const std::string above = parent_->path();
        if (parent_->is_list()) {
            return concat({above, "[", std::to_string(slot_), "]"});
        }
        const std::string own = key();
        return above.empty() ? own : concat({above, ".", own});
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
    struct Rare {
        BigInteger integer;
        Bytes bytes;
        Constant constant;
    };

    [[nodiscard]] bool scalar_equal(const Value& other) const {
        switch (kind_) {
        case Kind::boolean:
            return scalar_.boolean == other.scalar_.boolean;
        case Kind::integer:
            return scalar_.integer == other.scalar_.integer;
        case Kind::floating:
            return scalar_.floating == other.scalar_.floating;
        case Kind::string:
            return text_ == other.text_;
        case Kind::big_integer:
            return rare_->integer == other.rare_->integer;
        case Kind::bytes:
            return rare_->bytes == other.rare_->bytes;
        case Kind::constant:
            return rare_->constant == other.rare_->constant;
        default:
            return true;
        }
    }

    [[nodiscard]] std::size_t first_bucket(std::string_view key) const {
        return std::hash<std::string_view>{}(key) & (positions_.size() - 1);
    }
    [[nodiscard]] std::size_t next_bucket(std::size_t bucket) const { return (bucket + 1) & (positions_.size() - 1); }

    void remember(std::size_t index) {
        constexpr std::size_t small = 16;
        if (children_.size() <= small) {
            return;
        }
        if (children_.size() * 2 > positions_.size()) {
            positions_.assign(std::max<std::size_t>(64, positions_.size() * 2), 0);
            build_positions();
        } else {
            put(index);
        }
    }

    void build_positions() {
        std::fill(positions_.begin(), positions_.end(), 0U);
        for (std::size_t index = 0; !positions_.empty() && index < children_.size(); ++index) {
            put(index);
        }
    }

    void put(std::size_t index) {
        if (!children_[index].key.is_string()) {
            return;
        }
        std::size_t bucket = first_bucket(children_[index].key.text());
        while (positions_[bucket] != 0) {
            bucket = next_bucket(bucket);
        }
        positions_[bucket] = static_cast<std::uint32_t>(index + 1);
    }

    void copy_from(const Value& other) {
        kind_ = other.kind_;
        literal_ = other.literal_;
        scalar_ = other.scalar_;
        text_ = other.text_;
        location_ = other.location_;
        key_line_ = other.key_line_;
        key_column_ = other.key_column_;
        rare_ = other.rare_ ? std::make_unique<Rare>(*other.rare_) : nullptr;
        children_.reserve(other.children_.size());
        for (const Entry& entry : other.children_) {
            children_.push_back({entry.key, std::make_unique<Value>(*entry.value)});
            children_.back().value->adopt_by(this, children_.size() - 1);
        }
        positions_ = other.positions_;
    }

    /// Takes the content; the place in a tree (parent and slot) stays what it is.
    void move_from(Value&& other) noexcept {
        kind_ = std::exchange(other.kind_, Kind::null);
        literal_ = other.literal_;
        scalar_ = other.scalar_;
        text_ = std::move(other.text_);
        location_ = std::move(other.location_);
        key_line_ = other.key_line_;
        key_column_ = other.key_column_;
        rare_ = std::move(other.rare_);
        children_ = std::move(other.children_);
        positions_ = std::move(other.positions_);
        other.children_.clear();
        other.positions_.clear();
        for (const Entry& entry : children_) {
            entry.value->parent_ = this;
        }
    }

    union Scalar {
        bool boolean;
        std::int64_t integer;
        double floating;
    };

    Kind kind_ = Kind::null;
    bool literal_ = false;
    Scalar scalar_{};
    std::string text_;
    std::unique_ptr<Rare> rare_;
    std::vector<Entry> children_;          ///< of a list too, with empty keys
    std::vector<std::uint32_t> positions_; ///< hash table of string keys, made only when a linear search would be slow
    Location location_;
    int key_line_ = 0;
    int key_column_ = 0;
    Value* parent_ = nullptr;
    std::size_t slot_ = 0;
};

inline std::optional<Key> Key::from(const Value& scalar) {
    Key key("");
    key.kind_ = scalar.kind();
    switch (scalar.kind()) {
    case Kind::string:
        key.text_ = *scalar.get_if<std::string>();
        break;
    case Kind::big_integer:
        key.text_ = scalar.get_if<BigInteger>()->digits;
        break;
    case Kind::bytes:
        key.text_ = scalar.get_if<Bytes>()->data;
        break;
    case Kind::boolean:
        key.integer_ = *scalar.get_if<bool>() ? 1 : 0;
        break;
    case Kind::integer:
        key.integer_ = *scalar.get_if<std::int64_t>();
        break;
    case Kind::floating:
        key.floating_ = *scalar.get_if<double>();
        return key;
    default:
        return std::nullopt;
    }
    key.floating_ = static_cast<double>(key.integer_);
    return key;
}

inline Value Key::to_value() const {
    switch (kind_) {
    case Kind::big_integer:
        return BigInteger{text_};
    case Kind::bytes:
        return Bytes{text_};
    case Kind::boolean:
        return integer_ != 0;
    case Kind::integer:
        return integer_;
    case Kind::floating:
        return floating_;
    default:
        return text_;
    }
}

/// A scalar, list or dictionary as Python's `repr` prints it. Interpolations are printed as their text.
[[nodiscard]] inline std::string python_repr(const Value& value);

/// As Python's `str` prints it: a string is itself, everything else as by `python_repr`.
[[nodiscard]] inline std::string python_text(const Value& value) {
    const auto* text = value.get_if<std::string>();
    return text != nullptr ? *text : python_repr(value);
}

inline std::string python_repr(const Value& value) {
    switch (value.kind()) {
    case Kind::null:
        return "None";
    case Kind::boolean:
        return *value.get_if<bool>() ? "True" : "False";
    case Kind::integer:
        return std::to_string(*value.get_if<std::int64_t>());
    case Kind::big_integer:
        return value.get_if<BigInteger>()->digits;
    case Kind::floating:
        return float_text(*value.get_if<double>());
    case Kind::string:
        return repr(*value.get_if<std::string>());
    case Kind::bytes:
        return bytes_text(value.get_if<Bytes>()->data);
    case Kind::constant:
        return value.get_if<Constant>()->to_string();
    case Kind::list:
    case Kind::dict:
        break;
    }
    std::string text;
    for (std::size_t index = 0; index < value.size(); ++index) {
        text += index == 0 ? "" : ", ";
        if (value.is_dict()) {
            text += concat({python_repr(Value::from_key(value.entries()[index].key)), ": "});
        }
        text += python_repr(value.child(index));
    }
    return value.is_dict() ? concat({"{", text, "}"}) : concat({"[", text, "]"});
}

inline std::string Constant::to_string() const {
    if (const auto* integer = std::get_if<std::int64_t>(&offset)) {
        return *integer == 0 ? name : concat({name, " + ", std::to_string(*integer)});
    }
    return concat({name, " + ", float_text(std::get<double>(offset))});
}

inline std::string Key::to_string() const {
    return python_text(Value::from_key(*this));
}

} // namespace audyn::config
