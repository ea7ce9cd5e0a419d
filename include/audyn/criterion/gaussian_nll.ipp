#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/gaussian_nll.hpp>

#include <c10/core/GradMode.h>

#include <cmath>
#include <numbers>
#include <sstream>

namespace audyn::criterion {

AUDYN_INLINE GaussianNLLLoss::GaussianNLLLoss(const GaussianNLLLossOptions& options) : options_(options) {
    if (!(options_.eps() > 0.0)) {
        throw UsageError("GaussianNLLLoss's eps must be above 0, got " + std::to_string(options_.eps()));
    }
}

AUDYN_INLINE at::Tensor GaussianNLLLoss::forward(std::span<const at::Tensor> arguments) {
    const at::Tensor& input = arguments[0];
    const at::Tensor& target = arguments[1];
    at::Tensor variance = arguments[2];
    warning_.check(input, target);
    const at::IntArrayRef sizes = input.sizes();
    if (variance.sizes() != sizes) {
        if (!sizes.empty() && variance.sizes() == sizes.slice(0, sizes.size() - 1)) {
            variance = variance.unsqueeze(-1);
        } else if (variance.dim() != input.dim() || variance.size(-1) != 1 ||
                   variance.sizes().slice(0, sizes.size() - 1) != sizes.slice(0, sizes.size() - 1)) {
            std::ostringstream text;
            text << "GaussianNLLLoss: var of shape " << variance.sizes() << " does not fit an input of shape " << sizes;
            throw UsageError(text.str());
        }
    }
    at::Tensor floor = variance.clone();
    {
        // As in Python: the gradient of what is below eps goes on to it.
        const c10::NoGradGuard no_grad;
        floor.clamp_(options_.eps());
    }
    at::Tensor loss = 0.5 * (floor.log() + (input - target).square() / floor);
    if (options_.full()) {
        loss = loss + 0.5 * std::log(2.0 * std::numbers::pi);
    }
    return detail::reduce(loss, options_.reduction());
}

} // namespace audyn::criterion
