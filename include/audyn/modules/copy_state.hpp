#pragma once

#include <audyn/core/inline.hpp>

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <optional>

namespace audyn::modules::detail {

/// For `clone` of a class that extends one of libtorch's, whose own `clone` would make the class that it knows: gives
/// `copy`, which was just made alike, the parameters, buffers and mode of `module`.
AUDYN_INLINE void copy_state(const torch::nn::Module& module, torch::nn::Module& copy,
                             const std::optional<at::Device>& device);

} // namespace audyn::modules::detail

#ifndef AUDYN_COMPILED
#    include <audyn/modules/copy_state.ipp>
#endif
