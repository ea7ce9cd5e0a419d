#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/adadelta.hpp>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

namespace audyn::optim {

AUDYN_INLINE void AdadeltaOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("rho", rho_, rho_ >= 0.0 && rho_ <= 1.0, "in [0, 1]");
    detail::check_option("eps", eps_, eps_ >= 0.0, "at least 0");
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
}

AUDYN_INLINE Adadelta::Adadelta(const std::vector<OptionsGroup<AdadeltaOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::host_scalar},
                                                          {.name = "square_avg"},
                                                          {.name = "acc_delta"}}) {}

AUDYN_INLINE void Adadelta::update(detail::TensorLists& lists) {
    const AdadeltaOptions options = this->options(lists.group);
    detail::count_steps(lists.state[state_step]);
    const std::vector<at::Tensor> grads = detail::decayed_gradients(lists, options.maximize(), options.weight_decay());
    at::_foreach_mul_(lists.state[square_avg], options.rho());
    at::_foreach_addcmul_(lists.state[square_avg], grads, grads, 1 - options.rho());
    const std::vector<at::Tensor> std = at::_foreach_add(lists.state[square_avg], options.eps());
    at::_foreach_sqrt_(std);
    const std::vector<at::Tensor> deltas = at::_foreach_add(lists.state[acc_delta], options.eps());
    at::_foreach_sqrt_(deltas);
    at::_foreach_div_(deltas, std);
    at::_foreach_mul_(deltas, grads);
    at::_foreach_mul_(lists.state[acc_delta], options.rho());
    at::_foreach_addcmul_(lists.state[acc_delta], deltas, deltas, 1 - options.rho());
    at::_foreach_add_(lists.params, deltas, -options.lr());
}

} // namespace audyn::optim
