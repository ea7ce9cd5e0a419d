#pragma once

#include <audyn/core/error.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <numeric>
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
    [[nodiscard]] std::string to_string() const {
        return is_string() ? std::get<0>(value_) : std::to_string(std::get<1>(value_));
    }
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

    // Defined below, where Value is complete.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::vector<Entry>::const_iterator begin() const;
    [[nodiscard]] std::vector<Entry>::const_iterator end() const;
    [[nodiscard]] std::vector<Entry>::iterator begin();
    [[nodiscard]] std::vector<Entry>::iterator end();

private:
    std::vector<Entry> entries_;
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
    [[nodiscard]] double as_float() const {
        return is<int64_t>() ? static_cast<double>(std::get<int64_t>(storage_)) : get<double>();
    }
    [[nodiscard]] const std::string& as_string() const { return get<std::string>(); }
    [[nodiscard]] const Bytes& as_bytes() const { return get<Bytes>(); }
    [[nodiscard]] const at::Tensor& as_tensor() const { return get<at::Tensor>(); }
    [[nodiscard]] const StateDict& as_dict() const { return get<StateDict>(); }
    /// The items of a list or of a tuple.
    [[nodiscard]] const std::vector<Value>& as_list() const {
        return is<Tuple>() ? std::get<Tuple>(storage_).items : get<List>();
    }

    /// "tensor", "int", "dict", ...: for messages.
    [[nodiscard]] const char* kind() const { return kind_name(storage_.index()); }
    [[nodiscard]] const Storage& storage() const { return storage_; }
    [[nodiscard]] Storage& storage() { return storage_; }

private:
    static const char* kind_name(std::size_t index) {
        constexpr const char* kinds[] = {"None",  "bool",   "int",  "float", "string",
                                         "bytes", "tensor", "list", "tuple", "dict"};
        return kinds[index];
    }

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

inline const std::string& Key::string() const {
    if (const auto* name = std::get_if<std::string>(&value_)) {
        return *name;
    }
    throw StateError("a state dictionary has the key " + to_string() + " where a name is needed");
}

inline int64_t Key::integer() const {
    if (const auto* index = std::get_if<int64_t>(&value_)) {
        return *index;
    }
    throw StateError("a state dictionary has the key '" + to_string() + "' where an integer is needed");
}

inline std::size_t StateDict::size() const {
    return entries_.size();
}

inline bool StateDict::empty() const {
    return entries_.empty();
}

inline std::vector<StateDict::Entry>::const_iterator StateDict::begin() const {
    return entries_.begin();
}

inline std::vector<StateDict::Entry>::const_iterator StateDict::end() const {
    return entries_.end();
}

inline std::vector<StateDict::Entry>::iterator StateDict::begin() {
    return entries_.begin();
}

inline std::vector<StateDict::Entry>::iterator StateDict::end() {
    return entries_.end();
}

inline StateDict::StateDict(std::initializer_list<Entry> entries) : StateDict(std::vector<Entry>(entries)) {}

inline StateDict::StateDict(std::vector<Entry> entries) {
    // Equal keys side by side, each group in its given order: the first place and the last value of it count.
    std::vector<std::size_t> order(entries.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return entries[a].first < entries[b].first; });
    std::vector<bool> is_repeated(entries.size(), false);
    for (std::size_t i = 0, first = 0; i < order.size(); ++i) {
        if (entries[order[i]].first != entries[order[first]].first) {
            first = i;
        } else if (i != first) {
            entries[order[first]].second = std::move(entries[order[i]].second);
            is_repeated[order[i]] = true;
        }
    }
    entries_.reserve(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!is_repeated[i]) {
            entries_.push_back(std::move(entries[i]));
        }
    }
}

inline const Value* StateDict::find(const Key& key) const {
    for (const Entry& entry : entries_) {
        if (entry.first == key) {
            return &entry.second;
        }
    }
    return nullptr;
}

inline Value* StateDict::find(const Key& key) {
    return const_cast<Value*>(std::as_const(*this).find(key));
}

inline void StateDict::set(Key key, Value value) {
    if (Value* existing = find(key)) {
        *existing = std::move(value);
    } else {
        entries_.emplace_back(std::move(key), std::move(value));
    }
}

inline void StateDict::erase(const Key& key) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.first == key; });
}

inline const Value& StateDict::at(const Key& key) const {
    if (const Value* value = find(key)) {
        return *value;
    }
    std::string keys;
    for (const Entry& entry : entries_) {
        keys += (keys.empty() ? "" : ", ") + entry.first.to_string();
    }
    throw StateError("a state dictionary has no key '" + key.to_string() + "'; it has: " + keys);
}

} // namespace audyn::state

namespace audyn {
using state::StateDict;
} // namespace audyn
