#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/subset.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randperm.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace audyn::data {

AUDYN_INLINE Subset::Subset(std::shared_ptr<const Dataset> dataset, std::vector<int64_t> indices)
    : dataset_(std::move(dataset)), indices_(std::move(indices)) {
    for (const int64_t index : indices_) {
        if (index < 0 || index >= dataset_->size()) {
            throw UsageError("a subset names sample " + std::to_string(index) + " of a dataset with " +
                             std::to_string(dataset_->size()) + " samples");
        }
    }
}

AUDYN_INLINE Sample Subset::get(int64_t index, Random& random) const {
    return dataset_->get(original(index), random);
}

AUDYN_INLINE std::optional<Batch> Subset::get_batch(std::span<const int64_t> indices, const BatchRandom& random) const {
    std::vector<int64_t> originals;
    originals.reserve(indices.size());
    for (const int64_t index : indices) {
        originals.push_back(original(index));
    }
    return dataset_->get_batch(originals, random);
}

AUDYN_INLINE std::string Subset::sample_name(int64_t index) const {
    return dataset_->sample_name(original(index));
}

AUDYN_INLINE std::vector<std::shared_ptr<Subset>> split(const std::shared_ptr<const Dataset>& dataset,
                                                        const std::vector<double>& fractions, uint64_t seed) {
    constexpr double tolerance = 1e-6;
    double sum = 0.0;
    bool valid = true;
    for (const double fraction : fractions) {
        valid = valid && fraction >= 0.0;
        sum += fraction;
    }
    if (!valid || std::abs(sum - 1.0) > tolerance) {
        throw UsageError("the fractions of a split must not be negative and must sum to 1, they sum to " +
                         std::to_string(sum));
    }
    const int64_t size = dataset->size();
    std::vector<int64_t> lengths;
    int64_t rest = size;
    for (const double fraction : fractions) {
        lengths.push_back(std::min(static_cast<int64_t>(std::floor(static_cast<double>(size) * fraction)), rest));
        rest -= lengths.back();
    }
    for (int64_t i = 0; i < rest; ++i) {
        ++lengths[static_cast<std::size_t>(i) % lengths.size()];
    }

    const at::Tensor order = at::randperm(size, at::detail::createCPUGenerator(seed), at::kLong);
    const int64_t* next = order.const_data_ptr<int64_t>();
    std::vector<std::shared_ptr<Subset>> parts;
    for (const int64_t length : lengths) {
        parts.push_back(std::make_shared<Subset>(dataset, std::vector<int64_t>(next, next + length)));
        next += length;
    }
    return parts;
}

} // namespace audyn::data
