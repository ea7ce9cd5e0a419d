#pragma once

#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <utility>
#include <vector>

namespace audyn::modules {

/// Options of RMSNorm with Python's names and defaults.
class RMSNormOptions {
public:
    /// The last dimensions of the input, over which the mean is taken.
    RMSNormOptions(std::vector<int64_t> normalized_shape) : normalized_shape_(std::move(normalized_shape)) {}
    RMSNormOptions(int64_t normalized_size) : normalized_shape_{normalized_size} {}
    /// Added to the mean of the squares; nothing: the least step of the input's type.
    RMSNormOptions& eps(std::optional<double> value) { return eps_ = value, *this; }
    /// Whether there is a weight for each element.
    RMSNormOptions& elementwise_affine(bool value) { return elementwise_affine_ = value, *this; }

    [[nodiscard]] const std::vector<int64_t>& normalized_shape() const { return normalized_shape_; }
    [[nodiscard]] std::optional<double> eps() const { return eps_; }
    [[nodiscard]] bool elementwise_affine() const { return elementwise_affine_; }

private:
    std::vector<int64_t> normalized_shape_;
    std::optional<double> eps_;
    bool elementwise_affine_ = true;
};

class RMSNormImpl : public torch::nn::Cloneable<RMSNormImpl> {
public:
    explicit RMSNormImpl(RMSNormOptions options);

    AUDYN_INLINE void reset() override;
    void reset_parameters();
    AUDYN_INLINE void pretty_print(std::ostream& stream) const override;

    /// (..., normalized_shape) -> the same shape
    at::Tensor forward(const at::Tensor& input);

    RMSNormOptions options;
    /// Undefined without elementwise_affine.
    at::Tensor weight;
};

/// `torch.nn.RMSNorm`: input / sqrt(mean(input^2) + eps) * weight.
TORCH_MODULE(RMSNorm);

} // namespace audyn::modules

#ifndef AUDYN_COMPILED
#    include <audyn/modules/rms_norm.ipp>
#endif
