#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/clip.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <string>

namespace audyn::optim::detail {

AUDYN_INLINE at::Tensor total_norm(const GradientLists& gradients, double norm_type) {
    if (gradients.lists().empty()) {
        return at::zeros({});
    }
    const c10::Device device = gradients.lists().front().device;
    std::vector<at::Tensor> norms;
    for (const GradientLists::List& list : gradients.lists()) {
        for (const at::Tensor& norm : at::_foreach_norm(list.grads, norm_type)) {
            norms.push_back(norm.to(device));
        }
    }
    return at::linalg_vector_norm(at::stack(norms), norm_type);
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE at::Tensor clip_grad_norm_(const std::vector<at::Tensor>& parameters, double max_norm, double norm_type,
                                        bool error_if_nonfinite) {
    const at::NoGradGuard no_grad;
    const GradientLists gradients(parameters);
    at::Tensor norm = detail::total_norm(gradients, norm_type);
    if (error_if_nonfinite && !std::isfinite(norm.item<double>())) {
        throw TrainingError("the norm of the gradients is " + std::to_string(norm.item<double>()) +
                            ", so they cannot be clipped");
    }
    // As Python divides: max_norm / (norm + 1e-6).
    const at::Tensor coefficient = norm.add(1e-6).reciprocal_().mul_(max_norm);
    if (coefficient.is_cpu() && coefficient.item<double>() >= 1.0) {
        return norm; // Nothing to scale; on a device this is not known here.
    }
    const at::Tensor clamped = coefficient.clamp_max(1.0);
    for (const GradientLists::List& list : gradients.lists()) {
        at::_foreach_mul_(list.grads, clamped.to(list.device));
    }
    return norm;
}

AUDYN_INLINE void clip_grad_value_(const std::vector<at::Tensor>& parameters, double clip_value) {
    const at::NoGradGuard no_grad;
    const GradientLists gradients(parameters);
    for (const GradientLists::List& list : gradients.lists()) {
        at::_foreach_clamp_min_(list.grads, -clip_value);
        at::_foreach_clamp_max_(list.grads, clip_value);
    }
}

} // namespace audyn::optim
