#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/fused_kernels.hpp>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adagrad.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/rsub.h>
#include <c10/core/TensorOptions.h>

namespace audyn::optim::detail {

AUDYN_INLINE void count_step(const std::vector<at::Tensor>& steps, const Scaling& scaling) {
    if (steps.front().is_cpu()) {
        // A skipped step does not come here on a CPU. Written directly: an operator call each would take longer than
        // the step itself for small parameters.
        for (const at::Tensor& step : steps) {
            *step.mutable_data_ptr<float>() += 1.0F;
        }
    } else if (scaling.found_inf) {
        at::_foreach_add_(steps, at::rsub(*scaling.found_inf, 1));
    } else {
        at::_foreach_add_(steps, 1);
    }
}

AUDYN_INLINE void fused_adam(const std::vector<at::Tensor>& params, const std::vector<at::Tensor>& grads,
                             const std::vector<at::Tensor>& exp_avgs, const std::vector<at::Tensor>& exp_avg_sqs,
                             const std::vector<at::Tensor>& max_exp_avg_sqs, const std::vector<at::Tensor>& steps,
                             const AdamArguments& options, const Scaling& scaling) {
    if (options.decoupled_weight_decay) {
        at::_fused_adamw_(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, options.lr, options.beta1,
                          options.beta2, options.weight_decay, options.eps, options.amsgrad, options.maximize,
                          scaling.grad_scale, scaling.found_inf);
    } else {
        at::_fused_adam_(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, options.lr, options.beta1,
                         options.beta2, options.weight_decay, options.eps, options.amsgrad, options.maximize,
                         scaling.grad_scale, scaling.found_inf);
    }
}

AUDYN_INLINE void fused_sgd(const std::vector<at::Tensor>& params, const std::vector<at::Tensor>& grads,
                            const std::vector<at::Tensor>& momentum_buffers, const SGDArguments& options,
                            bool is_first_step, const Scaling& scaling) {
    at::_fused_sgd_(params, grads, momentum_buffers, options.weight_decay, options.momentum, options.lr,
                    options.dampening, options.nesterov, options.maximize, is_first_step, scaling.grad_scale,
                    scaling.found_inf);
}

AUDYN_INLINE bool has_fused_adagrad(const at::Device& device) {
    static const c10::OperatorHandle kernel =
        c10::Dispatcher::singleton().findSchemaOrThrow("aten::_fused_adagrad_", "");
    return kernel.hasKernelForDispatchKey(c10::computeDispatchKey(std::nullopt, std::nullopt, device));
}

AUDYN_INLINE void fused_adagrad(const std::vector<at::Tensor>& params, const std::vector<at::Tensor>& grads,
                                const std::vector<at::Tensor>& sums, const std::vector<at::Tensor>& steps,
                                const AdagradArguments& options, const Scaling& scaling) {
    at::_fused_adagrad_(params, grads, sums, steps, options.lr, options.lr_decay, options.weight_decay, options.eps,
                        options.maximize, scaling.grad_scale, scaling.found_inf);
}

} // namespace audyn::optim::detail
