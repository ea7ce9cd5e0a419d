#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/sparse_adam.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_sparse_coo_tensor_unsafe.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/StringUtil.h>

#include <cmath>

namespace audyn::optim {

AUDYN_INLINE void SparseAdamOptions::check() const {
    detail::check_option("lr", lr_, lr_ > 0.0, "greater than 0");
    detail::check_option("eps", eps_, eps_ > 0.0, "greater than 0");
    detail::check_betas(betas_);
}

AUDYN_INLINE SparseAdam::SparseAdam(const std::vector<OptionsGroup<SparseAdamOptions>>& groups)
    : WithOptions(groups), state_(parameters().size()) {
    for (std::size_t i = 0; i < parameters().size(); ++i) {
        if (parameters()[i].layout() != at::kStrided || !parameters()[i].is_floating_point()) {
            throw UsageError("SparseAdam takes dense real parameters with sparse gradients, but '" + parameter_name(i) +
                             "' is " +
                             (parameters()[i].layout() == at::kStrided ? c10::toString(parameters()[i].scalar_type())
                                                                       : "itself sparse"));
        }
    }
}

AUDYN_INLINE void SparseAdam::step() {
    const at::NoGradGuard no_grad;
    std::size_t index = 0;
    for (std::size_t group = 0; group < groups().size(); ++group) {
        const SparseAdamOptions current = options(group);
        for (std::size_t i = 0; i < groups()[group].params.size(); ++i, ++index) {
            if (parameters()[index].mutable_grad().defined()) {
                step_parameter(index, current);
            }
        }
    }
}

AUDYN_INLINE void SparseAdam::step_parameter(std::size_t index, const SparseAdamOptions& options) {
    const at::Tensor& parameter = parameters()[index];
    if (!parameter.grad().is_sparse()) {
        throw UsageError("SparseAdam takes sparse gradients only, but that of '" + parameter_name(index) +
                         "' is dense; Adam takes it");
    }
    Moments& moments = state_[index];
    if (!moments.exp_avg.defined()) {
        moments.exp_avg = at::zeros_like(parameter, at::MemoryFormat::Preserve);
        moments.exp_avg_sq = at::zeros_like(parameter, at::MemoryFormat::Preserve);
    }
    ++moments.step;
    // The update is not linear: each row must occur once.
    const at::Tensor grad = parameter.grad().coalesce();
    const at::Tensor values = options.maximize() ? grad._values().neg() : grad._values();
    if (values.numel() == 0) {
        return;
    }
    const auto add_rows = [&](const at::Tensor& tensor, const at::Tensor& rows) {
        tensor.add_(at::_sparse_coo_tensor_unsafe(grad._indices(), rows, grad.sizes()));
    };
    const auto [beta1, beta2] = options.betas();
    const at::Tensor old_avg = moments.exp_avg.sparse_mask(grad)._values();
    const at::Tensor avg_change = values.sub(old_avg).mul_(1 - beta1);
    add_rows(moments.exp_avg, avg_change);
    const at::Tensor old_avg_sq = moments.exp_avg_sq.sparse_mask(grad)._values();
    const at::Tensor avg_sq_change = values.square().sub_(old_avg_sq).mul_(1 - beta2);
    add_rows(moments.exp_avg_sq, avg_sq_change);
    const auto step = static_cast<double>(moments.step);
    const double step_size = options.lr() * std::sqrt(1 - std::pow(beta2, step)) / (1 - std::pow(beta1, step));
    const at::Tensor denominator = avg_sq_change.add(old_avg_sq).sqrt_().add_(options.eps());
    add_rows(parameter, avg_change.add(old_avg).div_(denominator).mul_(-step_size));
}

AUDYN_INLINE StateDict SparseAdam::parameter_state(std::size_t index) const {
    const Moments& moments = state_[index];
    if (!moments.exp_avg.defined()) {
        return {};
    }
    return {{"step", moments.step}, {"exp_avg", moments.exp_avg}, {"exp_avg_sq", moments.exp_avg_sq}};
}

AUDYN_INLINE void SparseAdam::check_parameter_state(std::size_t index, const StateDict& state,
                                                    std::vector<std::string>& mismatches) const {
    if (state.empty()) {
        return;
    }
    const state::Value* step = state.find("step");
    if (step == nullptr || !detail::is_number(*step)) {
        mismatches.push_back("'step' of '" + parameter_name(index) + "' is missing or no number");
    }
    for (const char* key : {"exp_avg", "exp_avg_sq"}) {
        const state::Value* value = state.find(key);
        if (value == nullptr || !value->is<at::Tensor>()) {
            mismatches.push_back(c10::str("'", key, "' of '", parameter_name(index), "' is missing or no tensor"));
        } else if (value->as_tensor().sizes() != parameters()[index].sizes()) {
            mismatches.push_back(c10::str("'", key, "' of '", parameter_name(index), "' has the shape ",
                                          value->as_tensor().sizes(), ", the parameter has ",
                                          parameters()[index].sizes()));
        }
    }
}

AUDYN_INLINE void SparseAdam::load_parameter_state(std::size_t index, const StateDict& state) {
    Moments& moments = state_[index] = {};
    if (state.empty()) {
        return;
    }
    const auto copy = [&](const char* key) {
        return at::zeros_like(parameters()[index], at::MemoryFormat::Preserve).copy_(state.at(key).as_tensor());
    };
    moments.step = static_cast<int64_t>(detail::number(state.at("step")));
    moments.exp_avg = copy("exp_avg");
    moments.exp_avg_sq = copy("exp_avg_sq");
}

} // namespace audyn::optim
