#pragma once

#include <audyn/config/defaults_item.hpp>
#include <audyn/config/diagnostic.hpp>
#include <audyn/config/interpolation.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/value.hpp>
#include <audyn/config/yaml.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::config {

/// A configuration file, read: its content without the defaults list, the list, and the package of its header.
struct LoadedConfig {
    Value content;
    std::vector<DefaultsItem> defaults;
    std::optional<std::string> package;
    bool has_content = false; ///< a key beside the defaults list has a value
};

namespace detail {

/// Words of a line.
[[nodiscard]] AUDYN_INLINE std::vector<std::string> words(std::string_view line);

/// `# @package NAME` among the comments of the form `# @key value` that a file begins with.
[[nodiscard]] AUDYN_INLINE std::optional<std::string> package_header(const std::shared_ptr<const Source>& source,
                                                                     std::vector<std::string>& warnings);

/// Text as Python's text files give it: no byte order mark, `\n` line ends.
[[nodiscard]] AUDYN_INLINE std::shared_ptr<const Source> normalised(const std::shared_ptr<const Source>& source);

/// Reads the items of a defaults list.
class DefaultsReader {
public:
    DefaultsReader(std::string config_path, std::vector<std::string>& warnings);

    [[nodiscard]] std::vector<DefaultsItem> read(const Value& list) const;

private:
    [[nodiscard]] ConfigError error(const Location& place, const std::string& reason) const;
    [[nodiscard]] ConfigError error(const Value& value, const std::string& reason) const;

    [[nodiscard]] DefaultsItem item(const Value& value) const;

    [[nodiscard]] DefaultsItem group(const Value& value) const;

    void set_option(DefaultsItem& result, const Value& option) const;

    static std::string split_package(const std::string& text, std::optional<std::string>& package);

    std::string config_path_;
    std::vector<std::string>& warnings_;
};

} // namespace detail

/// Reads configurations from a search path, each once.
class Repository {
public:
    Repository(SearchPath search_path, Environment& environment);

    [[nodiscard]] const SearchPath& search_path() const { return search_path_; }
    /// What was read already stays as it is.
    void set_search_path(SearchPath search_path) { search_path_ = std::move(search_path); }

    /// Null when there is no such configuration. `inclusion` says why it is wanted, for messages about it.
    [[nodiscard]] std::shared_ptr<const LoadedConfig> load(const std::string& path,
                                                           std::shared_ptr<const Inclusion> inclusion = nullptr);

private:
    /// Two of the user's own files with one name and different contents are probably a mistake. That one hides a
    /// built-in group is what it is for.
    void warn_of_shadowed(const std::string& path, const Source& chosen);

    std::shared_ptr<const LoadedConfig> read(const std::string& path, const std::shared_ptr<const Source>& raw) const;

    SearchPath search_path_;
    Environment& environment_;
    std::map<std::string, std::shared_ptr<const LoadedConfig>, std::less<>> cache_;
};

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/repository.ipp>
#endif
