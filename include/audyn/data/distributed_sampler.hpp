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

/// What becomes of samples, or batches, that do not divide evenly among the processes.
enum class UnevenShares {
    /// Some are repeated, from the start of the order: Python's `drop_last=False`.
    pad,
    /// The last are left out: Python's `drop_last=True`.
    drop,
    /// Some processes get one less: for validation, where each counts once and no step waits for others.
    keep,
};

/// Options of `DistributedSampler` and `DistributedBatchSampler`.
struct DistributedSamplerOptions {
    int64_t rank = 0;
    int64_t world_size = 1;
    UnevenShares uneven = UnevenShares::pad;
    /// Leaves out this process's last batch when it is smaller; of `DistributedSampler`.
    bool drop_last = false;
};

/// Batches of `batch_size` from this process's share of the order: positions rank, rank + world_size, ... of what is
/// left of it, as Python's `DistributedSampler`. Its position counts in the order of the whole job, so that another
/// number of processes can go on from it.
class DistributedSampler final : public BatchSampler {
public:
    /// \throws UsageError when batch_size is not positive, or rank and world_size are impossible.
    DistributedSampler(std::shared_ptr<Sampler> sampler, int64_t batch_size, const DistributedSamplerOptions& options);

    [[nodiscard]] int64_t size() const override { return batches_of(share_of(sampler_->size())); }
    void set_epoch(int64_t epoch) override { sampler_->set_epoch(epoch); }

    [[nodiscard]] AUDYN_INLINE BatchPlan plan(int64_t consumed_samples) const override;

    [[nodiscard]] StateDict state_dict() const override { return sampler_->state_dict(); }
    void load_state_dict(const StateDict& state) override { sampler_->load_state_dict(state); }

private:
    [[nodiscard]] Shard shard() const;

    [[nodiscard]] int64_t share_of(int64_t samples) const;

    [[nodiscard]] at::Tensor kept(const at::Tensor& order, int64_t consumed) const;

    [[nodiscard]] int64_t batches_of(int64_t samples) const;

    std::shared_ptr<Sampler> sampler_;
    int64_t batch_size_;
    DistributedSamplerOptions options_;
};

/// Deals the batches of any batch sampler, which plans for the whole job, to the processes in turn: batches rank,
/// rank + world_size, ... of what is left. For batches that are more than pieces of an order, for example of similar
/// length.
class DistributedBatchSampler final : public BatchSampler {
public:
    /// \throws UsageError when rank and world_size are impossible.
    DistributedBatchSampler(std::shared_ptr<BatchSampler> batches, const DistributedSamplerOptions& options);

    [[nodiscard]] int64_t size() const override { return share_of(batches_->size()); }
    void set_epoch(int64_t epoch) override { batches_->set_epoch(epoch); }

    [[nodiscard]] AUDYN_INLINE BatchPlan plan(int64_t consumed_samples) const override;

    [[nodiscard]] StateDict state_dict() const override { return batches_->state_dict(); }
    void load_state_dict(const StateDict& state) override { batches_->load_state_dict(state); }

private:
    [[nodiscard]] int64_t share_of(int64_t batches) const;

    std::shared_ptr<BatchSampler> batches_;
    DistributedSamplerOptions options_;
};

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/distributed_sampler.ipp>
#endif
