#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/config.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// Audyn's list forms, `optimizer: [{name, modules: [...], optimizer: {...}}]` and `lr_scheduler: [{name, lr_scheduler:
/// {...}}]`. A name that is left out is the place in the list.
namespace audyn::adapter {

/// Checks the list of optimizers. \throws ConfigError that tells every mistake.
AUDYN_INLINE void check_multi_optimizers(const Targets& targets, const Config& node);

/// Builds it: each optimizer has the parameters below its `modules`, attributes of the model. \throws ConfigError also
/// for a module that does not exist or has no parameters, and for a parameter that two optimizers have.
[[nodiscard]] AUDYN_INLINE optim::AnyOptimizer build_multi_optimizers(const Targets& targets, const Config& node,
                                                                      const optim::NamedParameters& parameters,
                                                                      const optim::NamedParameters& buffers);

/// The names of the parameters that are trained and that no optimizer has: a mistake, or else they could be frozen.
[[nodiscard]] AUDYN_INLINE std::vector<std::string>
parameters_without_optimizer(const optim::NamedParameters& parameters,
                             const std::vector<const optim::AnyOptimizer*>& optimizers);

/// Whether `node` describes a scheduler, or several with at least one that changes something.
[[nodiscard]] AUDYN_INLINE bool has_lr_scheduler(const Config& node);

/// Checks `node`, the scheduler of what `optimizer` describes or a list for a list. \throws ConfigError
AUDYN_INLINE void check_lr_scheduler(const Targets& targets, const Config& node, const Config& optimizer);

/// Builds it. `total_steps`: how often it will step in the whole run. \throws ConfigError
[[nodiscard]] AUDYN_INLINE std::unique_ptr<optim::LRScheduler>
build_lr_scheduler(const Targets& targets, const Config& node, optim::AnyOptimizer& optimizer, int64_t total_steps);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/multi_optimizers.ipp>
#endif
