#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/distributed_batch_sampler.hpp>

namespace audyn::data {

AUDYN_INLINE DistributedBatchSampler::DistributedBatchSampler(std::shared_ptr<BatchSampler> batches, const Shard& shard)
    : batches_(std::move(batches)), shard_(shard) {
    shard_.check();
}

AUDYN_INLINE BatchPlan DistributedBatchSampler::plan(int64_t consumed_samples) const {
    const BatchPlan whole = batches_->plan(consumed_samples);
    const auto count = static_cast<int64_t>(whole.batches.size());
    BatchPlan plan;
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < shard_.size(count); ++i) {
        const int64_t first = i * shard_.world_size;
        const auto& batch = whole.batches[static_cast<std::size_t>((first + shard_.rank) % count)];
        const auto& last = whole.batches[static_cast<std::size_t>(std::min(first + shard_.world_size, count) - 1)];
        const auto samples = whole.samples(batch);
        const auto begin = static_cast<int64_t>(indices.size());
        indices.insert(indices.end(), samples.begin(), samples.end());
        plan.batches.push_back({begin, static_cast<int64_t>(indices.size()), last.consumed_samples});
    }
    plan.indices = at::empty({static_cast<int64_t>(indices.size())}, at::kLong);
    std::copy(indices.begin(), indices.end(), plan.indices.mutable_data_ptr<int64_t>());
    return plan;
}

} // namespace audyn::data
