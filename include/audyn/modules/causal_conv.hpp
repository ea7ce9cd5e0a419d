#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/modules/copy_state.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>

#include <memory>
#include <optional>

namespace audyn::modules {

class CausalConv1dImpl : public torch::nn::Conv1dImpl {
public:
    /// \throws UsageError when the options have a padding or a padding mode.
    explicit CausalConv1dImpl(torch::nn::Conv1dOptions options);

    /// (batch, in_channels, time) -> (batch, out_channels, ceil(time / stride))
    at::Tensor forward(const at::Tensor& input);

    [[nodiscard]] AUDYN_INLINE std::shared_ptr<torch::nn::Module>
    clone(const std::optional<at::Device>& device = std::nullopt) const override;

private:
    torch::nn::Conv1dOptions chosen_;
};

/// A convolution over time whose output at one moment depends on the input up to that moment: as `torch.nn.Conv1d`
/// after `torch.nn.functional.pad(input, (dilation * (kernel_size - 1), 0))`. Its parameters are those of Conv1d.
TORCH_MODULE(CausalConv1d);

} // namespace audyn::modules

#ifndef AUDYN_COMPILED
#    include <audyn/modules/causal_conv.ipp>
#endif
