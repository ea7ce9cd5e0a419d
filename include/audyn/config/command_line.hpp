#pragma once

#include <audyn/config/builtin.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/diagnostic.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/version.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::config {

/// What a program was asked to do, from its arguments.
struct CommandLine {
    enum class Action { run, help, version, show_config };

    Action action = Action::run;
    std::string program; ///< `argv[0]` without its folder
    std::vector<std::string> overrides;
    std::optional<std::string> config_dir;
    std::optional<std::string> config_path;
    std::optional<std::string> config_name;
    std::string shown;         ///< of `--cfg`: job, hydra or all
    bool resolve = false;      ///< `--resolve`
    std::string shown_package; ///< of `--package`: show only this part
};

/// What a program brings to its command line.
struct Program {
    std::string version = audyn::version;
    std::string default_config_name = "config";
    SearchPath search_path =
        builtin_search_path(); ///< groups compiled in; folders of the command line come before them
    Resolvers resolvers;
    /// Adds to `--help`: the targets that the program knows, with their arguments.
    std::function<std::string()> more_help;
};

namespace detail {

struct Option {
    std::string_view name;
    std::string_view short_name;
    std::string_view argument; ///< empty for a flag
    std::string_view help;
};

[[nodiscard]] inline std::span<const Option> options() {
    static constexpr std::array<Option, 11> table{{
        {"--help", "-h", "", "Show this text."},
        {"--version", "", "", "Show the version."},
        {"--config-dir", "-cd", "FOLDER", "Look for configurations in this folder first."},
        {"--config-path", "-cp", "FOLDER", "The same, before the folder of --config-dir."},
        {"--config-name", "-cn", "NAME", "The primary configuration, without '.yaml'."},
        {"--cfg", "-c", "job|hydra|all", "Show the composed configuration instead of running."},
        {"--resolve", "", "", "With --cfg: show values instead of interpolations."},
        {"--package", "-p", "KEY", "With --cfg: show only what is below this key."},
        {"--info", "-i", "WHAT", "Show where the configuration comes from (not supported yet)."},
        {"--multirun", "-m", "", "Run once for each combination of several values (not supported yet)."},
        {"--shell-completion", "-sc", "SHELL", "Print a completion script (not supported yet)."},
    }};
    return table;
}

/// Reads arguments one after another.
class CommandLineParser {
public:
    explicit CommandLineParser(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}

    [[nodiscard]] CommandLine run() {
        if (!arguments_.empty()) {
            result_.program = std::filesystem::path(arguments_[0]).filename().string();
        }
        for (next_ = 1; next_ < arguments_.size(); ++next_) {
            const std::string& argument = arguments_[next_];
            if (argument.size() > 1 && argument[0] == '-') {
                option(argument);
            } else {
                result_.overrides.push_back(argument);
            }
        }
        const bool shows = result_.action == CommandLine::Action::show_config;
        if (!shows && result_.action == CommandLine::Action::run &&
            (result_.resolve || !result_.shown_package.empty())) {
            throw ConfigError(
                concat({std::string(result_.resolve ? "--resolve" : "--package"), " is for --cfg: add '--cfg job'"}));
        }
        return std::move(result_);
    }

private:
    void option(const std::string& argument) {
        const auto equal = argument.find('=');
        const std::string name = argument.substr(0, equal);
        const auto found = std::ranges::find_if(
            options(), [&name](const Option& option) { return name == option.name || name == option.short_name; });
        if (found == options().end()) {
            throw unknown(name);
        }
        std::string value;
        if (!found->argument.empty()) {
            if (equal != std::string::npos) {
                value = argument.substr(equal + 1);
            } else if (next_ + 1 < arguments_.size()) {
                value = arguments_[++next_];
            } else {
                throw ConfigError(concat({"the option '", name, "' needs an argument: ", name, " ", found->argument}));
            }
        } else if (equal != std::string::npos) {
            throw ConfigError(concat({"the option '", name, "' takes no argument"}));
        }
        apply(found->name, std::move(value));
    }

    static ConfigError unknown(const std::string& name) {
        std::vector<std::string> names;
        for (const Option& option : options()) {
            names.emplace_back(option.name);
        }
        return ConfigError(concat({"unknown option '", name, "'", did_you_mean(name, names),
                                   "\nAn override has no dashes: key=value. See --help."}));
    }

    void apply(std::string_view name, std::string value) {
        if (name == "--help") {
            result_.action = CommandLine::Action::help;
        } else if (name == "--version") {
            result_.action = CommandLine::Action::version;
        } else if (name == "--config-dir") {
            result_.config_dir = std::move(value);
        } else if (name == "--config-path") {
            result_.config_path = std::move(value);
        } else if (name == "--config-name") {
            result_.config_name = std::move(value);
        } else if (name == "--cfg") {
            show(std::move(value));
        } else if (name == "--resolve") {
            result_.resolve = true;
        } else if (name == "--package") {
            result_.shown_package = std::move(value);
        } else {
            throw ConfigError(concat({"the option '", name, "' is not supported yet"}));
        }
    }

    void show(std::string what) {
        if (what != "job" && what != "hydra" && what != "all") {
            throw ConfigError(concat({"--cfg shows job, hydra or all, not '", what, "'"}));
        }
        result_.shown = std::move(what);
        if (result_.action == CommandLine::Action::run) {
            result_.action = CommandLine::Action::show_config;
        }
    }

    std::vector<std::string> arguments_;
    std::size_t next_ = 1;
    CommandLine result_;
};

[[nodiscard]] inline std::string usage_of_options() {
    std::string text;
    for (const Option& option : options()) {
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

} // namespace detail

/// Reads a program's arguments. Throws `ConfigError` for an unknown option, with the nearest known one.
[[nodiscard]] inline CommandLine parse_command_line(int argc, const char* const* argv) {
    return detail::CommandLineParser(std::vector<std::string>(argv, argv + argc)).run();
}

/// Where this run looks configurations up: the folders of the command line, then what the program brings.
[[nodiscard]] inline SearchPath search_path_of(const CommandLine& command_line, const Program& program) {
    SearchPath search_path;
    for (const auto& [option, folder] :
         {std::pair("--config-path", command_line.config_path), std::pair("--config-dir", command_line.config_dir)}) {
        if (!folder) {
            continue;
        }
        if (!FolderSource(*folder).is_available()) {
            throw ConfigError(concat({std::string(option), ": there is no folder '", *folder, "'"}));
        }
        search_path.add_folder(*folder);
    }
    return search_path.add(program.search_path);
}

/// Composes what the command line asks for. Throws `ConfigError`.
[[nodiscard]] inline Config compose_from_command_line(const CommandLine& command_line, const Program& program) {
    const std::string name = command_line.config_name.value_or(program.default_config_name);
    Config config = compose(search_path_of(command_line, program), name, command_line.overrides, program.resolvers);
    Config hydra = config.hydra();
    if (hydra.at("job.name").is_missing()) {
        hydra.set("job.name", command_line.program);
    }
    return config;
}

/// What `--cfg` prints.
[[nodiscard]] inline std::string config_text(const CommandLine& command_line, const Config& config) {
    Value tree = command_line.shown == "hydra" ? Value::dict()
                                               : config.at(command_line.shown_package).to_value(command_line.resolve);
    if (command_line.shown != "job") {
        const bool whole = command_line.shown == "all" && tree.is_dict();
        Value hydra = config.hydra().to_value();
        (whole ? tree : tree = Value::dict()).set(Key("hydra"), std::move(hydra));
    }
    const std::string header =
        command_line.shown_package.empty() ? "" : concat({"# @package ", command_line.shown_package, "\n"});
    return header + emit_yaml(tree);
}

/// What `--help` prints: usage, options, the groups with their options, the program's own part, and the composed
/// configuration.
[[nodiscard]] inline std::string help_text(const CommandLine& command_line, const Program& program) {
    const SearchPath search_path = search_path_of(command_line, program);
    std::string text = concat({"Usage: ", command_line.program, " [OPTION]... [OVERRIDE]...\n\n"});
    text += "Overrides: group=option chooses a file of a group, key.inner=value sets a value,\n"
            "+key=value adds one, ++key=value adds or sets it, ~key removes it.\n\nOptions:\n";
    text += detail::usage_of_options();
    text += "\nGroups and their options:\n";
    detail::list_groups(search_path, "", text);
    if (program.more_help) {
        text += concat({"\n", program.more_help()});
    }
    text += "\nConfiguration (with the overrides given):\n";
    try {
        return text + compose_from_command_line(command_line, program).to_yaml();
    } catch (const ConfigError& error) {
        return concat({text, "It cannot be composed:\n", error.what(), "\n"});
    }
}

/// What `--version` prints.
[[nodiscard]] inline std::string version_text(const CommandLine& command_line, const Program& program) {
    return concat({command_line.program, " ", program.version,
                   program.version == audyn::version ? "" : concat({std::string(" (Audyn "), audyn::version, ")"}),
                   "\n"});
}

} // namespace audyn::config
