#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/pit.hpp>
#include <audyn/criterion/si_sdr.hpp>

#include <ATen/ops/arange.h>
#include <ATen/ops/min.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>
#include <sstream>
#include <vector>

namespace audyn::criterion::detail {

/// All permutations of 0, 1, ..., in lexical order: int64 (permutations, sources), on the device of `losses`, which is
/// (batch, sources, sources). \throws UsageError for other shapes, and too many sources
AUDYN_INLINE at::Tensor all_permutations(const at::Tensor& losses) {
    constexpr int64_t most_sources = 8;
    if (losses.dim() != 3 || losses.size(1) != losses.size(2) || losses.size(1) < 1 || losses.size(1) > most_sources) {
        std::ostringstream text;
        text << "permutation invariant training needs losses of shape (batch, sources, sources) of at most "
             << most_sources << " sources, got " << losses.sizes();
        throw UsageError(text.str());
    }
    const int64_t sources = losses.size(1);
    std::vector<int64_t> one(static_cast<std::size_t>(sources));
    std::iota(one.begin(), one.end(), 0);
    std::vector<int64_t> all;
    do {
        all.insert(all.end(), one.begin(), one.end());
    } while (std::next_permutation(one.begin(), one.end()));
    return at::tensor(all, at::kLong).view({-1, sources}).to(losses.device());
}

/// What pit() finds among `permutations`, int64 (permutations, sources).
AUDYN_INLINE PermutationLoss best_permutation(const at::Tensor& losses, const at::Tensor& permutations) {
    const int64_t sources = permutations.size(1);
    const at::Tensor places = permutations + at::arange(0, sources * sources, sources, permutations.options());
    const at::Tensor means =
        losses.flatten(1).index_select(1, places.flatten()).view({-1, permutations.size(0), sources}).mean(2);
    const auto [least, index] = means.min(1);
    return {least, permutations.index_select(0, index)};
}

} // namespace audyn::criterion::detail

namespace audyn::criterion {

AUDYN_INLINE PermutationLoss pit(const at::Tensor& losses) {
    return detail::best_permutation(losses, detail::all_permutations(losses));
}

AUDYN_INLINE at::Tensor PITNegSISDR::loss(const at::Tensor& input, const at::Tensor& target) {
    detail::require_same_shape("PITNegSISDR", input, target);
    if (input.dim() != 3 || (num_sources_ && input.size(1) != *num_sources_)) {
        std::ostringstream text;
        text << "PITNegSISDR needs tensors of shape (batch, "
             << (num_sources_ ? std::to_string(*num_sources_) : "sources") << ", samples), got " << input.sizes();
        throw UsageError(text.str());
    }
    const std::vector<int64_t> pairs{input.size(0), input.size(1), input.size(1), input.size(2)};
    const at::Tensor losses = -si_sdr(input.unsqueeze(2).expand(pairs), target.unsqueeze(1).expand(pairs), eps_);
    if (!permutations_.defined() || permutations_.size(1) != losses.size(1) ||
        permutations_.device() != losses.device()) {
        permutations_ = detail::all_permutations(losses);
    }
    const at::Tensor means = detail::best_permutation(losses, permutations_).loss;
    return detail::reduce(reduction() == Reduction::sum ? means * input.size(1) : means, reduction());
}

} // namespace audyn::criterion
