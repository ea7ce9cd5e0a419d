#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace audyn::distributed {

/// DistPolicy of a training in one process: nothing between ranks, and nothing in the compiled step.
class SingleProcess {
public:
    static constexpr bool enabled = false;

    [[nodiscard]] static constexpr int64_t rank() { return 0; }
    [[nodiscard]] static constexpr int64_t world_size() { return 1; }
    [[nodiscard]] static constexpr int64_t local_rank() { return 0; }
    [[nodiscard]] static constexpr bool is_main_process() { return true; }

    /// The model itself: both holders share one module.
    template <class Model>
    [[nodiscard]] Model wrap(Model model) const {
        return model;
    }

    struct NoSync {};
    [[nodiscard]] static constexpr NoSync no_sync() { return {}; }

    static void all_reduce_sum(at::Tensor& /*tensor*/) {}
    static void broadcast(at::Tensor& /*tensor*/, int64_t /*source*/ = 0) {}
    [[nodiscard]] static std::vector<at::Tensor> all_gather(const at::Tensor& tensor) { return {tensor}; }
    static void barrier(std::chrono::milliseconds /*timeout*/ = {}) {}
};

} // namespace audyn::distributed
