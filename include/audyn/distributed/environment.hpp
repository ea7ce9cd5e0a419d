#pragma once

#include <cstdint>

namespace audyn::distributed {

/// Where a process stands in its job.
struct Environment {
    /// Number of this process among all of the job, from 0.
    int64_t rank = 0;
    /// Number of processes of the job.
    int64_t world_size = 1;
    /// Number of this process among those of its machine, from 0.
    int64_t local_rank = 0;

    [[nodiscard]] bool is_main_process() const { return rank == 0; }
};

} // namespace audyn::distributed
