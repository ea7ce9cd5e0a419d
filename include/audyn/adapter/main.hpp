#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/constants.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/memory.hpp>
#include <audyn/adapter/optim.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/command_line.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/driver.hpp>
#include <audyn/config/program.hpp>
#include <audyn/core/signals.hpp>

#include <c10/util/Exception.h>

#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace audyn {

namespace adapter::detail {

inline void add_toolkit_targets(Targets& targets) {
    add_optim_targets(targets);
    add_criterion_targets(targets);
    add_data_targets(targets);
    add_trainer_targets(targets);
}

/// What a training program brings to its command line.
[[nodiscard]] inline config::Program program(const std::shared_ptr<Targets>& targets) {
    config::Program program;
    program.resolvers = targets->resolvers();
    program.more_help = [targets] { return "Targets:\n" + targets->help(); };
    program.target_names = [targets] { return targets->names(); };
    program.stored_config = stored_config;
    program.is_dry_run = [](const Config& config) {
        return config.get_optional<bool>("train.fast_dev_run").value_or(false);
    };
    program.output_keys = {"train.output.exp_dir", "train.output.tensorboard_dir", "train.output.csv"};
    return program;
}

inline int run(int argc, const char* const* argv, Targets targets, const std::function<void(Config&)>& callback) {
    const config::CommandLine command_line = config::parse_command_line(argc, argv);
    Targets all;
    add_toolkit_targets(all);
    all.merge(std::move(targets));
    add_dtypes(all.resolvers());
    const auto shared = std::make_shared<Targets>(std::move(all));
    return config::run_program(command_line, program(shared), [&shared, &callback](Config& config) {
        config.attach(shared);
        callback(config);
    });
}

} // namespace adapter::detail

/// The body of a program's main: composes the configuration from the command line, answers --help, --version, --cfg and
/// --info, starts the jobs of --multirun, and otherwise makes the run's folder and calls `callback(config)`. An
/// exception ends the program with one message on the error stream and the exit code 1, or 128 + signal after a signal
/// for which the state was saved. `targets` adds to what `_target_` may name, and to resolvers and constants. Call it
/// first in main, before threads are started.
inline int main(int argc, char** argv, adapter::Targets targets, const std::function<void(Config&)>& callback) {
    adapter::keep_freed_memory();
    try {
        const int exit_code = adapter::detail::run(argc, argv, std::move(targets), callback);
        std::cout.flush();
        return exit_code;
    } catch (const Interrupted& end) {
        std::cerr << end.what() << '\n';
        return end.exit_code();
    } catch (const c10::Error& error) {
        // Its what() holds a stack dump.
        std::cerr << "error: " << error.what_without_backtrace() << '\n';
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
    }
    return 1;
}

/// The same for a program that adds nothing.
inline int main(int argc, char** argv, const std::function<void(Config&)>& callback) {
    return main(argc, argv, adapter::Targets(), callback);
}

} // namespace audyn
