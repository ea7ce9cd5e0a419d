#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

/// Permutation invariant training: a model may give its sources in any order.
namespace audyn::criterion {

/// What `pit` finds for each sample.
struct PermutationLoss {
    /// The least mean over the sources, float (batch).
    at::Tensor loss;
    /// Which target is that of each estimate, int64 (batch, sources).
    at::Tensor permutation;
};

/// `losses` is (batch, sources, sources): of each estimate, and for each target. Audyn's `audyn.criterion.pit` of a
/// criterion that averages over sources; of one that does not, Audyn takes the least for each source by itself, so that
/// two estimates may share a target.
/// \throws UsageError for other shapes, and more than 8 sources, whose permutations are too many
[[nodiscard]] AUDYN_INLINE PermutationLoss pit(const at::Tensor& losses);

/// Audyn's `PITNegSISDR` of (input, target), each (batch, sources, samples): the negative SI-SDR under the best
/// permutation of each sample's sources.
class PITNegSISDR final : public detail::PairLoss {
public:
    /// `reduction`: sum is that of all sources; none gives the mean over the sources of each sample. Another number of
    /// sources than `num_sources` is refused.
    explicit PITNegSISDR(Reduction reduction = Reduction::mean, std::optional<int64_t> num_sources = std::nullopt,
                         double eps = 1e-8)
        : PairLoss(reduction), num_sources_(num_sources), eps_(eps) {}

protected:
    /// \throws UsageError when the shapes differ, or are others.
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;

private:
    std::optional<int64_t> num_sources_;
    double eps_;
    /// Of the batch before.
    at::Tensor permutations_;
};

} // namespace audyn::criterion

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/pit.ipp>
#endif
