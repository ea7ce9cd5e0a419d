#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/fused_optimizer.hpp>

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>

namespace audyn::optim::detail {

AUDYN_INLINE void FusedOptimizer::step(const at::Tensor& grad_scale, const at::Tensor& found_inf) {
    Scaling scaling;
    if (grad_scale.defined()) {
        scaling.grad_scale = grad_scale;
    }
    if (found_inf.defined()) {
        scaling.found_inf = found_inf;
    }
    step_all(scaling);
}

AUDYN_INLINE void FusedOptimizer::step_all(const Scaling& scaling) {
    const at::NoGradGuard no_grad;
    // With nothing to record, autograd's own kernels only copy the lists.
    const at::AutoDispatchBelowAutograd below_autograd;
    for_each_list([&](TensorLists& lists) {
        step_lists(lists, scaling);
        // The fused kernels do not count, and a backward through the values of before would be wrong without an error.
        for (const at::Tensor& parameter : lists.params) {
            parameter.unsafeGetTensorImpl()->bump_version();
        }
    });
}

AUDYN_INLINE void FusedOptimizer::step_lists(TensorLists& lists, const Scaling& scaling) {
    if (!scaling.found_inf) {
        update(lists, scaling);
        return;
    }
    const at::Device device = lists.params.front().device();
    Scaling local{scaling.grad_scale, scaling.found_inf->to(device, /*non_blocking=*/!device.is_cpu())};
    if (local.grad_scale) {
        local.grad_scale = local.grad_scale->to(device, /*non_blocking=*/!device.is_cpu());
    }
    // Where reading costs no synchronisation, a step is skipped here, else in the kernel.
    if (!device.is_cpu() || *local.found_inf->const_data_ptr<float>() == 0.0F) {
        update(lists, local);
    }
}

} // namespace audyn::optim::detail
