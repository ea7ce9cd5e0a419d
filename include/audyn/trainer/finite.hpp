#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <optional>
#include <string>
#include <vector>

namespace audyn::trainer {

/// True when no element is infinite or NaN. On the CPU it works in pieces that libtorch does not spread over threads,
/// so that it may run beside a training.
[[nodiscard]] AUDYN_INLINE bool is_finite(const at::Tensor& tensor);

/// The first of `names` whose tensor in `model` is not finite: a module's state, or those of a GAN's parts under their
/// names.
[[nodiscard]] AUDYN_INLINE std::optional<std::string> first_non_finite(const StateDict& model,
                                                                       const std::vector<std::string>& names);

[[nodiscard]] AUDYN_INLINE std::vector<std::string> parameter_names(const torch::nn::Module& module);

} // namespace audyn::trainer

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/finite.ipp>
#endif
