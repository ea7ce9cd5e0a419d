#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace audyn::config::detail {

AUDYN_INLINE std::span<const Option> options() {
    static constexpr std::array<Option, 16> table{{
        {"--help", "-h", "", "Show this text."},
        {"--version", "", "", "Show the version."},
        {"--config-dir", "-cd", "FOLDER", "Look for configurations in this folder first."},
        {"--config-path", "-cp", "FOLDER", "The same, before the folder of --config-dir."},
        {"--config-name", "-cn", "NAME", "The primary configuration, without '.yaml'."},
        {"--cfg", "-c", "job|hydra|all|diff",
         "Show the composed configuration; with 'diff A [B]' how it differs from A."},
        {"--resolve", "", "", "With --cfg: show values instead of interpolations."},
        {"--package", "-p", "KEY", "With --cfg: show only what is below this key."},
        {"--info", "-i", "[WHAT]", "Show all, config, defaults, defaults-tree or searchpath."},
        {"--multirun", "-m", "", "Run once for each combination of the values given."},
        {"--print-launch-command", "", "",
         "Print the command that starts the processes of this run, and do not start them."},
        {"--shell-completion", "-sc", "SHELL", "Print a completion script for bash or zsh."},
        {"--complete", "", "LINE", ""},
        {"--job-number", "", "NUMBER", ""},
        {"--job-folder", "", "FOLDER", ""},
        {"--job-start", "", "SECONDS", ""},
    }};
    return table;
}

AUDYN_INLINE CommandLine CommandLineParser::run() {
    if (!arguments_.empty()) {
        result_.path = arguments_[0];
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
    check();
    return std::move(result_);
}

AUDYN_INLINE void CommandLineParser::option(const std::string& argument) {
    const auto equal = argument.find('=');
    const std::string name = argument.substr(0, equal);
    const auto found = std::ranges::find_if(
        options(), [&name](const Option& option) { return name == option.name || name == option.short_name; });
    if (found == options().end()) {
        throw unknown(name);
    }
    std::string value;
    if (found->name == "--info") {
        value = equal != std::string::npos ? argument.substr(equal + 1) : info_argument();
    } else if (!found->argument.empty()) {
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

AUDYN_INLINE ConfigError CommandLineParser::unknown(const std::string& name) {
    std::vector<std::string> names;
    for (const Option& option : options()) {
        if (!option.help.empty()) {
            names.emplace_back(option.name);
        }
    }
    return ConfigError(concat({"unknown option '", name, "'", did_you_mean(name, names),
                               "\nAn override has no dashes: key=value. See --help."}));
}

AUDYN_INLINE std::string CommandLineParser::info_argument() {
    const bool given =
        next_ + 1 < arguments_.size() && !arguments_[next_ + 1].starts_with('-') && !is_override(arguments_[next_ + 1]);
    return given ? arguments_[++next_] : "all";
}

AUDYN_INLINE bool CommandLineParser::is_override(const std::string& argument) {
    return argument.starts_with('~') || argument.find('=') != std::string::npos;
}

AUDYN_INLINE void CommandLineParser::apply(std::string_view name, std::string value) {
    if (name == "--help") {
        act("--help", Action::help);
    } else if (name == "--version") {
        act("--version", Action::version);
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
    } else if (name == "--info") {
        require_one_of("--info", value, info_parts);
        result_.info = std::move(value);
        act("--info", Action::info);
    } else if (name == "--multirun") {
        act("--multirun", Action::multirun);
    } else if (name == "--shell-completion") {
        value.erase(0, value.starts_with("install=") ? 8 : 0); // as Hydra has it
        require_one_of("--shell-completion", value, shells);
        result_.shell = std::move(value);
        act("--shell-completion", Action::completion_script);
    } else if (name == "--print-launch-command") {
        return; // a program that launches processes finds it among its arguments
    } else if (name == "--complete") {
        result_.completed_line = std::move(value);
        act("--complete", Action::completion_query);
    } else {
        part_of_something(name, std::move(value));
    }
}

AUDYN_INLINE void CommandLineParser::part_of_something(std::string_view name, std::string value) {
    if (name == "--job-folder") {
        result_.job.folder = std::move(value);
        return;
    }
    std::int64_t number = 0;
    const auto end = std::from_chars(value.data(), value.data() + value.size(), number);
    if (end.ec != std::errc() || end.ptr != value.data() + value.size()) {
        throw ConfigError(concat({name, " takes a number, not '", value, "'"}));
    }
    (name == "--job-number" ? result_.job.number : result_.job.start) = number;
}

AUDYN_INLINE void CommandLineParser::show(std::string what) {
    require_one_of("--cfg", what, shown_parts);
    if (what != "diff") {
        result_.shown = std::move(what);
        act("--cfg", Action::show_config);
        return;
    }
    while (result_.compared.size() < 2 && next_ + 1 < arguments_.size() && is_operand(arguments_[next_ + 1])) {
        result_.compared.push_back(arguments_[++next_]);
    }
    act("--cfg", Action::difference);
}

AUDYN_INLINE bool CommandLineParser::is_operand(const std::string& argument) {
    std::error_code code;
    return !argument.starts_with('-') && (!is_override(argument) || std::filesystem::exists(argument, code));
}

AUDYN_INLINE void CommandLineParser::require_one_of(std::string_view option, const std::string& value,
                                                    std::span<const std::string_view> known) {
    if (std::ranges::find(known, std::string_view(value)) != known.end()) {
        return;
    }
    std::vector<std::string> names(known.begin(), known.end());
    const std::string last = std::move(names.back());
    names.pop_back();
    throw ConfigError(concat({option, " takes ", join(names), " or ", last, ", not '", value, "'"}));
}

AUDYN_INLINE void CommandLineParser::act(std::string_view option, Action action) {
    const bool answers = action == Action::help || action == Action::version;
    const bool answered = result_.action == Action::help || result_.action == Action::version;
    if (answered || answers || result_.action == Action::run) {
        result_.action = answered ? result_.action : action;
        acted_by_ = answered ? acted_by_ : std::string(option);
    } else if (result_.action != action) {
        throw ConfigError(concat({acted_by_, " and ", option, " cannot be combined"}));
    }
}

AUDYN_INLINE void CommandLineParser::check() const {
    const bool shows = result_.action == Action::show_config || result_.action == Action::difference;
    const bool acts =
        result_.action == Action::run || result_.action == Action::multirun || result_.action == Action::info;
    if (acts && !shows && (result_.resolve || !result_.shown_package.empty())) {
        throw ConfigError(
            concat({std::string(result_.resolve ? "--resolve" : "--package"), " is for --cfg: add '--cfg job'"}));
    }
    if (result_.action == Action::difference && result_.compared.empty()) {
        throw ConfigError("--cfg diff needs one or two configurations: --cfg diff A [B], each the name of a "
                          "configuration, a file, a run's folder or a checkpoint");
    }
}

} // namespace audyn::config::detail
