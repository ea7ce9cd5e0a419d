#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/modules/causal_conv.hpp>

#include <ATen/ops/constant_pad_nd.h>

#include <variant>

namespace audyn::modules::detail {

AUDYN_INLINE torch::nn::Conv1dOptions without_padding(torch::nn::Conv1dOptions options) {
    const auto* const sizes = std::get_if<torch::ExpandingArray<1>>(&options.padding());
    if (sizes == nullptr || (**sizes)[0] != 0) {
        throw UsageError("CausalConv1d pads by itself; leave padding out");
    }
    if (!std::holds_alternative<torch::enumtype::kZeros>(options.padding_mode())) {
        throw UsageError("CausalConv1d pads with zeros, for nothing is known before the beginning; leave padding_mode "
                         "out");
    }
    return options;
}

} // namespace audyn::modules::detail

namespace audyn::modules {

AUDYN_INLINE CausalConv1dImpl::CausalConv1dImpl(torch::nn::Conv1dOptions chosen)
    : torch::nn::Conv1dImpl(detail::without_padding(chosen)), chosen_(chosen) {}

AUDYN_INLINE at::Tensor CausalConv1dImpl::forward(const at::Tensor& input) {
    const int64_t past = (*options.dilation())[0] * ((*options.kernel_size())[0] - 1);
    return torch::nn::Conv1dImpl::forward(at::constant_pad_nd(input, {past, 0}, 0));
}

AUDYN_INLINE std::shared_ptr<torch::nn::Module> CausalConv1dImpl::clone(const std::optional<at::Device>& device) const {
    auto copy = std::make_shared<CausalConv1dImpl>(chosen_);
    detail::copy_state(*this, *copy, device);
    return copy;
}

} // namespace audyn::modules
