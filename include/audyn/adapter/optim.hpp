#pragma once

#include <audyn/adapter/optimizer_factory.hpp>
#include <audyn/adapter/optimizers.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/optim/schedulers.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace audyn::adapter {

/// What a scheduler's target builds. `total_steps`: how often it will step in the whole run.
using SchedulerFactory =
    std::function<std::shared_ptr<optim::LRScheduler>(optim::Optimizer& optimizer, int64_t total_steps)>;

namespace detail {

AUDYN_INLINE optim::AnnealStrategy anneal_strategy(const std::string& name);

/// Python's rule: total_steps, or epochs * steps_per_epoch; here also neither, which means the whole run.
AUDYN_INLINE int64_t one_cycle_steps(std::optional<int64_t> total_steps, std::optional<int64_t> epochs,
                                     std::optional<int64_t> steps_per_epoch, int64_t run_steps);

AUDYN_INLINE void add_one_cycle(Targets& targets);

AUDYN_INLINE void add_schedulers(Targets& targets);

} // namespace detail

/// Adds the optimizers and schedulers under PyTorch's names.
AUDYN_INLINE void add_optim_targets(Targets& targets);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/optim.ipp>
#endif
