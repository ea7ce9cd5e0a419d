#pragma once

#include <audyn/adapter/optimizer_factory.hpp>
#include <audyn/adapter/optimizers.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/optimizer.hpp>

#include <functional>
#include <memory>

namespace audyn::adapter {

/// What the target of an optimizer with a moving average builds: it puts the average beside the optimizer, which is
/// made of `optimizer_class`.
using AveragedOptimizerFactory =
    std::function<optim::AnyOptimizer(std::unique_ptr<optim::Optimizer> optimizer,
                                      const optim::NamedParameters& parameters, const optim::NamedParameters& buffers)>;

/// Adds Audyn's ExponentialMovingAverageWrapper, and StochasticWeightAveragingWrapper made likewise.
AUDYN_INLINE void add_moving_average_targets(Targets& targets);

/// Checks the optimizer that `node` describes, with a moving average or without, or the list of several. \throws
/// ConfigError
AUDYN_INLINE void check_any_optimizer(const Targets& targets, const Config& node);

/// Builds it for `parameters`; `buffers` are those of their module. \throws ConfigError
[[nodiscard]] AUDYN_INLINE optim::AnyOptimizer
build_any_optimizer(const Targets& targets, const Config& node, const optim::NamedParameters& parameters,
                    const optim::NamedParameters& buffers = optim::NamedParameters());

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/moving_average.ipp>
#endif
