#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/emit.hpp>
#include <audyn/config/interpolation.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/version.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::config {

namespace detail {

/// A copy with values instead of interpolations. Where one leads to a mandatory value that was not given, so does the
/// copy.
[[nodiscard]] inline Value resolved_or_missing(const Value& node, Environment& environment) {
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

/// The same of the node at `path`, which exists.
[[nodiscard]] inline Value resolved_part(const Value& root, std::string_view path, Environment& environment) {
    if (path.empty()) {
        return resolved_or_missing(root, environment);
    }
    std::vector<std::string> keys = split_path(path);
    const std::string last = std::move(keys.back());
    keys.pop_back();
    const auto above = Evaluation(environment).select({&root, nullptr}, keys);
    return resolved_or_missing(*Evaluation::child_of(above.found, last).node, environment);
}

} // namespace detail

/// What `--cfg job|hydra|all` prints: the composed configuration, the run's own tree, or both; only what is below
/// `--package`, and values instead of interpolations with `--resolve`. Throws `ConfigError`.
[[nodiscard]] inline std::string config_text(const CommandLine& command_line, const Config& config) {
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

namespace detail {

[[nodiscard]] inline std::string usage_of_options() {
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

inline void list_groups(const SearchPath& search_path, const std::string& group, std::string& text) {
    if (const std::vector<std::string> names = search_path.options(group); !names.empty() && !group.empty()) {
        text += concat({"  ", group, ": ", join(names), "\n"});
    }
    for (const std::string& inner : search_path.groups(group)) {
        list_groups(search_path, group.empty() ? inner : concat({group, "/", inner}), text);
    }
}

inline constexpr std::string_view overrides_help = R"(Overrides:
  group=option     choose a file of a group; group@key=option for the one at that key
  key.inner=value  set a value: 3, 1e-3, true, null, text, 'quoted text', [a,b], {a: 1}, '${other.key}'
  +key=value       add a key, or with a group a choice that the defaults list lacks
  ++key=value      add a key or set it
  ~key             remove a key or a group's choice
)";

inline constexpr std::string_view sweep_help = R"(Several runs (--multirun):
  key=a,b          each of these values; several keys give all combinations, the last one changing fastest
  key=range(1,5)   1, 2, 3, 4; range(start,stop,step)
  group=glob(*)    all options of a group whose names match; glob([a*,b*],exclude=c)
  Jobs run one after another, each in a process and a folder of its own (hydra.sweep.dir, hydra.sweep.subdir).
  A job that fails does not stop the others unless hydra.sweeper.stop_on_failure=true.

The folder of a run is hydra.run.dir; hydra.job.chdir=true makes it the working directory, and what was composed
is written to its hydra.output_subdir (null: nowhere).
)";

[[nodiscard]] inline std::string completion_help(const std::string& path) {
    return concat(
        {"Completion of groups, options, keys and values:\n", "  eval \"$(", path, " --shell-completion=bash)\"\n"});
}

/// `$NAME` by its value and `$$` by a dollar, as Python's `string.Template` does; an unknown name stays.
[[nodiscard]] inline std::string fill_template(std::string_view text,
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

} // namespace detail

/// What `--help` prints: usage, options, the groups with their options, the program's own part, and the composed
/// configuration. A configuration may add to it by `hydra.help.header` and `hydra.help.footer`, or say it all by
/// `hydra.help.template` with $FLAGS_HELP, $APP_CONFIG_GROUPS and $CONFIG.
[[nodiscard]] inline std::string help_text(const CommandLine& command_line, const Program& program) {
    std::string groups;
    detail::list_groups(search_path_of(command_line, program), "", groups);
    std::string composed;
    std::string header;
    std::string footer;
    try {
        const Config config = compose_from_command_line(command_line, program);
        composed = config.to_yaml();
        const Config help = with_hydra(config).at("hydra.help");
        header = help.get<std::string>("header", "");
        footer = help.get<std::string>("footer", "");
        if (const auto text = help.get_optional<std::string>("template"); text && !text->empty()) {
            return detail::fill_template(
                *text,
                {{"FLAGS_HELP", detail::usage_of_options()}, {"APP_CONFIG_GROUPS", groups}, {"CONFIG", composed}});
        }
    } catch (const ConfigError& error) {
        composed = concat({"It cannot be composed:\n", error.what(), "\n"});
    }
    const auto paragraph = [](const std::string& text) {
        return text.empty() ? "" : concat({text, text.ends_with('\n') ? "\n" : "\n\n"});
    };
    return concat({paragraph(header), "Usage: ", command_line.program, " [OPTION]... [OVERRIDE]...\n\n",
                   detail::overrides_help, "\nOptions:\n", detail::usage_of_options(), "\n", detail::sweep_help, "\n",
                   detail::completion_help(command_line.path), "\nGroups and their options:\n", groups,
                   program.more_help ? concat({"\n", program.more_help()}) : "",
                   "\nConfiguration (with the overrides given):\n", composed, footer.empty() ? "" : "\n", footer});
}

/// What `--version` prints.
[[nodiscard]] inline std::string version_text(const CommandLine& command_line, const Program& program) {
    return concat({command_line.program, " ", program.version,
                   program.version == audyn::version ? "" : concat({std::string(" (Audyn "), audyn::version, ")"}),
                   "\n"});
}

} // namespace audyn::config
