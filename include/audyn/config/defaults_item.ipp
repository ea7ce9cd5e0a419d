#pragma once

#include <audyn/config/defaults_item.hpp>
#include <audyn/core/inline.hpp>

#include <string_view>
#include <utility>

namespace audyn::config {

AUDYN_INLINE DefaultsItem DefaultsItem::config(std::string path) {
    DefaultsItem item;
    item.path = std::move(path);
    return item;
}

AUDYN_INLINE DefaultsItem DefaultsItem::group(std::string group, std::optional<std::string> option) {
    DefaultsItem item;
    item.is_group = true;
    item.path = std::move(group);
    item.option = std::move(option);
    return item;
}

AUDYN_INLINE void DefaultsItem::set_parent(std::string group, std::string of_package) {
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

AUDYN_INLINE std::optional<std::string> DefaultsItem::name() const {
    return is_group ? option : std::optional(path.substr(path.rfind('/') + 1));
}

AUDYN_INLINE bool DefaultsItem::is_interpolation() const {
    const std::string text = is_group ? option.value_or("") : config_path();
    return text.find("${") != std::string::npos;
}

AUDYN_INLINE std::string DefaultsItem::config_path() const {
    return is_group ? concat({group_path(), "/", option.value_or("None")})
                    : below_parent(path.starts_with('/') ? path.substr(1) : path);
}

AUDYN_INLINE std::string DefaultsItem::relative_group() const {
    const std::string relative = path.starts_with('/') ? path.substr(1) : path;
    if (is_group) {
        return relative;
    }
    const auto slash = relative.rfind('/');
    return slash == std::string::npos ? "" : relative.substr(0, slash);
}

AUDYN_INLINE const std::optional<std::string>& DefaultsItem::own_package(bool use_header) const {
    return !package && use_header ? package_header : package;
}

AUDYN_INLINE std::string DefaultsItem::final_package(bool use_header) const {
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

AUDYN_INLINE std::string DefaultsItem::override_key() const {
    const std::string group = group_path();
    const std::string in_package = final_package(false);
    if (dotted(group) == in_package) {
        return group;
    }
    return concat({group, "@", in_package.empty() ? "_global_" : in_package});
}

AUDYN_INLINE std::shared_ptr<const Inclusion> DefaultsItem::inclusion() const {
    const bool replaced = !listed.is_known() || location.source() != listed.source();
    return std::make_shared<const Inclusion>(Inclusion{listed, replaced ? location : Location()});
}

AUDYN_INLINE void DefaultsItem::set_package_header(const std::optional<std::string>& header) {
    if (!header) {
        return;
    }
    const bool absolute = *header == "_global_" || header->starts_with("_global_.");
    package_header = absolute ? *header : header->empty() ? "_global_" : concat({"_global_.", *header});
}

AUDYN_INLINE std::string DefaultsItem::dotted(std::string text) {
    for (char& character : text) {
        character = character == '/' ? '.' : character;
    }
    return text;
}

AUDYN_INLINE std::string DefaultsItem::below_parent(const std::string& relative) const {
    if (path.starts_with('/') || parent_group.empty()) {
        return relative;
    }
    return relative.empty() ? parent_group : concat({parent_group, "/", relative});
}

} // namespace audyn::config
