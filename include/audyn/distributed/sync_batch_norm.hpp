#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/process_group.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/options/batchnorm.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace audyn::distributed {

namespace detail {

/// Batch normalisation with the mean and variance of all ranks' batches.
class SyncBatchNormFunction : public torch::autograd::Function<SyncBatchNormFunction> {
public:
    using Context = torch::autograd::AutogradContext;

    /// `input`: (N, C, ...). `mean`, `invstd`: (C), `total`: (), of all ranks, in the type that statistics have.
    static at::Tensor forward(Context* context, const at::Tensor& input, const at::Tensor& weight,
                              const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& invstd,
                              const at::Tensor& total, const c10::intrusive_ptr<c10d::ProcessGroup>& group);

    static torch::autograd::variable_list backward(Context* context, const torch::autograd::variable_list& gradients);

    /// All dimensions but that of the channels.
    static std::vector<int64_t> other_dims(const at::Tensor& input);

    static at::Tensor over_channels(const at::Tensor& values, const at::Tensor& input);
};

} // namespace detail

/// Batch normalisation over (N, C, ...) with the statistics of all ranks' batches while it trains; Python's
/// `torch.nn.SyncBatchNorm`, on any device. Without a process group, with one rank, and in evaluation it is an ordinary
/// batch norm, whose parameters and buffers have the same names. All ranks call it together when it trains.
class SyncBatchNormImpl : public torch::nn::Cloneable<SyncBatchNormImpl> {
public:
    explicit SyncBatchNormImpl(int64_t num_features) : SyncBatchNormImpl(torch::nn::BatchNormOptions(num_features)) {}
    explicit SyncBatchNormImpl(const torch::nn::BatchNormOptions& options_) : options(options_) { make(); }

    /// With the tensors of a batch norm that has the same options, so that an optimizer made before keeps its
    /// parameters.
    template <class Norm>
    requires requires(const Norm& norm) { norm.num_batches_tracked; }
    explicit SyncBatchNormImpl(const Norm& norm) : options(norm.options) {
        const auto trains = [](const at::Tensor& parameter) {
            return parameter.defined() && parameter.requires_grad();
        };
        weight = register_parameter("weight", norm.weight, trains(norm.weight));
        bias = register_parameter("bias", norm.bias, trains(norm.bias));
        running_mean = register_buffer("running_mean", norm.running_mean);
        running_var = register_buffer("running_var", norm.running_var);
        num_batches_tracked = register_buffer("num_batches_tracked", norm.num_batches_tracked);
        train(norm.is_training());
    }

    void reset() override { make(); }

    AUDYN_INLINE void pretty_print(std::ostream& stream) const override;

    /// `input`: (N, C, ...), of C channels; N and the rest may differ between ranks.
    /// \throws UsageError when there are other channels, or just one value for each.
    at::Tensor forward(const at::Tensor& input);

    torch::nn::BatchNormOptions options;
    at::Tensor weight;
    at::Tensor bias;
    at::Tensor running_mean;
    at::Tensor running_var;
    at::Tensor num_batches_tracked;

private:
    void make();

    at::Tensor synchronized(ProcessGroup& group, const at::Tensor& input, double factor);
};
TORCH_MODULE(SyncBatchNorm);

/// Puts a SyncBatchNorm with the same parameters and buffers in the place of each batch norm within the
/// torch::nn::Sequential containers of `module`; Python's `convert_sync_batchnorm`. \returns how many.
/// \throws UsageError naming a batch norm elsewhere: a member of a C++ class cannot be exchanged from outside; declare
/// it as audyn::SyncBatchNorm.
AUDYN_INLINE int64_t convert_sync_batch_norm(torch::nn::Module& module, const std::string& prefix = {});

} // namespace audyn::distributed

namespace audyn {
using distributed::SyncBatchNorm;
using distributed::SyncBatchNormImpl;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/sync_batch_norm.ipp>
#endif
