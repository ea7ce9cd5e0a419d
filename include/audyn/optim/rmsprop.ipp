#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/rmsprop.hpp>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

namespace audyn::optim {

AUDYN_INLINE void RMSpropOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("alpha", alpha_, alpha_ >= 0.0, "at least 0");
    detail::check_option("eps", eps_, eps_ >= 0.0, "at least 0");
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
    detail::check_option("momentum", momentum_, momentum_ >= 0.0, "at least 0");
}

AUDYN_INLINE RMSprop::RMSprop(const std::vector<OptionsGroup<RMSpropOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::host_scalar},
                                                          {.name = "square_avg"},
                                                          {.name = "momentum_buffer", .is_optional = true},
                                                          {.name = "grad_avg", .is_optional = true}}) {}

AUDYN_INLINE bool RMSprop::uses_field(std::size_t field, std::size_t group) const {
    return field == momentum_buffer ? *groups()[group].momentum > 0.0
           : field == grad_avg      ? options(group).centered()
                                    : true;
}

AUDYN_INLINE void RMSprop::update(detail::TensorLists& lists) {
    const RMSpropOptions options = this->options(lists.group);
    detail::count_steps(lists.state[state_step]);
    const std::vector<at::Tensor> grads = detail::decayed_gradients(lists, options.maximize(), options.weight_decay());
    at::_foreach_mul_(lists.state[square_avg], options.alpha());
    at::_foreach_addcmul_(lists.state[square_avg], grads, grads, 1 - options.alpha());
    std::vector<at::Tensor> avg;
    if (options.centered()) {
        const std::vector<at::Tensor>& grad_avgs = lists.state[grad_avg];
        at::_foreach_lerp_(grad_avgs, grads, 1 - options.alpha());
        avg = at::_foreach_addcmul(lists.state[square_avg], grad_avgs, grad_avgs, -1);
        at::_foreach_sqrt_(avg);
    } else {
        avg = at::_foreach_sqrt(lists.state[square_avg]);
    }
    at::_foreach_add_(avg, options.eps());
    if (options.momentum() > 0.0) {
        at::_foreach_mul_(lists.state[momentum_buffer], options.momentum());
        at::_foreach_addcdiv_(lists.state[momentum_buffer], grads, avg, 1);
        at::_foreach_add_(lists.params, lists.state[momentum_buffer], -options.lr());
    } else {
        at::_foreach_addcdiv_(lists.params, grads, avg, -options.lr());
    }
}

} // namespace audyn::optim
