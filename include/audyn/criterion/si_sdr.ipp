#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/criterion/si_sdr.hpp>

#include <ATen/ops/log10.h>

namespace audyn::criterion {

AUDYN_INLINE at::Tensor si_sdr(const at::Tensor& input, const at::Tensor& target, double eps) {
    detail::require_same_shape("SI-SDR", input, target);
    const at::Tensor estimated = detail::at_least_float(input);
    const at::Tensor truth = detail::at_least_float(target);
    const at::Tensor scale = (estimated * truth).sum(-1, true) / (truth.square().sum(-1, true) + eps);
    const at::Tensor signal = scale * truth;
    const at::Tensor ratio = (signal.square().sum(-1) + eps) / ((signal - estimated).square().sum(-1) + eps);
    return 10 * at::log10(ratio);
}

AUDYN_INLINE at::Tensor detail::SISDRLoss::loss(const at::Tensor& input, const at::Tensor& target) {
    return detail::reduce(sign_ * si_sdr(input, target, eps_), reduction());
}

} // namespace audyn::criterion
