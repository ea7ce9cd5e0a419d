#pragma once

#include <audyn/config/interpolation.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>

#include <cstddef>
#include <string>
#include <vector>

/// Changing a tree as OmegaConf does: merging, setting by path, removing.
namespace audyn::config {

/// Whether keys that are not there may be added.
enum class NewKeys { allowed, refused };

/// A key that struct mode refuses. `known` are the keys beside which it was looked for.
class UnknownKey : public ConfigError {
public:
    UnknownKey(const ConfigError& error, std::string key, const Value& holder, Location location);

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
    void merge(Value& target, Value source);

    /// Sets the value at a path. Dictionaries on the way are made; a scalar on the way is replaced by one.
    void update(Value& root, const std::string& path, Value value);

private:
    void merge_entry(Value& target, const Key& key, Value source);

    /// An interpolation that can be resolved to a container becomes a copy of it.
    Value& replace_by_its_container(Value& target, const Key& key, Value& present);

    /// `holder` lacks the key; `value` is what it would get.
    void refuse_new(const Value& holder, const std::string& key, const Value& value) const;

    static std::size_t index_in(const Value& list, const std::string& key, const Value& value);

    /// The child with this key; null when struct mode does not forbid to add it.
    Value* existing(Value& container, const std::string& key, const Value& value) const;

    void assign(Value& container, const std::string& key, Value value) const;

    /// The container with this key, in which `next` is wanted on the way to the place of `value`.
    Value& container_at(Value& parent, const std::string& key, const std::string& next, const Value& value) const;

    Environment& environment_;
    NewKeys new_keys_;
    int depth_ = 0;
};

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/merge.ipp>
#endif
