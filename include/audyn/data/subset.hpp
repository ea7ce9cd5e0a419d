#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/dataset.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace audyn::data {

/// Some samples of another dataset, in the given order; Python's `Subset`.
class Subset : public Dataset {
public:
    /// \throws UsageError when an index lies outside of `dataset`.
    Subset(std::shared_ptr<const Dataset> dataset, std::vector<int64_t> indices);

    [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
    [[nodiscard]] AUDYN_INLINE Sample get(int64_t index, Random& random) const override;
    [[nodiscard]] AUDYN_INLINE std::optional<Batch> get_batch(std::span<const int64_t> indices,
                                                              const BatchRandom& random) const override;
    [[nodiscard]] AUDYN_INLINE std::string sample_name(int64_t index) const override;

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
AUDYN_INLINE std::vector<std::shared_ptr<Subset>> split(const std::shared_ptr<const Dataset>& dataset,
                                                        const std::vector<double>& fractions, uint64_t seed);

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/subset.ipp>
#endif
