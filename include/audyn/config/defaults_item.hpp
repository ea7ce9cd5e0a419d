#pragma once

#include <audyn/config/location.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace audyn::config {

/// One item of a defaults list: a configuration (`base`, `/db/mysql@pkg`), a group with its option (`db: mysql`,
/// `optional db: [a, b]`, `override /db: x`), or `_self_`. Where it stands in the tree of defaults decides its paths
/// and packages.
struct DefaultsItem {
    bool is_group = false;
    std::string path;                                ///< of a configuration, or the group
    std::optional<std::string> option;               ///< of a group; nothing for null
    std::optional<std::vector<std::string>> options; ///< of a group that was given a list
    std::optional<std::string> package;              ///< after `@`
    std::optional<std::string> package_header;       ///< of the file, `# @package ...`
    bool is_optional = false;
    bool is_override = false;
    bool is_appended = false; ///< `+group=option` of the command line
    bool is_primary = false;
    bool is_deleted = false;
    std::string parent_group;   ///< group of the configuration that lists this item
    std::string parent_package; ///< package of that configuration
    Location location;          ///< of the item, or of the override that replaced its choice
    Location option_location;   ///< of the option alone
    Location listed;            ///< of the item in its defaults list; unknown when the command line appended it

    static DefaultsItem config(std::string path);
    static DefaultsItem group(std::string group, std::optional<std::string> option);

    /// Once the parent's group is known, `_group_` in a package means the item's own group from the root.
    void set_parent(std::string group, std::string of_package);

    [[nodiscard]] bool is_self() const { return is_group ? option == "_self_" : path == "_self_"; }
    [[nodiscard]] bool is_missing() const { return name() == "\?\?\?"; }

    /// Name of the chosen configuration without its group; nothing for null.
    [[nodiscard]] std::optional<std::string> name() const;

    [[nodiscard]] bool is_interpolation() const;

    [[nodiscard]] std::string group_path() const { return below_parent(relative_group()); }

    [[nodiscard]] std::string config_path() const;

    /// The group as written, without a leading `/`.
    [[nodiscard]] std::string relative_group() const;

    [[nodiscard]] const std::optional<std::string>& own_package(bool use_header = true) const;

    /// Where in the configuration the content goes, dots between keys; empty for the root.
    [[nodiscard]] std::string final_package(bool use_header = true) const;

    /// The name by which the command line overrides this choice: `group`, or `group@package` when the package is not
    /// the group's own.
    [[nodiscard]] std::string override_key() const;

    /// Why the file of this item is read.
    [[nodiscard]] std::shared_ptr<const Inclusion> inclusion() const;

    /// A header is always absolute.
    void set_package_header(const std::optional<std::string>& header);

private:
    static std::string dotted(std::string text);

    [[nodiscard]] std::string below_parent(const std::string& relative) const;
};

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/defaults_item.ipp>
#endif
