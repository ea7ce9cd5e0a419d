#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/launch.hpp>
#include <audyn/distributed/launcher.hpp>
#include <audyn/distributed/torchrun.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <tuple>

namespace audyn::distributed {

AUDYN_INLINE Role role_of(const LaunchOptions& options, const Environment& environment) {
    if (environment.is_worker()) {
        const std::string count = std::to_string(environment.world_size);
        if (options.enable == false && environment.world_size > 1) {
            throw OptionError("enable", config::concat({"is false, but ", to_string(environment.started_by),
                                                        " started this program as one of ", count,
                                                        " processes, which would all write the same files; choose "
                                                        "system=cpu_ddp or system=cuda_ddp"}));
        }
        const bool is_alone_on_node = environment.started_by == StartedBy::slurm && environment.local_world_size == 1 &&
                                      environment.nodes == environment.world_size;
        if (is_alone_on_node && options.nproc_per_node.value_or(1) > 1) {
            if (options.nodes.value_or(environment.nodes) != environment.nodes) {
                throw OptionError("nodes", config::concat({"is ", std::to_string(options.node_count()),
                                                           ", but srun started this program on ",
                                                           std::to_string(environment.nodes), " machines"}));
            }
            return Role::torchrun;
        }
        return options.enable == false ? Role::single : Role::worker;
    }
    if (!options.is_enabled()) {
        return Role::single;
    }
    return options.node_count() > 1 ? Role::torchrun : Role::launcher;
}

AUDYN_INLINE int64_t process_count(const LaunchRequest& request) {
    if (request.options.nproc_per_node) {
        return *request.options.nproc_per_node;
    }
    return std::max<int64_t>(1, request.uses_gpus ? request.gpu_count() : available_cores() / 2);
}

namespace detail {

/// The name by which torchrun finds this program: as it was called, where that is a file's name.
[[nodiscard]] inline std::string program_name(const std::string& called) {
    std::error_code code;
    if (called.find('/') != std::string::npos && std::filesystem::equivalent(called, "/proc/self/exe", code)) {
        return called;
    }
    const auto file = std::filesystem::read_symlink("/proc/self/exe", code);
    return code ? called : file.string();
}

[[nodiscard]] inline std::vector<std::string> program_arguments(const LaunchRequest& request) {
    std::vector<std::string> arguments = request.arguments;
    std::erase(arguments, print_option);
    return arguments;
}

inline void check_options(const LaunchOptions& options) {
    for (const auto& [name, value, least] : {std::tuple("nodes", options.node_count(), 1),
                                             std::tuple("nproc_per_node", options.nproc_per_node.value_or(1), 1),
                                             std::tuple("max_restarts", options.max_restarts, 0),
                                             std::tuple("node_rank", options.node_rank.value_or(0), 0)}) {
        if (value < least) {
            throw OptionError(
                name, config::concat({"must be at least ", std::to_string(least), ", not ", std::to_string(value)}));
        }
    }
}

} // namespace detail

AUDYN_INLINE std::vector<std::string> launch_command(const LaunchRequest& request) {
    std::vector<std::string> arguments = detail::program_arguments(request);
    arguments[0] = detail::program_name(arguments[0]);
    return request.options.is_enabled() ? torchrun_command(request.options, process_count(request), arguments)
                                        : arguments;
}

AUDYN_INLINE std::optional<int> launch(LaunchRequest request, const Environment& environment) {
    detail::check_options(request.options);
    if (request.print_only) {
        std::cout << shell_command(launch_command(request)) << std::endl;
        return 0;
    }
    const Role role = role_of(request.options, environment);
    if (role == Role::torchrun) {
        request.options.nodes = request.options.nodes ? request.options.nodes : environment.nodes;
        request.options.enable = true;
        execute_torchrun(launch_command(request), request.torch_version);
    }
    if (role != Role::launcher) {
        return std::nullopt;
    }
    LaunchJob job;
    job.arguments = detail::program_arguments(request);
    job.arguments.insert(job.arguments.end(), request.worker_arguments.begin(), request.worker_arguments.end());
    job.nproc = process_count(request);
    job.options = request.options;
    return run_workers(job);
}

} // namespace audyn::distributed
