#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace audyn::adapter {

/// What a scheduler's target builds. `total_steps`: how often it will step, in the whole run or, within SequentialLR,
/// in its part of it.
using SchedulerFactory =
    std::function<std::unique_ptr<optim::LRScheduler>(optim::Optimizer& optimizer, int64_t total_steps)>;

namespace detail {

/// A factory that hands `arguments` to the scheduler's constructor.
template <class Scheduler, class... Arguments>
SchedulerFactory scheduler_factory(Arguments... arguments) {
    return [=](optim::Optimizer& optimizer, int64_t) { return std::make_unique<Scheduler>(optimizer, arguments...); };
}

/// \throws UsageError unless `last_epoch` is -1, Python's default.
AUDYN_INLINE void check_last_epoch(int64_t last_epoch);

/// A target that takes `specs` and Python's `last_epoch`, and returns what `make` makes of them.
template <class... Parameters, class Make, class... Specs>
void add_scheduler(Targets& targets, const std::string& name, Make make, Specs... specs) {
    targets.add_function<SchedulerFactory>(
        name, constructor<Parameters..., int64_t>(std::move(specs)..., arg("last_epoch") = -1),
        [make](Parameters... parameters, int64_t last_epoch) -> SchedulerFactory {
            check_last_epoch(last_epoch);
            return make(std::move(parameters)...);
        });
}

/// The same where the constructor takes the arguments as they are.
template <class Scheduler, class... Parameters, class... Specs>
void add_plain_scheduler(Targets& targets, const std::string& name, Specs... specs) {
    add_scheduler<Parameters...>(
        targets, name, [](Parameters... parameters) { return scheduler_factory<Scheduler>(std::move(parameters)...); },
        std::move(specs)...);
}

/// Python's rule: total_steps, or epochs * steps_per_epoch; here also neither, which means the whole run.
/// \throws UsageError when the run has more.
AUDYN_INLINE int64_t one_cycle_steps(std::optional<int64_t> total_steps, std::optional<int64_t> epochs,
                                     std::optional<int64_t> steps_per_epoch, int64_t run_steps);

AUDYN_INLINE void add_decay(Targets& targets);
AUDYN_INLINE void add_cosine(Targets& targets);
AUDYN_INLINE void add_one_cycle(Targets& targets);
AUDYN_INLINE void add_cyclic(Targets& targets);
AUDYN_INLINE void add_plateau(Targets& targets);
AUDYN_INLINE void add_lambdas(Targets& targets);
AUDYN_INLINE void add_sequential(Targets& targets);
AUDYN_INLINE void add_chained(Targets& targets);
AUDYN_INLINE void add_linear_warmup(Targets& targets);
AUDYN_INLINE void add_audyn_schedulers(Targets& targets);

} // namespace detail

/// Adds the schedulers under PyTorch's and Audyn's names, and functions for LambdaLR and MultiplicativeLR, which a
/// program may add to with `targets.add_function<optim::LRLambda>(...)`. CyclicLR's `scale_fn` is a function of the
/// program's own, a `std::function<double(double)>`.
AUDYN_INLINE void add_scheduler_targets(Targets& targets);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/schedulers.ipp>
#endif
