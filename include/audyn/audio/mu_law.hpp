#pragma once

#include <ATen/TensorOperators.h>

#include <cmath>
#include <cstdint>

namespace audyn::audio {

/// Compands a signal in [-1, 1] to integers in [0, quantization_channels): int64, of the same shape; torchaudio's
/// `mu_law_encoding`.
[[nodiscard]] inline at::Tensor mu_law_encode(const at::Tensor& signal, int64_t quantization_channels = 256) {
    const auto mu = static_cast<double>(quantization_channels - 1);
    const at::Tensor companded = signal.sign() * (mu * signal.abs()).log1p() / std::log1p(mu);
    return ((companded + 1.0) / 2.0 * mu + 0.5).to(at::kLong);
}

/// The inverse of `mu_law_encode` up to rounding: float32, of the same shape, for integers; torchaudio's
/// `mu_law_decoding`.
[[nodiscard]] inline at::Tensor mu_law_decode(const at::Tensor& encoded, int64_t quantization_channels = 256) {
    const auto mu = static_cast<double>(quantization_channels - 1);
    const at::Tensor values = encoded.is_floating_point() ? encoded : encoded.to(at::kFloat);
    const at::Tensor companded = values / mu * 2.0 - 1.0;
    return companded.sign() * ((companded.abs() * std::log1p(mu)).exp() - 1.0) / mu;
}

} // namespace audyn::audio
