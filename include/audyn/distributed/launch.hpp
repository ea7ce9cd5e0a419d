#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/launch_options.hpp>
#include <audyn/distributed/machine.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace audyn::distributed {

/// What a process is for.
enum class Role {
    single,   ///< trains alone
    worker,   ///< trains as one of a job's processes
    launcher, ///< starts the workers of this machine
    torchrun, ///< becomes torchrun, which does so on several machines
};

/// What the options and the environment make of this process.
///
/// - Something started it as one of several: worker. `enable: false` is then an error.
/// - srun started it alone on each of several machines, and `nproc_per_node` asks for more: torchrun.
/// - The options ask for distributed training: launcher, or with several nodes torchrun.
/// - Else single.
///
/// \throws OptionError when options and environment contradict each other.
[[nodiscard]] AUDYN_INLINE Role role_of(const LaunchOptions& options, const Environment& environment);

/// What `launch` needs to know of a program.
struct LaunchRequest {
    LaunchOptions options;
    /// Those of main; the first is the program's name.
    std::vector<std::string> arguments;
    /// Added to those of each worker that the built-in launcher starts.
    std::vector<std::string> worker_arguments;
    /// Only print the command: `--print-launch-command`, which is taken out of the arguments.
    bool print_only = false;
    /// Training uses GPUs: without `nproc_per_node` there is one process for each.
    bool uses_gpus = false;
    std::function<int64_t()> gpu_count = visible_gpus;
    /// Of the linked libtorch, such as "2.13.0".
    std::string torch_version;
};

/// The option of the command line that `LaunchRequest::print_only` stands for.
inline constexpr const char* print_option = "--print-launch-command";

/// Number of processes on this machine: `nproc_per_node`, else one for each GPU or for every two cores, at least one.
[[nodiscard]] AUDYN_INLINE int64_t process_count(const LaunchRequest& request);

/// The command that `launch` runs, or stands for: torchrun's, or the program's own where one process trains.
[[nodiscard]] AUDYN_INLINE std::vector<std::string> launch_command(const LaunchRequest& request);

/// Starts the processes of a job where it is on this one to do so; what a program calls before it trains, while there
/// is one thread only. Nothing: go on and train, as `role_of` says alone or as a worker. Otherwise the job is over, or
/// the command was printed, and this is the exit code. \throws OptionError, DistributedError
[[nodiscard]] AUDYN_INLINE std::optional<int> launch(LaunchRequest request, const Environment& environment);

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/launch.ipp>
#endif
