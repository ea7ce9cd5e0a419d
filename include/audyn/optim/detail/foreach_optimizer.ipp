#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/foreach_optimizer.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_neg.h>

namespace audyn::optim::detail {

AUDYN_INLINE void ForeachOptimizer::step() {
    const at::NoGradGuard no_grad;
    for_each_list([&](TensorLists& lists) { update(lists); });
}

AUDYN_INLINE void count_steps(const std::vector<at::Tensor>& steps) {
    for (const at::Tensor& step : steps) {
        *step.mutable_data_ptr<float>() += 1.0F;
    }
}

AUDYN_INLINE std::vector<at::Tensor> decayed_gradients(const TensorLists& lists, bool maximize, double weight_decay) {
    if (!maximize) {
        return weight_decay == 0.0 ? lists.grads : at::_foreach_add(lists.grads, lists.params, weight_decay);
    }
    std::vector<at::Tensor> grads = at::_foreach_neg(lists.grads);
    if (weight_decay != 0.0) {
        at::_foreach_add_(grads, lists.params, weight_decay);
    }
    return grads;
}

} // namespace audyn::optim::detail
