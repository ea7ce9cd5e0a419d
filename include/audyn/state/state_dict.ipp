#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <algorithm>
#include <numeric>

namespace audyn::state {

AUDYN_INLINE std::string Key::to_string() const {
    return is_string() ? std::get<0>(value_) : std::to_string(std::get<1>(value_));
}

AUDYN_INLINE double Value::as_float() const {
    return is<int64_t>() ? static_cast<double>(std::get<int64_t>(storage_)) : get<double>();
}

AUDYN_INLINE const std::vector<Value>& Value::as_list() const {
    return is<Tuple>() ? std::get<Tuple>(storage_).items : get<List>();
}

AUDYN_INLINE const char* Value::kind_name(std::size_t index) {
    constexpr const char* kinds[] = {"None",  "bool",   "int",  "float", "string",
                                     "bytes", "tensor", "list", "tuple", "dict"};
    return kinds[index];
}

AUDYN_INLINE const std::string& Key::string() const {
    if (const auto* name = std::get_if<std::string>(&value_)) {
        return *name;
    }
    throw StateError("a state dictionary has the key " + to_string() + " where a name is needed");
}

AUDYN_INLINE int64_t Key::integer() const {
    if (const auto* index = std::get_if<int64_t>(&value_)) {
        return *index;
    }
    throw StateError("a state dictionary has the key '" + to_string() + "' where an integer is needed");
}

AUDYN_INLINE std::size_t StateDict::size() const {
    return entries_.size();
}

AUDYN_INLINE bool StateDict::empty() const {
    return entries_.empty();
}

AUDYN_INLINE std::vector<StateDict::Entry>::const_iterator StateDict::begin() const {
    return entries_.begin();
}

AUDYN_INLINE std::vector<StateDict::Entry>::const_iterator StateDict::end() const {
    return entries_.end();
}

AUDYN_INLINE std::vector<StateDict::Entry>::iterator StateDict::begin() {
    return entries_.begin();
}

AUDYN_INLINE std::vector<StateDict::Entry>::iterator StateDict::end() {
    return entries_.end();
}

AUDYN_INLINE StateDict::StateDict(std::initializer_list<Entry> entries) : StateDict(std::vector<Entry>(entries)) {}

AUDYN_INLINE StateDict::StateDict(std::vector<Entry> entries) {
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

AUDYN_INLINE const Value* StateDict::find(const Key& key) const {
    for (const Entry& entry : entries_) {
        if (entry.first == key) {
            return &entry.second;
        }
    }
    return nullptr;
}

AUDYN_INLINE Value* StateDict::find(const Key& key) {
    return const_cast<Value*>(std::as_const(*this).find(key));
}

AUDYN_INLINE void StateDict::set(Key key, Value value) {
    if (Value* existing = find(key)) {
        *existing = std::move(value);
    } else {
        entries_.emplace_back(std::move(key), std::move(value));
    }
}

AUDYN_INLINE void StateDict::erase(const Key& key) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.first == key; });
}

AUDYN_INLINE const Value& StateDict::at(const Key& key) const {
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
