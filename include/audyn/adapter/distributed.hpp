#pragma once

#include <audyn/config/config.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/launch.hpp>
#include <audyn/distributed/launch_options.hpp>
#include <audyn/distributed/machine.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace audyn::adapter {

/// The options that `system.distributed` holds; a key that is absent or null is not set.
/// \throws ConfigError which names the key and the place of a value that cannot be.
[[nodiscard]] AUDYN_INLINE distributed::LaunchOptions launch_options(const Config& config);

/// What this process is for. \throws ConfigError when the configuration contradicts the environment.
[[nodiscard]] AUDYN_INLINE distributed::Role role_of(const Config& config, const distributed::Environment& environment);

/// What `launch` needs to know beside the configuration.
struct LaunchContext {
    /// Those of main; the first is the program's name.
    std::vector<std::string> arguments;
    /// Of the linked libtorch, such as "2.13.0".
    std::string torch_version;
    /// How many GPUs this program can use on this machine.
    std::function<int64_t()> gpu_count = distributed::visible_gpus;
};

/// Starts the processes that the configuration asks for (see `distributed::launch`), or prints the command for it when
/// `--print-launch-command` is among the arguments. Nothing: go on and train; otherwise the exit code of the program.
/// All workers of a job have one time, in `${now:...}`. Call it before the run's folder is made, while there is one
/// thread only. \throws ConfigError, DistributedError
[[nodiscard]] AUDYN_INLINE std::optional<int> launch(const Config& config, const LaunchContext& context,
                                                     const distributed::Environment& environment);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/distributed.ipp>
#endif
