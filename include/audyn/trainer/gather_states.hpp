#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace audyn::trainer {

/// A DistPolicy's `all_gather`: tensors of one shape and type, by rank.
using AllGather = std::function<std::vector<at::Tensor>(const at::Tensor&)>;

/// The states that all ranks give, by rank. All ranks call it together; tensors of the result lie on the CPU.
/// \throws DistributedError
[[nodiscard]] AUDYN_INLINE std::vector<StateDict> gather_states(const StateDict& own, const AllGather& all_gather);

} // namespace audyn::trainer

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/gather_states.ipp>
#endif
