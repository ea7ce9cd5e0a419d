#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/modules/circular_pad.hpp>

#include <ATen/ops/pad.h>

namespace audyn::modules::detail {

AUDYN_INLINE at::Tensor circular_pad(const at::Tensor& input, at::IntArrayRef padding) {
    return at::pad(input, padding, "circular");
}

} // namespace audyn::modules::detail
