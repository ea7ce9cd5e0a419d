#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/reduce_op.hpp>

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace audyn::distributed {

class ProcessGroup;

/// The process's group, or nothing outside a distributed run.
[[nodiscard]] AUDYN_INLINE const std::shared_ptr<ProcessGroup>& process_group();

// Without a group, a process is rank 0 of 1 and collectives change nothing.

[[nodiscard]] AUDYN_INLINE int64_t rank();
[[nodiscard]] AUDYN_INLINE int64_t world_size();
[[nodiscard]] AUDYN_INLINE int64_t local_rank();
[[nodiscard]] AUDYN_INLINE bool is_main_process();

/// As `ProcessGroup::all_reduce`.
AUDYN_INLINE void all_reduce(at::Tensor& tensor, ReduceOp op = ReduceOp::sum);
/// As `ProcessGroup::all_gather`.
[[nodiscard]] AUDYN_INLINE std::vector<at::Tensor> all_gather(const at::Tensor& tensor);
/// As `ProcessGroup::broadcast`.
AUDYN_INLINE void broadcast(at::Tensor& tensor, int64_t source = 0);
/// As `ProcessGroup::barrier`.
AUDYN_INLINE void barrier(std::optional<std::chrono::milliseconds> timeout = {});

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/ranks.ipp>
#endif
