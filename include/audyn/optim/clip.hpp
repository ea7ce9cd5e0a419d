#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/gradient_lists.hpp>

#include <ATen/core/Tensor.h>

#include <vector>

namespace audyn::optim {

namespace detail {

/// Norm of all gradients together, a scalar on the device of the first one.
AUDYN_INLINE at::Tensor total_norm(const GradientLists& gradients, double norm_type);

} // namespace detail

/// Scales the gradients of `parameters` in place so that the norm of them all together is at most `max_norm`, and
/// returns the norm of before as a scalar tensor on the device of the first gradient. Parameters without a gradient are
/// passed over. No host synchronisation unless `error_if_nonfinite`. Mirrors `torch.nn.utils.clip_grad_norm_`.
/// \throws TrainingError when `error_if_nonfinite` is set and the norm is infinite or NaN.
AUDYN_INLINE at::Tensor clip_grad_norm_(const std::vector<at::Tensor>& parameters, double max_norm,
                                        double norm_type = 2.0, bool error_if_nonfinite = false);

/// Clamps every element of the gradients to [-clip_value, clip_value]; `torch.nn.utils.clip_grad_value_`.
AUDYN_INLINE void clip_grad_value_(const std::vector<at::Tensor>& parameters, double clip_value);

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/clip.ipp>
#endif
