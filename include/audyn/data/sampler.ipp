#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/sampler.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randperm.h>

#include <algorithm>
#include <string>

namespace audyn::data {

AUDYN_INLINE at::Tensor RandomSampler::indices() const {
    return at::randperm(size_, at::detail::createCPUGenerator(seed_ + epoch_), at::kLong);
}

AUDYN_INLINE void Shard::check() const {
    if (world_size < 1 || rank < 0 || rank >= world_size) {
        throw UsageError("a shard needs 0 <= rank < world_size, got rank " + std::to_string(rank) + " and world_size " +
                         std::to_string(world_size));
    }
}

AUDYN_INLINE int64_t Shard::size(int64_t samples) const {
    switch (uneven) {
    case UnevenShares::drop:
        return samples / world_size;
    case UnevenShares::keep:
        return (samples - rank + world_size - 1) / world_size;
    case UnevenShares::pad:
        break;
    }
    return (samples + world_size - 1) / world_size;
}

AUDYN_INLINE at::Tensor Shard::indices(const at::Tensor& order, int64_t consumed_samples) const {
    const int64_t total = order.numel();
    const int64_t consumed = std::min(consumed_samples, total);
    if (world_size == 1) {
        return order.narrow(0, consumed, total - consumed);
    }
    const int64_t count = size(total - consumed);
    at::Tensor part = at::empty({count}, at::kLong);
    const int64_t* source = order.const_data_ptr<int64_t>();
    int64_t* target = part.mutable_data_ptr<int64_t>();
    for (int64_t i = 0; i < count; ++i) {
        target[i] = source[(consumed + rank + i * world_size) % total];
    }
    return part;
}

} // namespace audyn::data
