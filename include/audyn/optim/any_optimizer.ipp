#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/any_optimizer.hpp>

namespace audyn::optim {

AUDYN_INLINE AnyOptimizer::AnyOptimizer(std::unique_ptr<Optimizer> optimizer) : optimizer_(std::move(optimizer)) {
    if (!optimizer_) {
        throw UsageError("AnyOptimizer needs an optimizer");
    }
}

} // namespace audyn::optim
