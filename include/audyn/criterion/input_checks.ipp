#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/input_checks.hpp>

#include <ATen/ops/nonzero.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

namespace audyn::criterion::detail {

AUDYN_INLINE void BroadcastWarning::check(const at::Tensor& input, const at::Tensor& target) {
    if (!is_given_ && input.sizes() != target.sizes()) {
        is_given_ = true;
        TORCH_WARN(name_, ": the target's shape ", target.sizes(), " differs from the input's, ", input.sizes(),
                   "; they are broadcast, which is probably not what you want");
    }
}

AUDYN_INLINE void MeanDivergenceWarning::give() {
    if (!is_given_) {
        is_given_ = true;
        TORCH_WARN("KLDivLoss: the reduction 'mean' divides by the number of elements; 'batchmean', which divides by "
                   "the batch size, is the divergence by its definition");
    }
}

AUDYN_INLINE void LabelCheck::require_in_range(const at::Tensor& input, const at::Tensor& target) const {
    if (input.dim() == 0 || at::isFloatingType(target.scalar_type())) {
        return;
    }
    const int64_t classes = input.size(input.dim() == 1 ? 0 : 1);
    const at::Tensor labels = target.to(at::kLong); // uint8 could not be compared with a negative ignore_index.
    const at::Tensor wrong = labels.lt(0).logical_or(labels.ge(classes)).logical_and(labels.ne(ignore_index_));
    const at::Tensor places = at::nonzero(wrong);
    if (places.size(0) == 0) {
        return;
    }
    at::Tensor label = labels;
    std::ostringstream text;
    text << " (at [";
    for (int64_t i = 0; i < target.dim(); ++i) {
        const int64_t index = places[0][i].item<int64_t>();
        label = label[index];
        text << (i == 0 ? "" : ", ") << index;
    }
    text << "] of the target)";
    throw DataError(name_ + ": the label " + std::to_string(label.item<int64_t>()) +
                    (target.dim() == 0 ? "" : text.str()) + " is out of range: there are " + std::to_string(classes) +
                    " classes, 0 to " + std::to_string(classes - 1) + ", and " + std::to_string(ignore_index_) +
                    " for what does not count; " + std::to_string(places.size(0)) + " of " +
                    std::to_string(target.numel()) + " labels are wrong");
}

AUDYN_INLINE void require_same_shape(const char* name, const at::Tensor& input, const at::Tensor& target) {
    if (input.sizes() != target.sizes()) {
        std::ostringstream text;
        text << name << ": the target's shape " << target.sizes() << " differs from the input's, " << input.sizes();
        throw UsageError(text.str());
    }
}

AUDYN_INLINE std::string loss_name(const std::string& class_name) {
    constexpr std::string_view begin = "torch::nn::";
    constexpr std::string_view end = "Impl";
    const bool is_libtorch = class_name.starts_with(begin) && class_name.ends_with(end);
    return is_libtorch ? class_name.substr(begin.size(), class_name.size() - begin.size() - end.size()) : class_name;
}

AUDYN_INLINE bool is_elementwise(const std::string& name) {
    constexpr std::array<std::string_view, 8> losses{
        "MSELoss",   "L1Loss",         "SmoothL1Loss",   "HuberLoss",
        "KLDivLoss", "PoissonNLLLoss", "SoftMarginLoss", "HingeEmbeddingLoss"};
    return std::find(losses.begin(), losses.end(), name) != losses.end();
}

} // namespace audyn::criterion::detail
