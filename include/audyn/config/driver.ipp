#pragma once

#include <audyn/config/driver.hpp>
#include <audyn/config/info.hpp>
#include <audyn/config/multirun.hpp>
#include <audyn/config/run_folder.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <utility>

namespace audyn::config::detail {

AUDYN_INLINE std::string mode_of(const Config& config) {
    const Config mode = config.hydra().at("mode");
    if (mode.is_null()) {
        return "";
    }
    const std::string name = mode.as<std::string>();
    if (name != "RUN" && name != "MULTIRUN") {
        throw mode.error_unknown("mode", name, {"RUN", "MULTIRUN"});
    }
    return name;
}

AUDYN_INLINE bool values_are_a_sweep(const CommandLine& command_line, const Program& program) {
    try {
        const bool several = std::ranges::any_of(
            command_line.overrides, [](const std::string& text) { return parse_override(text).is_sweep(); });
        ComposeOptions options;
        options.sweep = true;
        return several && mode_of(compose_from_command_line(command_line, program, options)) == "MULTIRUN";
    } catch (const ConfigError&) {
        return false; // composing it as a plain run tells the mistakes
    }
}

AUDYN_INLINE void print_warnings(const Config& config) {
    for (const std::string& warning : config.warnings()) {
        std::cerr << "warning: " << warning << '\n';
    }
}

AUDYN_INLINE std::string answer(const CommandLine& command_line, const Program& program) {
    switch (command_line.action) {
    case CommandLine::Action::version:
        return version_text(command_line, program);
    case CommandLine::Action::help:
        return help_text(command_line, program);
    case CommandLine::Action::info:
        return info_text(command_line, program);
    case CommandLine::Action::difference:
        return difference_text(command_line, program);
    case CommandLine::Action::completion_script:
        return completion_script(command_line);
    case CommandLine::Action::completion_query:
        return completion_answer(command_line, program);
    default:
        break;
    }
    const Config config = compose_from_command_line(command_line, program);
    print_warnings(config);
    return config_text(command_line, config);
}

AUDYN_INLINE void run_once(const CommandLine& command_line, const Program& program, Config config,
                           const std::function<void(Config&)>& callback) {
    if (!command_line.job.is_part()) {
        print_warnings(config);
    }
    if (command_line.job.number) {
        set_job_number(config, *command_line.job.number);
    }
    const std::filesystem::path folder =
        command_line.job.folder ? std::filesystem::path(*command_line.job.folder) : output_folder(config);
    enter_run_folder(config, folder, program.run_folder ? program.run_folder(config) : RunFolder::record);
    callback(config);
}

AUDYN_INLINE void note_mode(const Config& config) {
    Config hydra = config.hydra();
    Value overrides = hydra.at("overrides.hydra").to_value();
    overrides.append(Value("hydra.mode=RUN"));
    hydra.set("overrides.hydra", std::move(overrides));
    hydra.set("mode", Value("RUN"));
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE int run_program(const CommandLine& command_line, const Program& program,
                             const std::function<void(Config&)>& callback) {
    using Action = CommandLine::Action;
    if (command_line.action != Action::run && command_line.action != Action::multirun) {
        std::cout << detail::answer(command_line, program) << std::flush;
        return 0;
    }
    const bool is_job = command_line.job.number.has_value();
    if (command_line.action == Action::multirun || (!is_job && detail::values_are_a_sweep(command_line, program))) {
        return run_sweep(command_line, program);
    }
    Config config = compose_from_command_line(command_line, program);
    const std::string mode = detail::mode_of(config);
    if (!is_job && mode == "MULTIRUN") {
        return run_sweep(command_line, program);
    }
    if (mode.empty()) {
        detail::note_mode(config);
    }
    if (program.before_run) {
        if (const std::optional<int> exit_code = program.before_run(config)) {
            return *exit_code;
        }
    }
    detail::run_once(command_line, program, std::move(config), callback);
    return 0;
}

} // namespace audyn::config
