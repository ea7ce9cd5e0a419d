#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/modules/rms_norm.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/rms_norm.h>
#include <torch/nn/init.h>

#include <ostream>

namespace audyn::modules {

AUDYN_INLINE RMSNormImpl::RMSNormImpl(RMSNormOptions chosen) : options(std::move(chosen)) {
    RMSNormImpl::reset();
}

AUDYN_INLINE void RMSNormImpl::reset() {
    if (options.elementwise_affine()) {
        weight = register_parameter("weight", at::empty(options.normalized_shape()));
    }
    reset_parameters();
}

AUDYN_INLINE void RMSNormImpl::reset_parameters() {
    if (weight.defined()) {
        torch::nn::init::ones_(weight);
    }
}

AUDYN_INLINE void RMSNormImpl::pretty_print(std::ostream& stream) const {
    stream << "audyn::modules::RMSNorm(" << at::IntArrayRef(options.normalized_shape()) << ", eps=";
    options.eps() ? stream << *options.eps() : stream << "None";
    stream << ", elementwise_affine=" << (options.elementwise_affine() ? "true" : "false") << ')';
}

AUDYN_INLINE at::Tensor RMSNormImpl::forward(const at::Tensor& input) {
    return at::rms_norm(input, options.normalized_shape(),
                        weight.defined() ? std::optional<at::Tensor>(weight) : std::nullopt, options.eps());
}

} // namespace audyn::modules
