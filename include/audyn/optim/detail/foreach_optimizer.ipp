#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/foreach_optimizer.hpp>

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_neg.h>

namespace audyn::optim::detail {

AUDYN_INLINE void ForeachOptimizer::step() {
    const at::NoGradGuard no_grad;
    // With nothing to record, autograd's own kernels only copy the lists.
    const at::AutoDispatchBelowAutograd below_autograd;
    for_each_list([&](TensorLists& lists) {
        if (lists.params.front().is_cpu()) {
            update_one_by_one(lists);
        } else {
            update(lists);
        }
    });
}

AUDYN_INLINE void ForeachOptimizer::update_one_by_one(const TensorLists& lists) {
    TensorLists one;
    one.group = lists.group;
    one.state.resize(lists.state.size());
    for (std::size_t i = 0; i < lists.params.size(); ++i) {
        one.active = {lists.active[i]};
        one.params = {lists.params[i]};
        one.grads = {lists.grads[i]};
        for (std::size_t field = 0; field < lists.state.size(); ++field) {
            if (!lists.state[field].empty()) {
                one.state[field] = {lists.state[field][i]};
            }
        }
        update(one);
    }
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
