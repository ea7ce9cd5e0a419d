#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/nadam.hpp>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

#include <cmath>

namespace audyn::optim {

AUDYN_INLINE void NAdamOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("eps", eps_, eps_ >= 0.0, "at least 0");
    detail::check_betas(betas_);
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
    detail::check_option("momentum_decay", momentum_decay_, momentum_decay_ >= 0.0, "at least 0");
}

AUDYN_INLINE NAdam::NAdam(const std::vector<OptionsGroup<NAdamOptions>>& groups)
    : WithOptions(groups,
                  std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::host_scalar},
                                                  {.name = "mu_product", .kind = detail::FieldKind::host_scalar},
                                                  {.name = "exp_avg"},
                                                  {.name = "exp_avg_sq"}}) {}

AUDYN_INLINE double NAdam::initial_value(std::size_t field, std::size_t) const {
    return field == mu_product ? 1.0 : 0.0;
}

AUDYN_INLINE void NAdam::update(detail::TensorLists& lists) {
    const NAdamOptions options = this->options(lists.group);
    const auto [beta1, beta2] = options.betas();
    detail::count_steps(lists.state[state_step]);
    const bool decoupled = options.decoupled_weight_decay();
    if (decoupled && options.weight_decay() != 0.0) {
        at::_foreach_mul_(lists.params, 1 - options.lr() * options.weight_decay());
    }
    const std::vector<at::Tensor> grads =
        detail::decayed_gradients(lists, options.maximize(), decoupled ? 0.0 : options.weight_decay());
    at::_foreach_lerp_(lists.state[exp_avg], grads, 1 - beta1);
    at::_foreach_mul_(lists.state[exp_avg_sq], beta2);
    at::_foreach_addcmul_(lists.state[exp_avg_sq], grads, grads, 1 - beta2);

    std::vector<at::Scalar> bias_correction_sqrt;
    std::vector<at::Scalar> grad_step_sizes;
    std::vector<at::Scalar> exp_avg_step_sizes;
    for (std::size_t i = 0; i < lists.params.size(); ++i) {
        const double step = *lists.state[state_step][i].const_data_ptr<float>();
        float& product = *lists.state[mu_product][i].mutable_data_ptr<float>();
        const auto momentum_at = [&, beta = beta1](double at_step) {
            return beta * (1.0 - 0.5 * std::pow(0.96, at_step * options.momentum_decay()));
        };
        const double mu = momentum_at(step);
        const double mu_next = momentum_at(step + 1);
        product *= static_cast<float>(mu);
        bias_correction_sqrt.emplace_back(std::sqrt(1 - std::pow(beta2, step)));
        grad_step_sizes.emplace_back(-options.lr() * (1.0 - mu) / (1.0 - product));
        exp_avg_step_sizes.emplace_back(-options.lr() * mu_next / (1.0 - product * mu_next));
    }
    const std::vector<at::Tensor> denominator = at::_foreach_sqrt(lists.state[exp_avg_sq]);
    at::_foreach_div_(denominator, bias_correction_sqrt);
    at::_foreach_add_(denominator, options.eps());
    at::_foreach_addcdiv_(lists.params, grads, denominator, grad_step_sizes);
    at::_foreach_addcdiv_(lists.params, lists.state[exp_avg], denominator, exp_avg_step_sizes);
}

} // namespace audyn::optim
