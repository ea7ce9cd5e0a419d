#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/batch_sampler.hpp>
#include <audyn/data/sampler.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace audyn::data {

/// Deals the batches of any batch sampler, which plans for the whole job, to the processes in turn: batches rank,
/// rank + world_size, ... of what is left. For batches that are more than pieces of an order, for example of similar
/// length.
class DistributedBatchSampler final : public BatchSampler {
public:
    /// \throws UsageError when rank and world_size are impossible.
    DistributedBatchSampler(std::shared_ptr<BatchSampler> batches, const Shard& shard);

    [[nodiscard]] int64_t size() const override { return shard_.size(batches_->size()); }
    void set_epoch(int64_t epoch) override { batches_->set_epoch(epoch); }

    [[nodiscard]] AUDYN_INLINE BatchPlan plan(int64_t consumed_samples) const override;

    [[nodiscard]] StateDict state_dict() const override { return batches_->state_dict(); }
    void load_state_dict(const StateDict& state) override { batches_->load_state_dict(state); }

private:
    std::shared_ptr<BatchSampler> batches_;
    Shard shard_;
};

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/distributed_batch_sampler.ipp>
#endif
