#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/rprop.hpp>

#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_neg.h>
#include <ATen/ops/_foreach_sign.h>

namespace audyn::optim {

AUDYN_INLINE void RpropOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("etas[0]", etas_.first, etas_.first > 0.0 && etas_.first < 1.0, "between 0 and 1");
    detail::check_option("etas[1]", etas_.second, etas_.second > 1.0, "greater than 1");
}

AUDYN_INLINE Rprop::Rprop(const std::vector<OptionsGroup<RpropOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::host_scalar},
                                                          {.name = "prev"},
                                                          {.name = "step_size"}}) {}

AUDYN_INLINE double Rprop::initial_value(std::size_t field, std::size_t group) const {
    return field == step_size ? groups()[group].lr : 0.0;
}

AUDYN_INLINE void Rprop::update(detail::TensorLists& lists) {
    const RpropOptions options = this->options(lists.group);
    const auto [shrink, grow] = options.etas();
    detail::count_steps(lists.state[state_step]);
    const std::vector<at::Tensor> factors = at::_foreach_mul(lists.grads, lists.state[prev]);
    at::_foreach_copy_(lists.state[prev], lists.grads);
    if (options.maximize()) {
        at::_foreach_neg_(factors);
        at::_foreach_neg_(lists.state[prev]);
    }
    // A step size grows while its gradient keeps the sign. When the sign has turned it shrinks, and the step is left
    // out.
    for (std::size_t i = 0; i < factors.size(); ++i) {
        const at::Tensor& factor = factors[i];
        const at::Tensor has_turned = factor.lt(0);
        const at::Tensor has_stayed = factor.gt(0);
        factor.fill_(1).masked_fill_(has_turned, shrink).masked_fill_(has_stayed, grow);
        lists.state[prev][i].masked_fill_(has_turned, 0);
    }
    at::_foreach_mul_(lists.state[step_size], factors);
    at::_foreach_clamp_min_(lists.state[step_size], options.step_sizes().first);
    at::_foreach_clamp_max_(lists.state[step_size], options.step_sizes().second);
    const std::vector<at::Tensor> directions = at::_foreach_sign(lists.state[prev]);
    at::_foreach_addcmul_(lists.params, directions, lists.state[step_size], -1);
}

} // namespace audyn::optim
