#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>
#include <vector>

namespace audyn::optim {

AUDYN_INLINE AnyOptimizer::AnyOptimizer(std::unique_ptr<Optimizer> optimizer) : optimizer_(std::move(optimizer)) {
    if (!optimizer_) {
        throw UsageError("AnyOptimizer needs an optimizer");
    }
}

} // namespace audyn::optim
