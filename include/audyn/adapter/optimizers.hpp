#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/core/inline.hpp>

namespace audyn::adapter {

/// Adds the optimizers under PyTorch's names, with Python's arguments and defaults.
AUDYN_INLINE void add_optimizers(Targets& targets);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/optimizers.ipp>
#endif
