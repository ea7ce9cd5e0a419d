#pragma once

#include <audyn/core/error.hpp>
#include <audyn/data/dataset.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randperm.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace audyn::data {

/// Some samples of another dataset, in the given order; Python's `Subset`.
class Subset : public Dataset {
public:
    /// \throws UsageError when an index lies outside of `dataset`.
    Subset(std::shared_ptr<const Dataset> dataset, std::vector<int64_t> indices)
        : dataset_(std::move(dataset)), indices_(std::move(indices)) {
        for (const int64_t index : indices_) {
            if (index < 0 || index >= dataset_->size()) {
                throw UsageError("a subset names sample " + std::to_string(index) + " of a dataset with " +
                                 std::to_string(dataset_->size()) + " samples");
            }
        }
    }

    [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
    [[nodiscard]] Sample get(int64_t index, Random& random) const override {
        return dataset_->get(original(index), random);
    }
    [[nodiscard]] std::optional<Batch> get_batch(std::span<const int64_t> indices,
                                                 const BatchRandom& random) const override {
        std::vector<int64_t> originals;
        originals.reserve(indices.size());
        for (const int64_t index : indices) {
            originals.push_back(original(index));
        }
        return dataset_->get_batch(originals, random);
    }
    [[nodiscard]] std::string sample_name(int64_t index) const override {
        return dataset_->sample_name(original(index));
    }

    /// The samples' indices in the whole dataset.
    [[nodiscard]] const std::vector<int64_t>& indices() const { return indices_; }

private:
    [[nodiscard]] int64_t original(int64_t index) const { return indices_[static_cast<std::size_t>(index)]; }

    std::shared_ptr<const Dataset> dataset_;
    std::vector<int64_t> indices_;
};

/// Splits `dataset` by a seeded permutation into parts that hold the given fractions of it; equal to Python's
/// `random_split(dataset, fractions, generator=torch.Generator().manual_seed(seed))`. What rounding leaves over goes to
/// the first parts, one sample each.
/// \throws UsageError unless the fractions are not negative and sum to 1.
inline std::vector<std::shared_ptr<Subset>> split(const std::shared_ptr<const Dataset>& dataset,
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
