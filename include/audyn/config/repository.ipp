#pragma once

#include <audyn/config/repository.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>

namespace audyn::config::detail {

AUDYN_INLINE std::vector<std::string> words(std::string_view line) {
    std::vector<std::string> result;
    while (true) {
        const auto begin = line.find_first_not_of(" \t\v\f\r");
        if (begin == std::string_view::npos) {
            return result;
        }
        const auto end = std::min(line.find_first_of(" \t\v\f\r", begin), line.size());
        result.emplace_back(line.substr(begin, end - begin));
        line.remove_prefix(end);
    }
}

AUDYN_INLINE std::optional<std::string> package_header(const std::shared_ptr<const Source>& source,
                                                       std::vector<std::string>& warnings) {
    std::optional<std::string> package;
    std::string_view text = std::string_view(source->text).substr(0, 512);
    for (int number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        std::vector<std::string> parts = words(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (parts.empty()) {
            continue;
        }
        if (parts[0] == "#" && parts.size() > 1) {
            parts.erase(parts.begin());
        } else if (parts[0].starts_with('#')) {
            parts[0].erase(0, parts[0].find_first_not_of('#') == std::string::npos ? parts[0].size() : 1);
        } else {
            break;
        }
        if (!parts[0].starts_with('@')) {
            break;
        }
        if (parts.size() != 2) {
            throw error_at(Location(source, number, 1), "a header has the form '# @package NAME'");
        }
        if (parts[0] == "@package") {
            package = parts[1];
        } else {
            warnings.push_back(concat({Location(source, number, 1).to_string(), ": the header '# ", parts[0],
                                       "' is not heeded", did_you_mean(parts[0], {"@package"})}));
        }
    }
    return package;
}

AUDYN_INLINE std::shared_ptr<const Source> normalised(const std::shared_ptr<const Source>& source) {
    const bool mark = source->text.starts_with("\xEF\xBB\xBF");
    if (!mark && source->text.find('\r') == std::string::npos) {
        return source;
    }
    Source result = *source;
    result.text.clear();
    for (std::size_t index = mark ? 3 : 0; index < source->text.size(); ++index) {
        const char character = source->text[index];
        if (character == '\r') {
            result.text += '\n';
            index += index + 1 < source->text.size() && source->text[index + 1] == '\n' ? 1 : 0;
        } else {
            result.text += character;
        }
    }
    return std::make_shared<const Source>(std::move(result));
}

AUDYN_INLINE DefaultsReader::DefaultsReader(std::string config_path, std::vector<std::string>& warnings)
    : config_path_(std::move(config_path)), warnings_(warnings) {}

AUDYN_INLINE std::vector<DefaultsItem> DefaultsReader::read(const Value& list) const {
    if (!list.is_list()) {
        const bool dict = list.is_dict() && list.size() > 0;
        throw error_at(list.location(),
                       concat({"invalid defaults list in '", config_path_, "': 'defaults' must be a list, not ",
                               describe(list.kind())}),
                       dict ? concat({"Begin each group with a dash: '- ", list.entries()[0].key.to_string(), ": ",
                                      python_text(list.child(0)), "'."})
                            : "");
    }
    std::vector<DefaultsItem> items;
    for (std::size_t index = 0; index < list.size(); ++index) {
        items.push_back(item(list.child(index)));
        items.back().listed = list.child(index).location();
        items.back().location = items.back().listed;
        if (!items.back().is_group) {
            items.back().option_location = items.back().listed;
        }
    }
    return items;
}

AUDYN_INLINE ConfigError DefaultsReader::error(const Location& place, const std::string& reason) const {
    return error_at(place, concat({"in '", config_path_, "': ", reason}));
}

AUDYN_INLINE ConfigError DefaultsReader::error(const Value& value, const std::string& reason) const {
    return error(value.location(), reason);
}

AUDYN_INLINE DefaultsItem DefaultsReader::item(const Value& value) const {
    if (value.is_dict()) {
        return group(value);
    }
    const auto* text = value.get_if<std::string>();
    if (text == nullptr) {
        throw error(value, concat({"an item of a defaults list must be a name or 'group: option', not ",
                                   describe(value.kind())}));
    }
    DefaultsItem result = DefaultsItem::config("");
    result.path = split_package(*text, result.package);
    if (result.is_self() && result.package) {
        throw error(value, "'_self_' cannot have a package");
    }
    return result;
}

AUDYN_INLINE DefaultsItem DefaultsReader::group(const Value& value) const {
    if (value.size() != 1) {
        throw value.size() == 0 ? error(value.location(), "the name of a group is missing")
                                : error(value.child(1).key_location(),
                                        "too many keys in one item of the defaults list: begin each group with '- '");
    }
    const Key& key = value.entries()[0].key;
    if (!key.is_string()) {
        throw error(value, "the name of a group must be a string");
    }
    DefaultsItem result = DefaultsItem::group("", std::nullopt);
    std::string name = split_package(key.text(), result.package);
    for (auto space = name.find(' '); space != std::string::npos; space = name.find(' ')) {
        const std::string keyword = name.substr(0, space);
        if (keyword != "optional" && keyword != "override") {
            warnings_.push_back(
                concat({value.location().to_string(), ": unknown keyword '", keyword,
                        "' in a defaults list is not heeded", did_you_mean(keyword, {"optional", "override"})}));
            name = name.substr(name.rfind(' ') + 1);
            break;
        }
        (keyword == "optional" ? result.is_optional : result.is_override) = true;
        name.erase(0, space + 1);
    }
    if (name.empty()) {
        throw error(value, "the name of a group is missing");
    }
    result.path = name;
    result.option_location = value.child(0).location();
    set_option(result, value.child(0));
    return result;
}

AUDYN_INLINE void DefaultsReader::set_option(DefaultsItem& result, const Value& option) const {
    if (const auto* text = option.get_if<std::string>()) {
        result.option = *text;
        return;
    }
    if (!option.is_list() && !option.is_null()) {
        throw error(option, concat({"unsupported option: it must be a name, a list of names or null, not ",
                                    describe(option.kind())}));
    }
    if (option.is_list()) {
        result.options.emplace();
        for (std::size_t index = 0; index < option.size(); ++index) {
            const auto* text = option.child(index).get_if<std::string>();
            if (text == nullptr) {
                throw error(option.child(index), "unsupported option in a list: it must be a name");
            }
            result.options->push_back(*text);
        }
    }
}

AUDYN_INLINE std::string DefaultsReader::split_package(const std::string& text, std::optional<std::string>& package) {
    const auto at = text.find('@');
    if (at == std::string::npos) {
        return text;
    }
    std::string after = text.substr(at + 1);
    after = after.substr(0, after.find(':'));
    package = after == "_here_" ? "" : after;
    return text.substr(0, at);
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE Repository::Repository(SearchPath search_path, Environment& environment)
    : search_path_(std::move(search_path)), environment_(environment) {}

AUDYN_INLINE std::shared_ptr<const LoadedConfig> Repository::load(const std::string& path,
                                                                  std::shared_ptr<const Inclusion> inclusion) {
    const auto known = cache_.find(path);
    if (known != cache_.end()) {
        return known->second;
    }
    std::shared_ptr<const Source> source = search_path_.load(path);
    if (source && inclusion) {
        Source included = *source;
        included.inclusion = std::move(inclusion);
        source = std::make_shared<const Source>(std::move(included));
    }
    if (source && source->origin == Origin::file) {
        warn_of_shadowed(path, *source);
    }
    auto loaded = source ? read(path, source) : nullptr;
    cache_.emplace(path, loaded);
    return loaded;
}

AUDYN_INLINE void Repository::warn_of_shadowed(const std::string& path, const Source& chosen) {
    const auto folders =
        std::ranges::count_if(search_path_.sources(), [](const auto& place) { return place->scheme() == "file"; });
    bool behind_chosen = false;
    for (const auto& place : search_path_.sources()) {
        if (folders < 2 || place->scheme() != "file" || !place->has_config(path)) {
            continue;
        }
        if (!std::exchange(behind_chosen, true)) {
            continue;
        }
        const std::shared_ptr<const Source> other = place->load(path);
        if (other->name != chosen.name && other->text != chosen.text) {
            environment_.warnings.push_back(concat({"'", chosen.name, "' is used and shadows '", other->name,
                                                    "', which has other contents; the first folder of the search "
                                                    "path wins"}));
        }
    }
}

AUDYN_INLINE std::shared_ptr<const LoadedConfig> Repository::read(const std::string& path,
                                                                  const std::shared_ptr<const Source>& raw) const {
    auto loaded = std::make_shared<LoadedConfig>();
    const std::shared_ptr<const Source> source = detail::normalised(raw);
    const bool mark = raw->text.starts_with("\xEF\xBB\xBF");
    loaded->package = mark ? std::nullopt : detail::package_header(source, environment_.warnings);
    loaded->content = parse_yaml(source);
    if (loaded->content.is_dict()) {
        if (const Value* defaults = loaded->content.find("defaults")) {
            const Found found = Evaluation(environment_).dereference(*defaults);
            loaded->defaults = detail::DefaultsReader(path, environment_.warnings).read(*found.node);
            static_cast<void>(loaded->content.erase("defaults"));
        }
        for (std::size_t index = 0; index < loaded->content.size(); ++index) {
            loaded->has_content = loaded->has_content || !loaded->content.child(index).is_missing();
        }
    }
    return loaded;
}

} // namespace audyn::config
