#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/adamax.hpp>

#include <ATen/ops/_foreach_abs.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_maximum.h>
#include <ATen/ops/_foreach_mul.h>

#include <cmath>

namespace audyn::optim {

AUDYN_INLINE void AdamaxOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("eps", eps_, eps_ >= 0.0, "at least 0");
    detail::check_betas(betas_);
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
}

AUDYN_INLINE Adamax::Adamax(const std::vector<OptionsGroup<AdamaxOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::host_scalar},
                                                          {.name = "exp_avg"},
                                                          {.name = "exp_inf"}}) {}

AUDYN_INLINE void Adamax::update(detail::TensorLists& lists) {
    const AdamaxOptions options = this->options(lists.group);
    const auto [beta1, beta2] = options.betas();
    detail::count_steps(lists.state[state_step]);
    std::vector<at::Tensor> grads = detail::decayed_gradients(lists, options.maximize(), options.weight_decay());
    at::_foreach_lerp_(lists.state[exp_avg], grads, 1 - beta1);
    at::_foreach_mul_(lists.state[exp_inf], beta2);
    if (options.maximize() || options.weight_decay() != 0.0) {
        at::_foreach_abs_(grads);
    } else {
        grads = at::_foreach_abs(grads);
    }
    at::_foreach_add_(grads, options.eps());
    at::_foreach_maximum_(lists.state[exp_inf], grads);
    const std::vector<at::Scalar> step_sizes =
        detail::scalars_of(lists.state[state_step],
                           [lr = options.lr(), beta = beta1](double step) { return -lr / (1 - std::pow(beta, step)); });
    at::_foreach_addcdiv_(lists.params, lists.state[exp_avg], lists.state[exp_inf], step_sizes);
}

} // namespace audyn::optim
