#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/metrics/mean_metric.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/log10.h>

#include <limits>
#include <sstream>

namespace audyn::metrics::detail {

AUDYN_INLINE void MeanOfNumbers::add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) {
    const at::Tensor values = numbers(arguments);
    states[0].add_(values.sum(states[0].scalar_type()));
    states[1].add_(values.numel());
}

AUDYN_INLINE at::Tensor MeanOfNumbers::value(std::span<const at::Tensor> states) const {
    return states[0] / states[1];
}

} // namespace audyn::metrics::detail

namespace audyn::metrics {

AUDYN_INLINE at::Tensor ScaleInvariantSignalDistortionRatio::numbers(std::span<const at::Tensor> arguments) const {
    if (arguments[0].sizes() != arguments[1].sizes()) {
        std::ostringstream text;
        text << "ScaleInvariantSignalDistortionRatio: the target's shape " << arguments[1].sizes()
             << " differs from the preds', " << arguments[0].sizes();
        throw UsageError(text.str());
    }
    at::Tensor preds = arguments[0].to(at::kFloat);
    at::Tensor target = arguments[1].to(at::kFloat);
    if (zero_mean_) {
        preds = preds - preds.mean(-1, true);
        target = target - target.mean(-1, true);
    }
    constexpr double eps = std::numeric_limits<float>::epsilon();
    const at::Tensor scale = ((preds * target).sum(-1, true) + eps) / (target.square().sum(-1, true) + eps);
    const at::Tensor signal = scale * target;
    const at::Tensor ratio = (signal.square().sum(-1) + eps) / ((signal - preds).square().sum(-1) + eps);
    return 10 * at::log10(ratio);
}

} // namespace audyn::metrics
