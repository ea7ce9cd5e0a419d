#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace audyn::optim {

using Schedulers = std::vector<std::unique_ptr<LRScheduler>>;

/// Base of the schedulers that are made of others. Unlike Python's they take ReduceLROnPlateau too, and each other in
/// any place.
class SchedulerList : public LRScheduler {
public:
    using LRScheduler::step;
    [[nodiscard]] AUDYN_INLINE bool needs_metric() const override;
    [[nodiscard]] AUDYN_INLINE bool steps_by_iteration() const override;
    /// Of the first one that follows a metric.
    [[nodiscard]] AUDYN_INLINE std::string monitor() const override;
    [[nodiscard]] AUDYN_INLINE StateDict state_dict() const override;

protected:
    /// \throws UsageError unless there are `schedulers`, all made for `optimizer`.
    SchedulerList(const char* name, Optimizer& optimizer, Schedulers schedulers);

    [[nodiscard]] double compute_lr(std::size_t group) override { return groups()[group].lr; }
    [[nodiscard]] StateDict options() const override { return {}; }
    void load_options(const StateDict&) override {}
    AUDYN_INLINE void load(const StateDict& state) override;
    AUDYN_INLINE void undo_step() override;

    [[nodiscard]] Schedulers& schedulers() { return schedulers_; }
    static void begin_with(LRScheduler& scheduler) { scheduler.start(); }
    static void hand_over_to(LRScheduler& scheduler) { scheduler.take_over(); }

private:
    Schedulers schedulers_;
};

/// One scheduler after the other: the next one takes over when `milestones` steps are done.
class SequentialLR final : public SchedulerList {
public:
    /// `schedulers` were made for `optimizer`, one more than there are milestones. \throws UsageError otherwise.
    SequentialLR(Optimizer& optimizer, Schedulers schedulers, std::vector<int64_t> milestones);

    AUDYN_INLINE void step() override;
    AUDYN_INLINE void step(double metric) override;
    AUDYN_INLINE void step_with(const MetricValue& metric) override;
    /// Iterations count towards the milestones, and epochs do not.
    AUDYN_INLINE void step_iteration() override;
    AUDYN_INLINE void step_epoch(const MetricValue& metric) override;

protected:
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;
    AUDYN_INLINE void start() override;
    AUDYN_INLINE void take_over() override;

private:
    void begin();
    void advance(const std::function<void(LRScheduler&)>& step);
    [[nodiscard]] std::size_t current() const;

    std::vector<int64_t> milestones_;
};

/// All of `schedulers` step, one after the other, each on the rates of the one before.
class ChainedScheduler final : public SchedulerList {
public:
    /// \throws UsageError unless there are `schedulers`, all made for `optimizer`.
    ChainedScheduler(Optimizer& optimizer, Schedulers schedulers);

    AUDYN_INLINE void step() override;
    AUDYN_INLINE void step(double metric) override;
    AUDYN_INLINE void step_with(const MetricValue& metric) override;
    AUDYN_INLINE void step_iteration() override;
    AUDYN_INLINE void step_epoch(const MetricValue& metric) override;

protected:
    AUDYN_INLINE void take_over() override;
    AUDYN_INLINE void load(const StateDict& state) override;

private:
    void step_each(const std::function<void(LRScheduler&)>& step);
    void record();
};

/// Makes a scheduler for an optimizer.
using MakeScheduler = std::function<std::unique_ptr<LRScheduler>(Optimizer&)>;

/// A linear warm-up from `start_factor` times the rate in `warmup_steps`, and then what `main` makes; without `main`
/// the rate stays. Python: `SequentialLR(optimizer, [LinearLR(...), main], [warmup_steps])`.
AUDYN_INLINE std::unique_ptr<LRScheduler> linear_warmup(Optimizer& optimizer, int64_t warmup_steps, double start_factor,
                                                        const MakeScheduler& main = nullptr);

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/sequential.ipp>
#endif
