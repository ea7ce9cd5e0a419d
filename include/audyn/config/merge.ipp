#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/merge.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <utility>

namespace audyn::config {

AUDYN_INLINE UnknownKey::UnknownKey(const ConfigError& error, std::string key, const Value& holder, Location location)
    : ConfigError(error),
      key_(std::move(key)),
      above_(holder.path()),
      holder_kind_(holder.kind()),
      holder_size_(holder.size()),
      holder_location_(holder.location()),
      known_(key_names(holder)),
      location_(std::move(location)) {}

AUDYN_INLINE void TreeEditor::merge(Value& target, Value source) {
    if (target.is_dict() != source.is_dict()) {
        const std::string path = target.path();
        throw error_at(source.location(),
                       concat({path.empty() ? "the configuration" : concat({"'", path, "'"}), ": ",
                               describe(source.kind()), " cannot be merged into ", describe(target.kind())}),
                       path.empty()
                           ? ""
                           : concat({"It is ", describe(target.kind()), " at ", target.location().to_string(), "."}));
    }
    if (target.is_list()) {
        target = std::move(source);
        return;
    }
    if (++depth_ > limits::depth) {
        throw error_at(source.location(), "nested too deeply");
    }
    target.set_location(source.location());
    for (std::size_t index = 0; index < source.size(); ++index) {
        merge_entry(target, source.entries()[index].key, std::move(source.child(index)));
    }
    --depth_;
}

AUDYN_INLINE void TreeEditor::update(Value& root, const std::string& path, Value value) {
    std::vector<std::string> keys = split_path(path);
    if (keys.size() > static_cast<std::size_t>(limits::depth)) {
        throw error_at(value.key_location(),
                       concat({"the key is nested deeper than ", std::to_string(limits::depth), " levels"}));
    }
    const std::string last = std::move(keys.back());
    keys.pop_back();
    Value* current = &root;
    for (std::size_t index = 0; index < keys.size(); ++index) {
        current = &container_at(*current, keys[index], index + 1 < keys.size() ? keys[index + 1] : last, value);
    }
    if (value.is_container()) {
        Value* present = existing(*current, last, value);
        if (present != nullptr && present->is_container()) {
            merge(*present, std::move(value));
            return;
        }
    }
    assign(*current, last, std::move(value));
}

AUDYN_INLINE void TreeEditor::merge_entry(Value& target, const Key& key, Value source) {
    Value* present = target.find_key(key);
    if (present == nullptr) {
        refuse_new(target, key.to_string(), source);
        target.set(key, std::move(source));
        return;
    }
    if (present->is_interpolation()) {
        present = &replace_by_its_container(target, key, *present);
    }
    if (present->is_container() && source.is_container()) {
        merge(*present, std::move(source));
    } else if (!source.is_missing()) {
        target.set(key, std::move(source));
    }
}

AUDYN_INLINE Value& TreeEditor::replace_by_its_container(Value& target, const Key& key, Value& present) {
    try {
        const Found found = Evaluation(environment_).dereference(present);
        if (found.node->is_container()) {
            target.set(key, Value(*found.node));
            return *target.find_key(key);
        }
    } catch (const ConfigError&) {
        // It cannot be resolved yet: then it is merged as the text that it is.
    }
    return present;
}

AUDYN_INLINE void TreeEditor::refuse_new(const Value& holder, const std::string& key, const Value& value) const {
    if (new_keys_ == NewKeys::allowed) {
        return;
    }
    const std::string above = holder.path();
    const std::string full = (above.empty() ? "" : concat({above, "."})) + key;
    const Location place = value.key_location();
    throw UnknownKey(error_at(place, concat({"there is no key '", full, "'"})), key, holder, place);
}

AUDYN_INLINE std::size_t TreeEditor::index_in(const Value& list, const std::string& key, const Value& value) {
    const auto index = list_index(key);
    const auto size = static_cast<long long>(list.size());
    if (!index || *index < 0 || *index >= size) {
        const Location place = value.key_location();
        throw UnknownKey(error_at(place, concat({"'", list.path(), "' is a list of ", std::to_string(size),
                                                 " items and has no item '", key, "'"})),
                         key, list, place);
    }
    return static_cast<std::size_t>(*index);
}

AUDYN_INLINE Value* TreeEditor::existing(Value& container, const std::string& key, const Value& value) const {
    if (container.is_list()) {
        return &container.child(index_in(container, key, value));
    }
    Value* child = container.find(key);
    if (child == nullptr) {
        refuse_new(container, key, value);
    }
    return child;
}

AUDYN_INLINE void TreeEditor::assign(Value& container, const std::string& key, Value value) const {
    if (container.is_list()) {
        const std::size_t index = index_in(container, key, value);
        container.replace(index, std::move(value));
        return;
    }
    static_cast<void>(existing(container, key, value));
    container.set(Key(key), std::move(value));
}

AUDYN_INLINE Value& TreeEditor::container_at(Value& parent, const std::string& key, const std::string& next,
                                             const Value& value) const {
    Value* child = existing(parent, key, value);
    if (child == nullptr || !child->is_container()) {
        if (child != nullptr) {
            refuse_new(*child, next, value);
        }
        Value dict = Value::dict();
        dict.set_location(value.location());
        const Location place = value.key_location();
        dict.set_key_place(place.line(), place.column());
        assign(parent, key, std::move(dict));
        child = existing(parent, key, value);
    }
    return *child;
}

} // namespace audyn::config
