#pragma once

#include <audyn/adapter/constants.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/memory.hpp>
#include <audyn/adapter/optim.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/command_line.hpp>
#include <audyn/config/config.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/core/version.hpp>

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

inline void run(int argc, const char* const* argv, Targets targets, const std::function<void(Config&)>& callback) {
    const config::CommandLine command_line = config::parse_command_line(argc, argv);
    Targets all;
    add_toolkit_targets(all);
    all.merge(std::move(targets));
    add_dtypes(all.resolvers());
    const auto shared = std::make_shared<Targets>(std::move(all));
    config::Program program;
    program.resolvers = shared->resolvers();
    program.more_help = [shared] { return "Targets:\n" + shared->help(); };
    using Action = config::CommandLine::Action;
    if (command_line.action == Action::version) {
        std::cout << config::version_text(command_line, program);
        return;
    }
    if (command_line.action == Action::help) {
        std::cout << config::help_text(command_line, program);
        return;
    }
    Config config = config::compose_from_command_line(command_line, program);
    for (const std::string& warning : config.warnings()) {
        std::cerr << "warning: " << warning << '\n';
    }
    if (command_line.action == Action::show_config) {
        std::cout << config::config_text(command_line, config);
        return;
    }
    config.attach(shared);
    callback(config);
}

} // namespace adapter::detail

/// The body of a program's main: composes the configuration from the command line, answers --help, --version and --cfg,
/// and otherwise calls `callback(config)`. An exception ends the program with one message on the error stream and the
/// exit code 1, or 128 + signal after a signal for which the state was saved. `targets` adds to what `_target_` may
/// name, and to resolvers and constants. Call it first in main, before threads are started.
inline int main(int argc, char** argv, adapter::Targets targets, const std::function<void(Config&)>& callback) {
    adapter::keep_freed_memory();
    try {
        adapter::detail::run(argc, argv, std::move(targets), callback);
        std::cout.flush();
        return 0;
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
