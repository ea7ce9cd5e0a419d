#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/function_dataset.hpp>

namespace audyn::data {

AUDYN_INLINE TransformedDataset::TransformedDataset(std::shared_ptr<const Dataset> dataset, Transform transform)
    : dataset_(std::move(dataset)), transform_(std::move(transform)) {}

AUDYN_INLINE Sample TransformedDataset::get(int64_t index, Random& random) const {
    return transform_(dataset_->get(index, random), random);
}

} // namespace audyn::data
