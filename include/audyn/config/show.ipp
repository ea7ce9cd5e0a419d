#pragma once

#include <audyn/config/show.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/version.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace audyn::config::detail {

AUDYN_INLINE Value resolved_or_missing(const Value& node, Environment& environment) {
    if (node.is_interpolation()) {
        try {
            return Evaluation(environment).resolved_copy(node);
        } catch (const MissingValueError&) {
            return "\?\?\?";
        }
    }
    if (!node.is_container()) {
        return node;
    }
    Value copy = node.is_list() ? Value::list() : Value::dict();
    for (const Value::Entry& entry : node.entries()) {
        Value child = resolved_or_missing(*entry.value, environment);
        node.is_list() ? static_cast<void>(copy.append(std::move(child)))
                       : static_cast<void>(copy.set(entry.key, std::move(child)));
    }
    return copy;
}

AUDYN_INLINE Value resolved_part(const Value& root, std::string_view path, Environment& environment) {
    if (path.empty()) {
        return resolved_or_missing(root, environment);
    }
    std::vector<std::string> keys = split_path(path);
    const std::string last = std::move(keys.back());
    keys.pop_back();
    const auto above = Evaluation(environment).select({&root, nullptr}, keys);
    return resolved_or_missing(*Evaluation::child_of(above.found, last).node, environment);
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE std::string config_text(const CommandLine& command_line, const Config& config) {
    const Config shown = command_line.shown == "job" ? config : with_hydra(config);
    const bool whole = command_line.shown_package.empty() || command_line.shown_package == "_global_";
    Value tree = (whole ? shown : shown.at(command_line.shown_package)).to_value();
    if (command_line.resolve) {
        const Value root = shown.to_value();
        tree = detail::resolved_part(root, whole ? "" : command_line.shown_package, shown.environment());
    }
    if (command_line.shown == "hydra" && whole) {
        Value hydra = Value::dict();
        hydra.set(Key("hydra"), std::move(*tree.erase("hydra")));
        for (const char* const help : {"help", "hydra_help"}) {
            static_cast<void>(hydra.find("hydra")->erase(help));
        }
        tree = std::move(hydra);
    }
    if (!tree.is_container()) {
        return concat({python_text(tree), "\n"});
    }
    return concat({whole ? "" : concat({"# @package ", command_line.shown_package, "\n"}), emit_yaml(tree)});
}

} // namespace audyn::config

namespace audyn::config::detail {

AUDYN_INLINE std::string usage_of_options() {
    std::string text;
    for (const Option& option : options()) {
        if (option.help.empty()) {
            continue;
        }
        std::string head =
            concat({"  ", option.name, option.short_name.empty() ? "" : concat({", ", option.short_name}),
                    option.argument.empty() ? "" : concat({" ", option.argument})});
        head.resize(std::max<std::size_t>(head.size() + 2, 36), ' ');
        text += concat({head, option.help, "\n"});
    }
    return text;
}

AUDYN_INLINE void list_groups(const SearchPath& search_path, const std::string& group, std::string& text) {
    if (const std::vector<std::string> names = search_path.options(group); !names.empty() && !group.empty()) {
        text += concat({"  ", group, ": ", join(names), "\n"});
    }
    for (const std::string& inner : search_path.groups(group)) {
        list_groups(search_path, group.empty() ? inner : concat({group, "/", inner}), text);
    }
}

AUDYN_INLINE std::string completion_help(const std::string& path) {
    return concat(
        {"Completion of groups, options, keys and values:\n", "  eval \"$(", path, " --shell-completion=bash)\"\n"});
}

AUDYN_INLINE std::string fill_template(std::string_view text,
                                       const std::map<std::string, std::string, std::less<>>& values) {
    std::string result;
    for (std::size_t index = 0; index < text.size();) {
        if (text[index] != '$') {
            result += text[index++];
            continue;
        }
        const auto is_name = [](char c) { return c == '_' || (c >= 'A' && c <= 'Z'); };
        std::size_t end = ++index;
        while (end < text.size() && is_name(text[end])) {
            ++end;
        }
        const auto found = values.find(text.substr(index, end - index));
        result += found != values.end() ? found->second : "$";
        index = found != values.end() ? end : index + (text.substr(index).starts_with('$') ? 1 : 0);
    }
    return result;
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE std::string version_text(const CommandLine& command_line, const Program& program) {
    return concat({command_line.program, " ", program.version,
                   program.version == audyn::version ? "" : concat({std::string(" (Audyn "), audyn::version, ")"}),
                   "\n"});
}

} // namespace audyn::config
