#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/radam.hpp>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_reciprocal.h>
#include <ATen/ops/_foreach_sqrt.h>

#include <cmath>

namespace audyn::optim {

AUDYN_INLINE void RAdamOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("eps", eps_, eps_ >= 0.0, "at least 0");
    detail::check_betas(betas_);
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
}

AUDYN_INLINE RAdam::RAdam(const std::vector<OptionsGroup<RAdamOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::host_scalar},
                                                          {.name = "exp_avg"},
                                                          {.name = "exp_avg_sq"}}) {}

AUDYN_INLINE void RAdam::update(detail::TensorLists& lists) {
    const RAdamOptions options = this->options(lists.group);
    const auto [beta1, beta2] = options.betas();
    const bool decoupled = options.decoupled_weight_decay();
    detail::count_steps(lists.state[state_step]);
    if (decoupled && options.weight_decay() != 0.0) {
        at::_foreach_mul_(lists.params, 1 - options.lr() * options.weight_decay());
    }
    const std::vector<at::Tensor> grads =
        detail::decayed_gradients(lists, options.maximize(), decoupled ? 0.0 : options.weight_decay());
    at::_foreach_lerp_(lists.state[exp_avg], grads, 1 - beta1);
    at::_foreach_mul_(lists.state[exp_avg_sq], beta2);
    at::_foreach_addcmul_(lists.state[exp_avg_sq], grads, grads, 1 - beta2);

    // Adam's rectified step where the variance can be estimated (rho > 5), else one with momentum only: the other of
    // the two step sizes is zero.
    const double rho_inf = 2 / (1 - beta2) - 1;
    std::vector<at::Scalar> adaptive_step_sizes;
    std::vector<at::Scalar> plain_step_sizes;
    for (const at::Tensor& counter : lists.state[state_step]) {
        const double step = *counter.const_data_ptr<float>();
        const double beta2_power = std::pow(beta2, step);
        const double bias_correction1 = 1 - std::pow(beta1, step);
        const double rho = rho_inf - 2 * step * beta2_power / (1 - beta2_power);
        const double rectification =
            rho > 5 ? std::sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) : 0.0;
        plain_step_sizes.emplace_back(rectification > 0 ? 0.0 : -options.lr() / bias_correction1);
        adaptive_step_sizes.emplace_back(-std::sqrt(1 - beta2_power) *
                                         (options.lr() * rectification / bias_correction1));
    }
    const std::vector<at::Tensor> factor = at::_foreach_sqrt(lists.state[exp_avg_sq]);
    at::_foreach_add_(factor, options.eps());
    at::_foreach_div_(factor, adaptive_step_sizes);
    at::_foreach_reciprocal_(factor);
    at::_foreach_add_(factor, plain_step_sizes);
    at::_foreach_addcmul_(lists.params, lists.state[exp_avg], factor, 1);
}

} // namespace audyn::optim
