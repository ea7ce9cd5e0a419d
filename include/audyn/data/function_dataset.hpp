#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/dataset.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace audyn::data {

/// A dataset made of a function, called by several worker threads at once:
/// `FunctionDataset(100, [](int64_t index, Random& random) { return Sample{{"x", at::full({3}, index)}}; })`.
class FunctionDataset : public Dataset {
public:
    using Function = std::function<Sample(int64_t index, Random& random)>;

    FunctionDataset(int64_t size, Function function) : size_(size), function_(std::move(function)) {}

    [[nodiscard]] int64_t size() const override { return size_; }
    [[nodiscard]] Sample get(int64_t index, Random& random) const override { return function_(index, random); }

private:
    int64_t size_;
    Function function_;
};

/// Another dataset whose samples go through a function one by one, for example an augmentation.
class TransformedDataset : public Dataset {
public:
    using Transform = std::function<Sample(Sample sample, Random& random)>;

    TransformedDataset(std::shared_ptr<const Dataset> dataset, Transform transform);

    [[nodiscard]] int64_t size() const override { return dataset_->size(); }
    [[nodiscard]] AUDYN_INLINE Sample get(int64_t index, Random& random) const override;
    [[nodiscard]] std::string sample_name(int64_t index) const override { return dataset_->sample_name(index); }

private:
    std::shared_ptr<const Dataset> dataset_;
    Transform transform_;
};

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/function_dataset.ipp>
#endif
