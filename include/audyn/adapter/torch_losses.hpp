#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/core/inline.hpp>

namespace audyn::adapter {

/// Adds the losses that libtorch has, under the names of `torch.nn` and with Python's arguments and defaults; tensors
/// among these, as the weights of classes, are lists of numbers, and the `distance_function` of
/// TripletMarginWithDistanceLoss is a target of the program that gives a std::function of two tensors. What a loss
/// compares has Python's names too: `key_mapping.estimated: {log_probs: ...}` for CTCLoss.
AUDYN_INLINE void add_torch_losses(Targets& targets);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/torch_losses.ipp>
#endif
