#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/batch_sampler.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace audyn::data {

AUDYN_INLINE std::span<const int64_t> BatchPlan::samples(const PlannedBatch& batch) const {
    return {indices.const_data_ptr<int64_t>() + batch.begin, static_cast<std::size_t>(batch.end - batch.begin)};
}

AUDYN_INLINE FixedSizeBatchSampler::FixedSizeBatchSampler(std::shared_ptr<Sampler> sampler, int64_t batch_size,
                                                          bool drop_last, Shard shard)
    : sampler_(std::move(sampler)), batch_size_(batch_size), drop_last_(drop_last), shard_(shard) {
    shard_.check();
    if (batch_size_ < 1) {
        throw UsageError("batch_size must be at least 1, got " + std::to_string(batch_size_));
    }
}

AUDYN_INLINE BatchPlan FixedSizeBatchSampler::plan(int64_t consumed_samples) const {
    const at::Tensor order = sampler_->indices();
    BatchPlan plan;
    plan.indices = shard_.indices(order, consumed_samples);
    const int64_t samples = plan.indices.numel();
    const int64_t batches = batches_of(samples);
    plan.batches.reserve(static_cast<std::size_t>(batches));
    for (int64_t begin = 0; begin < batches * batch_size_; begin += batch_size_) {
        const int64_t end = std::min(begin + batch_size_, samples);
        plan.batches.push_back({begin, end, std::min(consumed_samples + end * shard_.world_size, order.numel())});
    }
    return plan;
}

AUDYN_INLINE int64_t FixedSizeBatchSampler::batches_of(int64_t samples) const {
    return drop_last_ ? samples / batch_size_ : (samples + batch_size_ - 1) / batch_size_;
}

} // namespace audyn::data
