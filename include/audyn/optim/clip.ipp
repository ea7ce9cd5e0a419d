#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/clip.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>

namespace audyn::optim::detail {

AUDYN_INLINE at::Tensor joint_norm(const std::vector<at::Tensor>& norms, double norm_type) {
    if (norms.empty()) {
        return at::zeros({});
    }
    std::vector<at::Tensor> together;
    for (const at::Tensor& norm : norms) {
        together.push_back(norm.to(norms.front().device()));
    }
    return at::linalg_vector_norm(at::stack(together), norm_type);
}

/// \throws UsageError for a sparse gradient.
AUDYN_INLINE void require_dense_gradients(const std::vector<at::Tensor>& parameters) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (const at::Tensor& grad = parameters[i].grad(); grad.defined() && grad.layout() != at::kStrided) {
            throw UsageError(c10::str("sparse gradients cannot be clipped, but parameter ", i, " of the shape ",
                                      parameters[i].sizes(), " has one; train without clipping, or make it dense"));
        }
    }
}

/// \throws UsageError for a sparse gradient.
AUDYN_INLINE GradientLists dense_gradients(const std::vector<at::Tensor>& parameters) {
    require_dense_gradients(parameters);
    return GradientLists(parameters);
}

AUDYN_INLINE at::Tensor total_norm(const GradientLists& gradients, double norm_type) {
    std::vector<at::Tensor> norms;
    for (const GradientLists::List& list : gradients.lists()) {
        const std::vector<at::Tensor> of_list = at::_foreach_norm(list.grads, norm_type);
        norms.insert(norms.end(), of_list.begin(), of_list.end());
    }
    return joint_norm(norms, norm_type);
}

AUDYN_INLINE void require_finite_norm(const at::Tensor& norm, const char* of) {
    if (const auto value = norm.item<double>(); !std::isfinite(value)) {
        throw TrainingError("the norm of " + std::string(of) + " is " + std::to_string(value) +
                            ", so they cannot be clipped");
    }
}

AUDYN_INLINE at::Tensor unit_norm(const at::Tensor& tensor, double norm_type) {
    if (tensor.dim() <= 1) {
        return at::linalg_vector_norm(tensor, norm_type);
    }
    std::vector<int64_t> dims(static_cast<std::size_t>(tensor.dim() - 1));
    std::iota(dims.begin(), dims.end(), int64_t{1});
    return at::linalg_vector_norm(tensor, norm_type, dims, /*keepdim=*/true);
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE at::Tensor grad_norm(const std::vector<at::Tensor>& parameters, double norm_type) {
    const at::NoGradGuard no_grad;
    return detail::total_norm(detail::dense_gradients(parameters), norm_type);
}

AUDYN_INLINE at::Tensor clip_grad_norm_(const std::vector<at::Tensor>& parameters, double max_norm, double norm_type,
                                        bool error_if_nonfinite) {
    const at::NoGradGuard no_grad;
    const GradientLists gradients = detail::dense_gradients(parameters);
    at::Tensor norm = detail::total_norm(gradients, norm_type);
    if (error_if_nonfinite) {
        detail::require_finite_norm(norm, "the gradients");
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
    const GradientLists gradients = detail::dense_gradients(parameters);
    for (const GradientLists::List& list : gradients.lists()) {
        at::_foreach_clamp_min_(list.grads, -clip_value);
        at::_foreach_clamp_max_(list.grads, clip_value);
    }
}

AUDYN_INLINE std::vector<at::Tensor> clip_group_grad_norm_(const std::vector<ParamGroup>& groups,
                                                           const std::vector<double>& max_norms, double norm_type,
                                                           bool error_if_nonfinite) {
    if (max_norms.size() != 1 && max_norms.size() != groups.size()) {
        throw UsageError("clipping needs one max_norm, or one for each of the " + std::to_string(groups.size()) +
                         " parameter groups; got " + std::to_string(max_norms.size()));
    }
    std::vector<at::Tensor> norms;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        norms.push_back(clip_grad_norm_(groups[g].params, max_norms.size() == 1 ? max_norms[0] : max_norms[g],
                                        norm_type, error_if_nonfinite));
    }
    return norms;
}

AUDYN_INLINE at::Tensor clip_grad_adaptive_(const std::vector<at::Tensor>& parameters, double clip_factor, double eps,
                                            double norm_type, bool error_if_nonfinite) {
    const at::NoGradGuard no_grad;
    detail::require_dense_gradients(parameters);
    std::vector<at::Tensor> grads;
    std::vector<at::Tensor> norms;
    std::vector<at::Tensor> totals;
    std::vector<at::Tensor> coefficients; // how much of each gradient is left
    for (const at::Tensor& parameter : parameters) {
        if (const at::Tensor& grad = parameter.grad(); grad.defined()) {
            grads.push_back(grad);
            norms.push_back(detail::unit_norm(grad, norm_type));
            totals.push_back(at::linalg_vector_norm(norms.back(), norm_type));
            coefficients.push_back(detail::unit_norm(parameter, norm_type));
        }
    }
    const at::Tensor total = detail::joint_norm(totals, norm_type);
    if (grads.empty()) {
        return total;
    }
    if (error_if_nonfinite) {
        detail::require_finite_norm(total, "the gradients");
    }
    at::_foreach_clamp_min_(coefficients, eps);
    at::_foreach_mul_(coefficients, clip_factor);
    at::_foreach_clamp_min_(norms, 1e-6);
    at::_foreach_div_(coefficients, norms);
    at::_foreach_clamp_max_(coefficients, 1.0);
    at::_foreach_mul_(grads, coefficients);
    return total;
}

AUDYN_INLINE void GradClipperOptions::check() const {
    const auto require = [this](bool holds, const char* text) {
        if (!holds) {
            throw UsageError(std::string("clipping by mode '") + clip_modes.name(mode_) + "' needs " + text);
        }
    };
    require(norm_type_ > 0.0, "a norm_type above 0");
    if (mode_ == ClipMode::value) {
        require(clip_value_ > 0.0, "clip_value, above 0");
    } else if (mode_ == ClipMode::adaptive) {
        require(clip_factor_ > 0.0, "a clip_factor above 0");
        require(eps_ > 0.0, "an eps above 0");
    } else {
        require(!max_norm_.empty(), "max_norm");
        require(std::all_of(max_norm_.begin(), max_norm_.end(), [](double norm) { return norm > 0.0; }),
                "a max_norm above 0");
        require(mode_ == ClipMode::group_norm || max_norm_.size() == 1, "one max_norm; for one of each group set mode "
                                                                        "to 'group_norm'");
    }
}

AUDYN_INLINE GradClipper::GradClipper(GradClipperOptions options) : options_(std::move(options)) {
    options_.check();
}

AUDYN_INLINE at::Tensor GradClipper::clip(const std::vector<ParamGroup>& groups) const {
    const double norm_type = options_.norm_type();
    const bool error_if_nonfinite = options_.error_if_nonfinite();
    if (options_.mode() == ClipMode::group_norm) {
        const at::NoGradGuard no_grad;
        return detail::joint_norm(clip_group_grad_norm_(groups, options_.max_norm(), norm_type, error_if_nonfinite),
                                  norm_type);
    }
    std::vector<at::Tensor> parameters;
    for (const ParamGroup& group : groups) {
        parameters.insert(parameters.end(), group.params.begin(), group.params.end());
    }
    switch (options_.mode()) {
    case ClipMode::norm:
        return clip_grad_norm_(parameters, options_.max_norm().front(), norm_type, error_if_nonfinite);
    case ClipMode::adaptive:
        return clip_grad_adaptive_(parameters, options_.clip_factor(), options_.eps(), norm_type, error_if_nonfinite);
    case ClipMode::value:
    case ClipMode::group_norm:
        break;
    }
    clip_grad_value_(parameters, options_.clip_value());
    return {};
}

} // namespace audyn::optim
