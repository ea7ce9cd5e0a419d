#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/adagrad.hpp>
#include <audyn/optim/detail/foreach_optimizer.hpp>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_foreach_sub.h>

#include <algorithm>

namespace audyn::optim {

AUDYN_INLINE void AdagradOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("lr_decay", lr_decay_, lr_decay_ >= 0.0, "at least 0");
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
    detail::check_option("initial_accumulator_value", initial_accumulator_value_, initial_accumulator_value_ >= 0.0,
                         "at least 0");
    detail::check_option("eps", eps_, eps_ >= 0.0, "at least 0");
}

AUDYN_INLINE Adagrad::Adagrad(const std::vector<OptionsGroup<AdagradOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::device_scalar},
                                                          {.name = "sum"}}) {
    has_kernel_ = std::all_of(parameters().begin(), parameters().end(), [](const at::Tensor& parameter) {
        return detail::has_fused_adagrad(parameter.device());
    });
    make_state();
}

AUDYN_INLINE double Adagrad::initial_value(std::size_t field, std::size_t group) const {
    return field == sum ? options(group).initial_accumulator_value() : 0.0;
}

AUDYN_INLINE void Adagrad::step(const at::Tensor& grad_scale, const at::Tensor& found_inf) {
    if (has_kernel_) {
        FusedOptimizer::step(grad_scale, found_inf);
    } else {
        Optimizer::step(grad_scale, found_inf);
    }
}

AUDYN_INLINE void Adagrad::update(detail::TensorLists& lists, const detail::Scaling& scaling) {
    const AdagradOptions options = this->options(lists.group);
    detail::count_step(lists.state[state_step], scaling);
    if (detail::has_fused_adagrad(lists.params.front().device())) {
        detail::fused_adagrad(lists.params, lists.grads, lists.state[sum], lists.state[state_step],
                              {.lr = options.lr(),
                               .lr_decay = options.lr_decay(),
                               .weight_decay = options.weight_decay(),
                               .eps = options.eps(),
                               .maximize = options.maximize()},
                              scaling);
    } else {
        update_without_kernel(lists, options);
    }
}

AUDYN_INLINE void Adagrad::update_without_kernel(detail::TensorLists& lists, const AdagradOptions& options) {
    const std::vector<at::Tensor> grads = detail::decayed_gradients(lists, options.maximize(), options.weight_decay());
    // The counters lie on the device: the rate lr / (1 + (step - 1) * lr_decay) is computed there.
    const std::vector<at::Tensor> slowdown = at::_foreach_sub(lists.state[state_step], 1);
    at::_foreach_mul_(slowdown, options.lr_decay());
    at::_foreach_add_(slowdown, 1);
    const std::vector<at::Tensor> numerator = at::_foreach_mul(grads, -options.lr());
    at::_foreach_div_(numerator, slowdown);
    at::_foreach_addcmul_(lists.state[sum], grads, grads, 1);
    const std::vector<at::Tensor> std = at::_foreach_sqrt(lists.state[sum]);
    at::_foreach_add_(std, options.eps());
    at::_foreach_addcdiv_(lists.params, numerator, std, 1);
}

} // namespace audyn::optim
