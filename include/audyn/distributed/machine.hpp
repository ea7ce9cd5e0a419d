#pragma once

#include <audyn/core/inline.hpp>

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace audyn::distributed {

namespace detail {

/// From a file such as cgroup's cpu.max, "200000 100000": how many cores' time may be used; 0 for no limit.
[[nodiscard]] AUDYN_INLINE int64_t core_quota(const std::filesystem::path& file);

/// How many entries of the folder have a name that is `start` and digits; an empty `start` counts all.
[[nodiscard]] AUDYN_INLINE int64_t count_entries(const std::filesystem::path& folder, std::string_view start);

/// From CUDA_VISIBLE_DEVICES: the devices up to the first that is none.
[[nodiscard]] AUDYN_INLINE int64_t listed_gpus(std::string_view list);

} // namespace detail

/// Number of cores that this process may use: those it is bound to, or less where its control group has less time.
[[nodiscard]] AUDYN_INLINE int64_t available_cores();

/// Number of NVIDIA GPUs that a program would see, without loading CUDA: CUDA_VISIBLE_DEVICES where it is set, else the
/// devices of this machine or container.
[[nodiscard]] AUDYN_INLINE int64_t visible_gpus();

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/machine.ipp>
#endif
