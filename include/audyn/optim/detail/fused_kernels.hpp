#pragma once

#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

/// libtorch's fused optimizer kernels; what may differ between its versions stays here.
namespace audyn::optim::detail {

/// What a gradient scaler gives to a fused step, on the device of the parameters. Both unset in a plain step.
struct Scaling {
    std::optional<at::Tensor> grad_scale;
    std::optional<at::Tensor> found_inf;
};

/// Options of Adam and AdamW for one call.
struct AdamArguments {
    double lr;
    double beta1;
    double beta2;
    double weight_decay;
    double eps;
    bool amsgrad;
    bool maximize;
    bool decoupled_weight_decay;
};

/// Options of SGD for one call.
struct SGDArguments {
    double weight_decay;
    double momentum;
    double lr;
    double dampening;
    bool nesterov;
    bool maximize;
};

/// Options of Adagrad for one call.
struct AdagradArguments {
    double lr;
    double lr_decay;
    double weight_decay;
    double eps;
    bool maximize;
};

/// Adds one to each step counter, a float32 scalar, unless the kernel is going to skip the step.
AUDYN_INLINE void count_step(const std::vector<at::Tensor>& steps, const Scaling& scaling);

AUDYN_INLINE void fused_adam(const std::vector<at::Tensor>& params, const std::vector<at::Tensor>& grads,
                             const std::vector<at::Tensor>& exp_avgs, const std::vector<at::Tensor>& exp_avg_sqs,
                             const std::vector<at::Tensor>& max_exp_avg_sqs, const std::vector<at::Tensor>& steps,
                             const AdamArguments& options, const Scaling& scaling);

/// With `is_first_step` the buffers are set to the gradients, without dampening.
AUDYN_INLINE void fused_sgd(const std::vector<at::Tensor>& params, const std::vector<at::Tensor>& grads,
                            const std::vector<at::Tensor>& momentum_buffers, const SGDArguments& options,
                            bool is_first_step, const Scaling& scaling);

/// Whether the linked libtorch has Adagrad's kernel for `device`.
AUDYN_INLINE bool has_fused_adagrad(const at::Device& device);

AUDYN_INLINE void fused_adagrad(const std::vector<at::Tensor>& params, const std::vector<at::Tensor>& grads,
                                const std::vector<at::Tensor>& sums, const std::vector<at::Tensor>& steps,
                                const AdagradArguments& options, const Scaling& scaling);

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/fused_kernels.ipp>
#endif
