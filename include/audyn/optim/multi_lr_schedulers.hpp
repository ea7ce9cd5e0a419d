#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/multi_optimizers.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/optim/sequential.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace audyn::optim {

/// The scheduler of one of several optimizers.
struct NamedScheduler {
    /// The optimizer's name.
    std::string name;
    /// None leaves the optimizer's rates as they are.
    MakeScheduler make;
};

/// Schedulers for the optimizers of MultiOptimizers; Audyn's class of this name, with its state `{name: state, ...}`.
/// It has no groups of its own, so that SequentialLR and ChainedScheduler do not take it: they go inside.
class MultiLRSchedulers final : public LRScheduler {
public:
    /// \throws UsageError when there is none, for a name that occurs twice, and for one that is no optimizer's.
    MultiLRSchedulers(MultiOptimizers& optimizers, const std::vector<NamedScheduler>& schedulers);

    AUDYN_INLINE void step() override;
    AUDYN_INLINE void step(double metric) override;
    AUDYN_INLINE void step_with(const MetricValue& metric) override;
    AUDYN_INLINE void step_iteration() override;
    AUDYN_INLINE void step_epoch(const MetricValue& metric) override;

    [[nodiscard]] AUDYN_INLINE bool needs_metric() const override;
    [[nodiscard]] AUDYN_INLINE bool steps_by_iteration() const override;
    /// Of the first one that follows a metric; step_with() heeds those of all.
    [[nodiscard]] AUDYN_INLINE std::string monitor() const override;

    [[nodiscard]] AUDYN_INLINE StateDict state_dict() const override;

protected:
    [[nodiscard]] double compute_lr(std::size_t) override { return 0.0; }
    [[nodiscard]] StateDict options() const override { return {}; }
    void load_options(const StateDict&) override {}
    AUDYN_INLINE void load(const StateDict& state) override;

private:
    struct Entry {
        std::string name;
        std::unique_ptr<LRScheduler> scheduler;
    };

    void step_each(const std::function<void(LRScheduler&)>& step);
    /// Takes the rates and the number of steps from the schedulers.
    void record();

    std::vector<Entry> entries_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/multi_lr_schedulers.ipp>
#endif
