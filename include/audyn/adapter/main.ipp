#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/constants.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/main.hpp>
#include <audyn/adapter/memory.hpp>
#include <audyn/adapter/optim.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/driver.hpp>
#include <audyn/core/inline.hpp>

#include <c10/util/Exception.h>

#include <exception>
#include <iostream>
#include <utility>

namespace audyn::adapter::detail {

AUDYN_INLINE void add_toolkit_targets(Targets& targets) {
    add_optim_targets(targets);
    add_criterion_targets(targets);
    add_data_targets(targets);
    add_trainer_targets(targets);
}

AUDYN_INLINE config::Program program(const std::shared_ptr<Targets>& targets) {
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

AUDYN_INLINE int run(int argc, const char* const* argv, Targets targets, const std::function<void(Config&)>& callback) {
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

} // namespace audyn::adapter::detail

namespace audyn {

AUDYN_INLINE int main(int argc, char** argv, adapter::Targets targets, const std::function<void(Config&)>& callback) {
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

} // namespace audyn
