#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/sampler.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace audyn::data {

/// One batch of a plan.
struct PlannedBatch {
    /// Its samples are [begin, end) of the plan's indices.
    int64_t begin = 0;
    int64_t end = 0;
    /// Samples of the epoch that the whole job has consumed with this batch.
    int64_t consumed_samples = 0;
};

/// What one process reads in (the rest of) an epoch.
struct BatchPlan {
    /// int64, contiguous.
    at::Tensor indices;
    std::vector<PlannedBatch> batches;

    [[nodiscard]] std::span<const int64_t> samples(const PlannedBatch& batch) const;
};

/// Groups the samples of an epoch into batches.
class BatchSampler {
public:
    BatchSampler() = default;
    BatchSampler(const BatchSampler&) = delete;
    BatchSampler& operator=(const BatchSampler&) = delete;
    virtual ~BatchSampler() = default;

    /// Number of this process's batches in a whole epoch.
    [[nodiscard]] virtual int64_t size() const = 0;

    /// Chooses the epoch (0-based) that `plan` plans.
    virtual void set_epoch(int64_t epoch) = 0;

    /// The epoch after the whole job has read its first `consumed_samples` samples.
    [[nodiscard]] virtual BatchPlan plan(int64_t consumed_samples) const = 0;

    /// What decides the batches beside the epoch. Part of a checkpoint.
    [[nodiscard]] virtual StateDict state_dict() const { return {}; }
    /// \throws StateError
    virtual void load_state_dict(const StateDict&) {}
};

/// Batches of `batch_size` samples each; Python's `BatchSampler`. The last may be smaller, unless `drop_last`.
class FixedSizeBatchSampler : public BatchSampler {
public:
    /// \throws UsageError when batch_size is not positive or the shard is impossible.
    FixedSizeBatchSampler(std::shared_ptr<Sampler> sampler, int64_t batch_size, bool drop_last = false,
                          Shard shard = {});

    [[nodiscard]] int64_t size() const override { return batches_of(shard_.size(sampler_->size())); }

    void set_epoch(int64_t epoch) override { sampler_->set_epoch(epoch); }

    [[nodiscard]] AUDYN_INLINE BatchPlan plan(int64_t consumed_samples) const override;

    [[nodiscard]] StateDict state_dict() const override { return sampler_->state_dict(); }
    void load_state_dict(const StateDict& state) override { sampler_->load_state_dict(state); }

private:
    [[nodiscard]] int64_t batches_of(int64_t samples) const;

    std::shared_ptr<Sampler> sampler_;
    int64_t batch_size_;
    bool drop_last_;
    Shard shard_;
};

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/batch_sampler.ipp>
#endif
