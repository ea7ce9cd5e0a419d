#pragma once

#include <audyn/config/location.hpp>
#include <audyn/core/inline.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
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

    bool operator==(const Key& other) const;

private:
    [[nodiscard]] bool is_number() const;

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
    Value(BigInteger integer);
    Value(Bytes bytes) : kind_(Kind::bytes), rare_(std::make_unique<Rare>()) { rare_->bytes = std::move(bytes); }
    Value(Constant constant);
    template <class Item>
    requires std::convertible_to<Item, Value> Value(const std::vector<Item>& items) : Value(list()) {
        for (const Item& item : items) {
            append(Value(item));
        }
    }

    [[gnu::noinline]] Value(const Value& other) { copy_from(other); }
    [[gnu::noinline]] Value(Value&& other) noexcept { move_from(std::move(other)); }
    Value& operator=(const Value& other);
    Value& operator=(Value&& other) noexcept;
    [[gnu::noinline]] ~Value() {} // not defaulted: one copy of it in a program instead of one at every temporary

    /// An empty list.
    static Value list();
    /// An empty dictionary.
    static Value dict();
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
    [[nodiscard]] bool is_interpolation() const;
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
    [[nodiscard]] Location key_location() const;
    /// `line` and `column` in the text that the value comes from too.
    void set_key_place(int line, int column);

    /// The container that holds this value; null at a root.
    [[nodiscard]] const Value* parent() const { return parent_; }
    [[nodiscard]] Value* parent() { return parent_; }
    /// Makes this value a child of `parent` for the purpose of relative interpolation only: `parent` does not hold it.
    void adopt_by(const Value* parent, std::size_t slot);
    [[nodiscard]] std::size_t slot() const { return slot_; }

    /// Number of children; 0 for a scalar.
    [[nodiscard]] std::size_t size() const { return children_.size(); }

    /// Child number `index` of a list or dictionary, in order.
    [[nodiscard]] const Value& child(std::size_t index) const { return *children_[index].value; }
    [[nodiscard]] Value& child(std::size_t index) { return *children_[index].value; }

    /// Entries of a dictionary, in order. Those of a list have empty keys.
    [[nodiscard]] const std::vector<Entry>& entries() const { return children_; }

    /// The child with this key; null when there is none or this is not a dictionary.
    [[nodiscard]] const Value* find(std::string_view key) const;
    [[nodiscard]] Value* find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }
    [[nodiscard]] Value* find_key(const Key& key);

    /// Adds to the end of a list.
    Value& append(Value value);

    /// Sets a dictionary's key, at its old place when it exists. Gives back what was there.
    std::unique_ptr<Value> set(Key key, Value value);

    /// Replaces item `index` of a list or entry `index` of a dictionary. Gives back what was there.
    std::unique_ptr<Value> replace(std::size_t index, Value value);

    /// Removes a dictionary's key. Gives back what was there; null when there was nothing.
    std::unique_ptr<Value> erase(std::string_view key);

    static constexpr std::size_t npos = std::numeric_limits<std::size_t>::max();

    [[nodiscard]] std::size_t index_of(std::string_view key) const;
    [[nodiscard]] std::size_t index_of_key(const Key& key) const;

    /// Keys from the root to this value joined by dots, list indices in brackets: `train.stages[1].lr`. Empty at the
    /// root.
    [[nodiscard]] std::string path() const;

    /// The key or index by which the parent holds this value; empty at the root.
    [[nodiscard]] std::string key() const;

    /// Same kind, same content, same order of keys. Places are not compared.
    bool operator==(const Value& other) const;

private:
    struct Rare {
        BigInteger integer;
        Bytes bytes;
        Constant constant;
    };

    [[nodiscard]] bool scalar_equal(const Value& other) const;

    [[nodiscard]] std::size_t first_bucket(std::string_view key) const;
    [[nodiscard]] std::size_t next_bucket(std::size_t bucket) const { return (bucket + 1) & (positions_.size() - 1); }

    void remember(std::size_t index);

    void build_positions();

    void put(std::size_t index);

    void copy_from(const Value& other);

    /// Takes the content; the place in a tree (parent and slot) stays what it is.
    void move_from(Value&& other) noexcept;

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

/// A scalar, list or dictionary as Python's `repr` prints it. Interpolations are printed as their text.
[[nodiscard]] inline std::string python_repr(const Value& value);

/// As Python's `str` prints it: a string is itself, everything else as by `python_repr`.
[[nodiscard]] AUDYN_INLINE std::string python_text(const Value& value);

AUDYN_INLINE std::string python_repr(const Value& value);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/value.ipp>
#endif
