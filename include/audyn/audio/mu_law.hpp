#pragma once

#include <audyn/core/inline.hpp>

#include <ATen/TensorOperators.h>

#include <cmath>
#include <cstdint>

namespace audyn::audio {

/// Compands a signal in [-1, 1] to integers in [0, quantization_channels): int64, of the same shape; torchaudio's
/// `mu_law_encoding`.
[[nodiscard]] AUDYN_INLINE at::Tensor mu_law_encode(const at::Tensor& signal, int64_t quantization_channels = 256);

/// The inverse of `mu_law_encode` up to rounding: float32, of the same shape, for integers; torchaudio's
/// `mu_law_decoding`.
[[nodiscard]] AUDYN_INLINE at::Tensor mu_law_decode(const at::Tensor& encoded, int64_t quantization_channels = 256);

} // namespace audyn::audio

#ifndef AUDYN_COMPILED
#    include <audyn/audio/mu_law.ipp>
#endif
