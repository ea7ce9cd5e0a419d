#pragma once

#include <audyn/config/location.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

    static DefaultsItem config(std::string path) {
        DefaultsItem item;
        item.path = std::move(path);
        return item;
    }
    static DefaultsItem group(std::string group, std::optional<std::string> option) {
        DefaultsItem item;
        item.is_group = true;
        item.path = std::move(group);
        item.option = std::move(option);
        return item;
    }

    /// Once the parent's group is known, `_group_` in a package means the item's own group from the root.
    void set_parent(std::string group, std::string of_package) {
        parent_group = std::move(group);
        parent_package = std::move(of_package);
        constexpr std::string_view placeholder = "_group_";
        if (package && package->find(placeholder) != std::string::npos) {
            const std::string own = dotted(group_path());
            for (auto place = package->find(placeholder); place != std::string::npos;
                 place = package->find(placeholder, place + own.size())) {
                package->replace(place, placeholder.size(), own);
            }
            package->insert(0, "_global_.");
        }
    }

    [[nodiscard]] bool is_self() const { return is_group ? option == "_self_" : path == "_self_"; }
    [[nodiscard]] bool is_missing() const { return name() == "\?\?\?"; }

    /// Name of the chosen configuration without its group; nothing for null.
    [[nodiscard]] std::optional<std::string> name() const {
        return is_group ? option : std::optional(path.substr(path.rfind('/') + 1));
    }

    [[nodiscard]] bool is_interpolation() const {
        const std::string text = is_group ? option.value_or("") : config_path();
        return text.find("${") != std::string::npos;
    }

    [[nodiscard]] std::string group_path() const { return below_parent(relative_group()); }

    [[nodiscard]] std::string config_path() const {
        return is_group ? concat({group_path(), "/", option.value_or("None")})
                        : below_parent(path.starts_with('/') ? path.substr(1) : path);
    }

    /// The group as written, without a leading `/`.
    [[nodiscard]] std::string relative_group() const {
        const std::string relative = path.starts_with('/') ? path.substr(1) : path;
        if (is_group) {
            return relative;
        }
        const auto slash = relative.rfind('/');
        return slash == std::string::npos ? "" : relative.substr(0, slash);
    }

    [[nodiscard]] const std::optional<std::string>& own_package(bool use_header = true) const {
        return !package && use_header ? package_header : package;
    }

    /// Where in the configuration the content goes, dots between keys; empty for the root.
    [[nodiscard]] std::string final_package(bool use_header = true) const {
        const std::string own = own_package(use_header).value_or(dotted(relative_group()));
        const bool both = !parent_package.empty() && !own.empty();
        const std::string whole = parent_package + (both ? "." : "") + own;
        constexpr std::string_view global = "_global_";
        const auto last = whole.rfind(global);
        if (last == std::string::npos) {
            return whole;
        }
        const auto rest = last + global.size() + 1;
        return rest >= whole.size() ? "" : whole.substr(rest);
    }

    /// The name by which the command line overrides this choice: `group`, or `group@package` when the package is not
    /// the group's own.
    [[nodiscard]] std::string override_key() const {
        const std::string group = group_path();
        const std::string in_package = final_package(false);
        if (dotted(group) == in_package) {
            return group;
        }
        return concat({group, "@", in_package.empty() ? "_global_" : in_package});
    }

    /// Why the file of this item is read.
    [[nodiscard]] std::shared_ptr<const Inclusion> inclusion() const {
        const bool replaced = !listed.is_known() || location.source() != listed.source();
        return std::make_shared<const Inclusion>(Inclusion{listed, replaced ? location : Location()});
    }

    /// A header is always absolute.
    void set_package_header(const std::optional<std::string>& header) {
        if (!header) {
            return;
        }
        const bool absolute = *header == "_global_" || header->starts_with("_global_.");
        package_header = absolute ? *header : header->empty() ? "_global_" : concat({"_global_.", *header});
    }

private:
    static std::string dotted(std::string text) {
        for (char& character : text) {
            character = character == '/' ? '.' : character;
        }
        return text;
    }

    [[nodiscard]] std::string below_parent(const std::string& relative) const {
        if (path.starts_with('/') || parent_group.empty()) {
            return relative;
        }
        return relative.empty() ? parent_group : concat({parent_group, "/", relative});
    }
};

} // namespace audyn::config
