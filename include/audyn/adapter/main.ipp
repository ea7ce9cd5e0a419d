#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/constants.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/distributed.hpp>
#include <audyn/adapter/main.hpp>
#include <audyn/adapter/memory.hpp>
#include <audyn/adapter/metrics.hpp>
#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/optimizer_factory.hpp>
#include <audyn/adapter/optimizers.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/driver.hpp>
#include <audyn/config/emit.hpp>
#include <audyn/config/yaml.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/launch.hpp>
#include <audyn/distributed/process_group.hpp>

#include <c10/util/Exception.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

namespace audyn::adapter::detail {

AUDYN_INLINE void add_toolkit_targets(Targets& targets) {
    add_optimizers(targets);
    add_scheduler_targets(targets);
    add_moving_average_targets(targets);
    add_criterion_targets(targets);
    add_metric_targets(targets);
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

/// `values`, with the own locations where nothing differs.
AUDYN_INLINE config::Value with_locations(const config::Value& values, const config::Value& own) {
    if (config::emit_yaml(values) == config::emit_yaml(own)) {
        return own;
    }
    if (!values.is_dict() || !own.is_dict()) {
        return values;
    }
    config::Value result = config::Value::dict();
    for (const config::Value::Entry& entry : values.entries()) {
        const config::Value* const known = own.find(entry.key.text());
        result.set(entry.key, known != nullptr ? with_locations(*entry.value, *known) : *entry.value);
    }
    return result;
}

/// Takes rank 0's configuration where the own one differs: files and variables of machines may.
AUDYN_INLINE void share_config(Config& config, distributed::ProcessGroup& group) {
    const std::string own = config.root().to_yaml();
    const std::string text = group.broadcast_text(own);
    if (text == own) {
        return;
    }
    std::cerr << "warning: rank " << group.rank()
              << " was given another configuration than rank 0, whose configuration holds for all\n";
    const auto source = std::make_shared<const config::Source>(
        config::Source{config::Origin::file, "the configuration of rank 0", text, nullptr});
    config::Value values = with_locations(config::parse_yaml(source), config.root().to_value());
    config = Config(std::move(values), config.environment());
}

/// Meets the other processes. All of them then have rank 0's configuration, and its time in `${now:...}`, so its
/// folders.
AUDYN_INLINE void join_job(config::CommandLine& command_line, const config::Program& program, Config& config,
                           const distributed::Environment& environment) {
    distributed::ProcessGroupOptions options = process_group_options(config);
    options.environment = environment;
    distributed::ProcessGroup& group = distributed::init_process_group(options);
    if (!command_line.job.start) {
        command_line.job.start = std::stoll(group.broadcast_text(std::to_string(std::time(nullptr))));
        config = config::compose_from_command_line(command_line, program);
    }
    share_config(config, group);
}

AUDYN_INLINE config::Program program(const std::shared_ptr<Targets>& targets) {
    config::Program program;
    program.resolvers = targets->resolvers();
    program.more_help = [targets] { return "Targets:\n" + targets->help(); };
    program.target_names = [targets] { return targets->names(); };
    program.stored_config = stored_config;
    program.run_folder = [](const Config& config) {
        if (config.get_optional<bool>("train.fast_dev_run").value_or(false)) {
            return config::RunFolder::none;
        }
        return distributed::is_main_process() ? config::RunFolder::record : config::RunFolder::share;
    };
    program.output_keys = {"train.output.exp_dir", "train.output.tensorboard_dir", "train.output.csv"};
    return program;
}

/// `Commands: train (default), validate`, and nothing where there is no choice.
AUDYN_INLINE std::string commands_help(const std::vector<Command>& commands) {
    std::string text;
    for (const Command& command : commands) {
        text += (text.empty() ? "Commands, the first argument: " : ", ") + command.name +
                (text.empty() ? " (default)" : "");
    }
    return commands.size() > 1 ? text + "\n\n" : "";
}

AUDYN_INLINE int run(int argc, const char* const* argv, Targets targets, const std::vector<Command>& commands) {
    config::CommandLine command_line = config::parse_command_line(argc, argv);
    Targets all;
    add_toolkit_targets(all);
    all.merge(std::move(targets));
    add_dtypes(all.resolvers());
    const auto shared = std::make_shared<Targets>(std::move(all));
    config::Program whole = program(shared);
    for (const Command& command : commands) {
        whole.commands.push_back(command.name);
    }
    whole.more_help = [shared, text = commands_help(commands)] { return text + "Targets:\n" + shared->help(); };
    config::take_command(command_line, whole);
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
    const auto command = std::find_if(commands.begin(), commands.end(),
                                      [&](const Command& one) { return one.name == command_line.command; });
    return config::run_program(command_line, whole, [&](Config& config) {
        config.attach(shared);
        if (config.hydra().get_optional<bool>("verbose").value_or(false)) {
            ::setenv("LOGLEVEL", "DEBUG", 0);
        }
        (command != commands.end() ? *command : commands.front()).run(config);
    });
}

} // namespace audyn::adapter::detail

namespace audyn {

AUDYN_INLINE int main(int argc, char** argv, adapter::Targets targets, const std::function<void(Config&)>& callback) {
    return main(argc, argv, std::move(targets), std::vector<Command>{{"", callback}});
}

AUDYN_INLINE int main(int argc, char** argv, adapter::Targets targets, const std::vector<Command>& commands) {
    adapter::keep_freed_memory();
    int exit_code = 1;
    try {
        exit_code = adapter::detail::run(argc, argv, std::move(targets), commands);
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
