#pragma once

#include <audyn/core/error.hpp>

#include <ATen/core/Tensor.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::state {

class Value;
class StateDict;

/// Raw bytes; Python's `bytes`.
struct Bytes {
    std::string data;
    bool operator==(const Bytes&) const = default;
};

/// Python's `list`.
using List = std::vector<Value>;

/// Python's `tuple`; differs from a list only so that Python gets back what it wrote.
struct Tuple {
    std::vector<Value> items;
};

/// Key of a dictionary: a string or, as in an optimizer's state, an integer.
class Key {
public:
    Key(std::string name) : value_(std::move(name)) {}
    Key(std::string_view name) : value_(std::string(name)) {}
    Key(const char* name) : value_(std::string(name)) {}
    Key(int64_t index) : value_(index) {}
    Key(int index) : value_(static_cast<int64_t>(index)) {}

    [[nodiscard]] bool is_string() const { return value_.index() == 0; }
    /// The text of a string key. \throws StateError when it is an integer.
    [[nodiscard]] const std::string& string() const;
    /// The number of an integer key. \throws StateError when it is a string.
    [[nodiscard]] int64_t integer() const;
    /// For messages.
    [[nodiscard]] std::string to_string() const;
    bool operator==(const Key&) const = default;
    /// Some order, for sorted containers.
    auto operator<=>(const Key&) const = default;

private:
    std::variant<std::string, int64_t> value_;
};

/// An ordered dictionary of values: what a stateful part gives and takes, Python's `state_dict`.
/// Copying copies the structure; tensors are shared, as everywhere in libtorch.
class StateDict {
public:
    using Entry = std::pair<Key, Value>;

    StateDict() = default;
    StateDict(std::initializer_list<Entry> entries);
    /// The same as setting one after the other, in less time when they are many.
    explicit StateDict(std::vector<Entry> entries);

    /// Sets `key`, in place when it exists, at the end otherwise.
    void set(Key key, Value value);
    /// The value of `key`, or nullptr.
    [[nodiscard]] const Value* find(const Key& key) const;
    [[nodiscard]] Value* find(const Key& key);
    [[nodiscard]] bool contains(const Key& key) const { return find(key) != nullptr; }
    /// The value of `key`. \throws StateError that names it and the keys that exist.
    [[nodiscard]] const Value& at(const Key& key) const;
    /// Removes `key` if it exists.
    void erase(const Key& key);

    /// Whether it is written as Python's `collections.Counter`, a dictionary of numbers with methods of its own.
    [[nodiscard]] bool is_counter() const { return is_counter_; }
    void set_counter(bool value) { is_counter_ = value; }

    // Defined below, where Value is complete.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::vector<Entry>::const_iterator begin() const;
    [[nodiscard]] std::vector<Entry>::const_iterator end() const;
    [[nodiscard]] std::vector<Entry>::iterator begin();
    [[nodiscard]] std::vector<Entry>::iterator end();

private:
    std::vector<Entry> entries_;
    bool is_counter_ = false;
};

/// One value of a state dictionary. The accessors `as_...` throw StateError when the value is of another kind.
class Value {
public:
    using Storage =
        std::variant<std::monostate, bool, int64_t, double, std::string, Bytes, at::Tensor, List, Tuple, StateDict>;

    Value() = default;
    Value(std::nullptr_t) {}
    Value(bool value) : storage_(value) {}
    Value(int value) : storage_(static_cast<int64_t>(value)) {}
    Value(int64_t value) : storage_(value) {}
    Value(double value) : storage_(value) {}
    Value(const char* value) : storage_(std::string(value)) {}
    Value(std::string_view value) : storage_(std::string(value)) {}
    Value(std::string value) : storage_(std::move(value)) {}
    Value(Bytes value) : storage_(std::move(value)) {}
    Value(at::Tensor value) : storage_(std::move(value)) {}
    Value(List value) : storage_(std::move(value)) {}
    Value(Tuple value) : storage_(std::move(value)) {}
    Value(StateDict value) : storage_(std::move(value)) {}

    [[nodiscard]] bool is_none() const { return std::holds_alternative<std::monostate>(storage_); }
    template <class T>
    [[nodiscard]] bool is() const {
        return std::holds_alternative<T>(storage_);
    }
    [[nodiscard]] bool as_bool() const { return get<bool>(); }
    [[nodiscard]] int64_t as_int() const { return get<int64_t>(); }
    /// A float, or an integer as a float, as Python's arithmetic takes either.
    [[nodiscard]] double as_float() const;
    [[nodiscard]] const std::string& as_string() const { return get<std::string>(); }
    [[nodiscard]] const Bytes& as_bytes() const { return get<Bytes>(); }
    [[nodiscard]] const at::Tensor& as_tensor() const { return get<at::Tensor>(); }
    [[nodiscard]] const StateDict& as_dict() const { return get<StateDict>(); }
    /// The items of a list or of a tuple.
    [[nodiscard]] const std::vector<Value>& as_list() const;

    /// "tensor", "int", "dict", ...: for messages.
    [[nodiscard]] const char* kind() const { return kind_name(storage_.index()); }
    [[nodiscard]] const Storage& storage() const { return storage_; }
    [[nodiscard]] Storage& storage() { return storage_; }

private:
    static const char* kind_name(std::size_t index);

    template <class T>
    const T& get() const {
        if (const T* value = std::get_if<T>(&storage_)) {
            return *value;
        }
        throw StateError(std::string("a state dictionary holds a value of kind ") + kind() + " where " +
                         kind_name(Storage(std::in_place_type<T>).index()) + " is needed");
    }

    Storage storage_;
};

} // namespace audyn::state

namespace audyn {
using state::StateDict;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/state/state_dict.ipp>
#endif
