#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/batch_sampler.hpp>
#include <audyn/data/distributed_sampler.hpp>
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

AUDYN_INLINE DistributedSampler::DistributedSampler(std::shared_ptr<Sampler> sampler, int64_t batch_size,
                                                    const DistributedSamplerOptions& options)
    : sampler_(std::move(sampler)), batch_size_(batch_size), options_(options) {
    shard().check();
    if (batch_size_ < 1) {
        throw UsageError("batch_size must be at least 1, got " + std::to_string(batch_size_));
    }
}

AUDYN_INLINE BatchPlan DistributedSampler::plan(int64_t consumed_samples) const {
    const at::Tensor order = sampler_->indices();
    const int64_t total = order.numel();
    const int64_t consumed = std::min(consumed_samples, total);
    BatchPlan plan;
    plan.indices = options_.uneven == UnevenShares::keep ? kept(order, consumed) : shard().indices(order, consumed);
    const int64_t samples = plan.indices.numel();
    const int64_t batches = batches_of(samples);
    for (int64_t begin = 0; begin < batches * batch_size_; begin += batch_size_) {
        const int64_t end = std::min(begin + batch_size_, samples);
        plan.batches.push_back({begin, end, std::min(consumed + end * options_.world_size, total)});
    }
    return plan;
}

AUDYN_INLINE Shard DistributedSampler::shard() const {
    return {options_.rank, options_.world_size, options_.uneven == UnevenShares::drop};
}

AUDYN_INLINE int64_t DistributedSampler::share_of(int64_t samples) const {
    return options_.uneven == UnevenShares::keep
               ? (samples - options_.rank + options_.world_size - 1) / options_.world_size
               : shard().size(samples);
}

AUDYN_INLINE at::Tensor DistributedSampler::kept(const at::Tensor& order, int64_t consumed) const {
    at::Tensor part = at::empty({share_of(order.numel() - consumed)}, at::kLong);
    const int64_t* source = order.const_data_ptr<int64_t>() + consumed + options_.rank;
    int64_t* target = part.mutable_data_ptr<int64_t>();
    for (int64_t i = 0; i < part.numel(); ++i) {
        target[i] = source[i * options_.world_size];
    }
    return part;
}

AUDYN_INLINE int64_t DistributedSampler::batches_of(int64_t samples) const {
    return options_.drop_last ? samples / batch_size_ : (samples + batch_size_ - 1) / batch_size_;
}

AUDYN_INLINE DistributedBatchSampler::DistributedBatchSampler(std::shared_ptr<BatchSampler> batches,
                                                              const DistributedSamplerOptions& options)
    : batches_(std::move(batches)), options_(options) {
    Shard{options_.rank, options_.world_size}.check();
}

AUDYN_INLINE BatchPlan DistributedBatchSampler::plan(int64_t consumed_samples) const {
    const BatchPlan whole = batches_->plan(consumed_samples);
    const auto count = static_cast<int64_t>(whole.batches.size());
    BatchPlan plan;
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < share_of(count); ++i) {
        const int64_t first = i * options_.world_size;
        const auto& batch = whole.batches[static_cast<std::size_t>((first + options_.rank) % count)];
        const auto& last = whole.batches[static_cast<std::size_t>(std::min(first + options_.world_size, count) - 1)];
        const auto samples = whole.samples(batch);
        const auto begin = static_cast<int64_t>(indices.size());
        indices.insert(indices.end(), samples.begin(), samples.end());
        plan.batches.push_back({begin, static_cast<int64_t>(indices.size()), last.consumed_samples});
    }
    plan.indices = at::empty({static_cast<int64_t>(indices.size())}, at::kLong);
    std::copy(indices.begin(), indices.end(), plan.indices.mutable_data_ptr<int64_t>());
    return plan;
}

AUDYN_INLINE int64_t DistributedBatchSampler::share_of(int64_t batches) const {
    switch (options_.uneven) {
    case UnevenShares::drop:
        return batches / options_.world_size;
    case UnevenShares::keep:
        return (batches - options_.rank + options_.world_size - 1) / options_.world_size;
    case UnevenShares::pad:
        break;
    }
    return (batches + options_.world_size - 1) / options_.world_size;
}

} // namespace audyn::data
