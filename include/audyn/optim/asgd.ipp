#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/asgd.hpp>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_pow.h>
#include <ATen/ops/_foreach_reciprocal.h>
#include <ATen/ops/_foreach_sub.h>

namespace audyn::optim {

AUDYN_INLINE void ASGDOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
}

AUDYN_INLINE ASGD::ASGD(const std::vector<OptionsGroup<ASGDOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::device_scalar},
                                                          {.name = "eta", .kind = detail::FieldKind::device_scalar},
                                                          {.name = "mu", .kind = detail::FieldKind::device_scalar},
                                                          {.name = "ax"}}) {}

AUDYN_INLINE double ASGD::initial_value(std::size_t field, std::size_t group) const {
    return field == eta ? groups()[group].lr : field == mu ? 1.0 : 0.0;
}

AUDYN_INLINE void ASGD::update(detail::TensorLists& lists) {
    const ASGDOptions options = this->options(lists.group);
    const std::vector<at::Tensor>& steps = lists.state[state_step];
    at::_foreach_add_(steps, 1);
    std::vector<at::Tensor> change = detail::decayed_gradients(lists, options.maximize(), options.weight_decay());
    if (options.maximize() || options.weight_decay() != 0.0) {
        at::_foreach_add_(change, lists.params, options.lambd());
    } else {
        change = at::_foreach_add(change, lists.params, options.lambd());
    }
    at::_foreach_addcmul_(lists.params, change, lists.state[eta], -1);
    const std::vector<at::Tensor> distance = at::_foreach_sub(lists.params, lists.state[ax], 1);
    at::_foreach_addcmul_(lists.state[ax], distance, lists.state[mu], 1);

    // For the next step, on the device of the counters: mu = 1 / max(1, step - t0).
    at::_foreach_copy_(lists.state[mu], steps);
    at::_foreach_sub_(lists.state[mu], options.t0());
    at::_foreach_clamp_min_(lists.state[mu], 1);
    at::_foreach_reciprocal_(lists.state[mu]);
    // eta = lr / (1 + lambd * lr * step)^alpha
    at::_foreach_copy_(lists.state[eta], steps);
    at::_foreach_mul_(lists.state[eta], options.lambd() * options.lr());
    at::_foreach_add_(lists.state[eta], 1);
    at::_foreach_pow_(lists.state[eta], options.alpha());
    at::_foreach_reciprocal_(lists.state[eta]);
    at::_foreach_mul_(lists.state[eta], options.lr());
}

} // namespace audyn::optim
