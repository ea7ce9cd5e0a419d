#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/process_group.hpp>
#include <audyn/distributed/ranks.hpp>

namespace audyn::distributed {

AUDYN_INLINE const std::shared_ptr<ProcessGroup>& process_group() {
    return detail::process_group;
}

AUDYN_INLINE int64_t rank() {
    return detail::process_group ? detail::process_group->rank() : 0;
}
AUDYN_INLINE int64_t world_size() {
    return detail::process_group ? detail::process_group->world_size() : 1;
}
AUDYN_INLINE int64_t local_rank() {
    return detail::process_group ? detail::process_group->local_rank() : 0;
}
AUDYN_INLINE bool is_main_process() {
    return rank() == 0;
}

AUDYN_INLINE void all_reduce(at::Tensor& tensor, ReduceOp op) {
    if (detail::process_group) {
        detail::process_group->all_reduce(tensor, op);
    }
}
AUDYN_INLINE std::vector<at::Tensor> all_gather(const at::Tensor& tensor) {
    return detail::process_group ? detail::process_group->all_gather(tensor) : std::vector<at::Tensor>{tensor.detach()};
}
AUDYN_INLINE void broadcast(at::Tensor& tensor, int64_t source) {
    if (detail::process_group) {
        detail::process_group->broadcast(tensor, source);
    }
}
AUDYN_INLINE void barrier(std::optional<std::chrono::milliseconds> timeout) {
    if (detail::process_group) {
        detail::process_group->barrier(timeout);
    }
}

} // namespace audyn::distributed
