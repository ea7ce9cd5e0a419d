#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/constants.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/distributed.hpp>
#include <audyn/adapter/main.hpp>
#include <audyn/adapter/memory.hpp>
#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/optim.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/driver.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/launch.hpp>
#include <audyn/distributed/process_group.hpp>

#include <c10/util/Exception.h>
#include <torch/version.h>

#include <ctime>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

namespace audyn::adapter::detail {

AUDYN_INLINE void add_toolkit_targets(Targets& targets) {
    add_optim_targets(targets);
    add_scheduler_targets(targets);
    add_moving_average_targets(targets);
    add_criterion_targets(targets);
    add_data_targets(targets);
    add_trainer_targets(targets);
}

/// How the processes meet, by `system.distributed` and the device.
AUDYN_INLINE distributed::ProcessGroupOptions process_group_options(const Config& config) {
    const distributed::LaunchOptions launch = launch_options(config);
    distributed::ProcessGroupOptions options;
    options.init_method = launch.init_method.value_or(options.init_method);
    options.timeout = launch.timeout;
    if (launch.backend) {
        options.backend = *launch.backend == "nccl" ? distributed::Backend::nccl : distributed::Backend::gloo;
    }
    const auto accelerator = config.get_optional<std::string>("system.accelerator");
    if (accelerator == "cuda" || accelerator == "gpu") {
        options.device = c10::DeviceType::CUDA;
    }
    return options;
}

/// Meets the other processes; all of them then have rank 0's time in `${now:...}`, and so its folders.
AUDYN_INLINE void join_job(config::CommandLine& command_line, const config::Program& program, Config& config,
                           const distributed::Environment& environment) {
    distributed::ProcessGroupOptions options = process_group_options(config);
    options.environment = environment;
    distributed::ProcessGroup& group = distributed::init_process_group(options);
    if (command_line.job.start) {
        return;
    }
    command_line.job.start = std::stoll(group.broadcast_text(std::to_string(std::time(nullptr))));
    config = config::compose_from_command_line(command_line, program);
}

AUDYN_INLINE config::Program program(const std::shared_ptr<Targets>& targets) {
    config::Program program;
    program.resolvers = targets->resolvers();
    program.more_help = [targets] { return "Targets:\n" + targets->help(); };
    program.target_names = [targets] { return targets->names(); };
    program.stored_config = stored_config;
    program.is_dry_run = [](const Config& config) {
        // Only rank 0 writes.
        return config.get_optional<bool>("train.fast_dev_run").value_or(false) || !distributed::is_main_process();
    };
    program.output_keys = {"train.output.exp_dir", "train.output.tensorboard_dir", "train.output.csv"};
    return program;
}

AUDYN_INLINE int run(int argc, const char* const* argv, Targets targets, const std::function<void(Config&)>& callback) {
    config::CommandLine command_line = config::parse_command_line(argc, argv);
    Targets all;
    add_toolkit_targets(all);
    all.merge(std::move(targets));
    add_dtypes(all.resolvers());
    const auto shared = std::make_shared<Targets>(std::move(all));
    config::Program whole = program(shared);
    whole.before_run = [&](Config& config) {
        const distributed::Environment environment = distributed::Environment::detect();
        LaunchContext context;
        context.arguments = {argv, argv + argc};
        context.torch_version = TORCH_VERSION;
        if (!environment.is_worker() && launch_options(config).is_enabled()) {
            config::detail::print_warnings(config); // The workers are part of something, and silent.
        }
        const std::optional<int> exit_code = launch(config, context, environment);
        if (!exit_code && role_of(config, environment) == distributed::Role::worker) {
            join_job(command_line, whole, config, environment);
        }
        return exit_code;
    };
    return config::run_program(command_line, whole, [&shared, &callback](Config& config) {
        config.attach(shared);
        callback(config);
    });
}

} // namespace audyn::adapter::detail

namespace audyn {

AUDYN_INLINE int main(int argc, char** argv, adapter::Targets targets, const std::function<void(Config&)>& callback) {
    adapter::keep_freed_memory();
    int exit_code = 1;
    try {
        exit_code = adapter::detail::run(argc, argv, std::move(targets), callback);
        std::cout.flush();
    } catch (const Interrupted& end) {
        std::cerr << end.what() << '\n';
        exit_code = end.exit_code();
    } catch (const std::exception& error) {
        std::cerr << "error: " << distributed::report_failure(error) << '\n';
    }
    distributed::destroy_process_group();
    return exit_code;
}

} // namespace audyn
