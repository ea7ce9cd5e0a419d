#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/interpolation.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/value.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Changing a tree as OmegaConf does: merging, setting by path, removing.
namespace audyn::config {

/// Whether keys that are not there may be added.
enum class NewKeys { allowed, refused };

/// A key that struct mode refuses. `known` are the keys beside which it was looked for.
class UnknownKey : public ConfigError {
public:
    UnknownKey(const ConfigError& error, std::string key, const Value& holder, Location location)
        : ConfigError(error),
          key_(std::move(key)),
          above_(holder.path()),
          holder_kind_(holder.kind()),
          holder_size_(holder.size()),
          holder_location_(holder.location()),
          known_(key_names(holder)),
          location_(std::move(location)) {}

    [[nodiscard]] const std::string& key() const { return key_; }
    /// Full key of the value that lacks it.
    [[nodiscard]] const std::string& above() const { return above_; }
    /// What that value is, how many children it has, and where it stands.
    [[nodiscard]] Kind holder_kind() const { return holder_kind_; }
    [[nodiscard]] std::size_t holder_size() const { return holder_size_; }
    [[nodiscard]] const Location& holder_location() const { return holder_location_; }
    [[nodiscard]] const std::vector<std::string>& known() const { return known_; }
    /// Where the key was written.
    [[nodiscard]] const Location& location() const { return location_; }

private:
    std::string key_;
    std::string above_;
    Kind holder_kind_;
    std::size_t holder_size_;
    Location holder_location_;
    std::vector<std::string> known_;
    Location location_;
};

/// Edits one tree. `environment` serves the interpolations that editing has to follow.
class TreeEditor {
public:
    TreeEditor(Environment& environment, NewKeys new_keys) : environment_(environment), new_keys_(new_keys) {}

    /// Merges `source` into `target`; both are dictionaries, or both lists, which are replaced. Dictionaries merge key
    /// by key; `???` in the source changes nothing; an interpolation in the target that stands for a container is
    /// replaced by a copy of that first.
    void merge(Value& target, Value source) {
        if (target.is_dict() != source.is_dict()) {
            const std::string path = target.path();
            throw error_at(
                source.location(),
                concat({path.empty() ? "the configuration" : concat({"'", path, "'"}), ": ", describe(source.kind()),
                        " cannot be merged into ", describe(target.kind())}),
                path.empty() ? ""
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

    /// Sets the value at a path. Dictionaries on the way are made; a scalar on the way is replaced by one.
    void update(Value& root, const std::string& path, Value value) {
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

private:
    void merge_entry(Value& target, const Key& key, Value source) {
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

    /// An interpolation that can be resolved to a container becomes a copy of it.
    Value& replace_by_its_container(Value& target, const Key& key, Value& present) {
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

    /// `holder` lacks the key; `value` is what it would get.
    void refuse_new(const Value& holder, const std::string& key, const Value& value) const {
        if (new_keys_ == NewKeys::allowed) {
            return;
        }
        const std::string above = holder.path();
        const std::string full = (above.empty() ? "" : concat({above, "."})) + key;
        const Location place = value.key_location();
        throw UnknownKey(error_at(place, concat({"there is no key '", full, "'"})), key, holder, place);
    }

    static std::size_t index_in(const Value& list, const std::string& key, const Value& value) {
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

    /// The child with this key; null when struct mode does not forbid to add it.
    Value* existing(Value& container, const std::string& key, const Value& value) const {
        if (container.is_list()) {
            return &container.child(index_in(container, key, value));
        }
        Value* child = container.find(key);
        if (child == nullptr) {
            refuse_new(container, key, value);
        }
        return child;
    }

    void assign(Value& container, const std::string& key, Value value) const {
        if (container.is_list()) {
            const std::size_t index = index_in(container, key, value);
            container.replace(index, std::move(value));
            return;
        }
        static_cast<void>(existing(container, key, value));
        container.set(Key(key), std::move(value));
    }

    /// The container with this key, in which `next` is wanted on the way to the place of `value`.
    Value& container_at(Value& parent, const std::string& key, const std::string& next, const Value& value) const {
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

    Environment& environment_;
    NewKeys new_keys_;
    int depth_ = 0;
};

} // namespace audyn::config
