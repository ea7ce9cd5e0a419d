#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/multi_lr_schedulers.hpp>

#include <algorithm>
#include <utility>

namespace audyn::optim {

AUDYN_INLINE MultiLRSchedulers::MultiLRSchedulers(MultiOptimizers& optimizers,
                                                  const std::vector<NamedScheduler>& schedulers) {
    if (schedulers.empty()) {
        throw UsageError("MultiLRSchedulers needs at least one scheduler");
    }
    for (const NamedScheduler& one : schedulers) {
        if (std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == one.name; })) {
            throw UsageError("two schedulers are for the optimizer '" + one.name +
                             "'; join them by SequentialLR or ChainedScheduler");
        }
        AnyOptimizer& optimizer = optimizers.optimizer(one.name);
        entries_.push_back({one.name, one.make ? one.make(optimizer) : nullptr});
    }
    record();
}

AUDYN_INLINE void MultiLRSchedulers::record() {
    std::vector<double> rates;
    int64_t steps = 0;
    for (const Entry& entry : entries_) {
        if (entry.scheduler) {
            rates.insert(rates.end(), entry.scheduler->last_lr().begin(), entry.scheduler->last_lr().end());
            steps = std::max(steps, entry.scheduler->last_epoch());
        }
    }
    set_last_lr(std::move(rates));
    set_last_epoch(steps);
}

AUDYN_INLINE void MultiLRSchedulers::step_each(const std::function<void(LRScheduler&)>& step) {
    for (const Entry& entry : entries_) {
        if (entry.scheduler) {
            step(*entry.scheduler);
        }
    }
    record();
}

AUDYN_INLINE void MultiLRSchedulers::step() {
    step_each([](LRScheduler& scheduler) { scheduler.step(); });
}

AUDYN_INLINE void MultiLRSchedulers::step(double metric) {
    step_each([metric](LRScheduler& scheduler) { scheduler.step(metric); });
}

AUDYN_INLINE void MultiLRSchedulers::step_with(const MetricValue& metric) {
    step_each([&](LRScheduler& scheduler) { scheduler.step_with(metric); });
}

AUDYN_INLINE void MultiLRSchedulers::step_iteration() {
    step_each([](LRScheduler& scheduler) { scheduler.step_iteration(); });
}

AUDYN_INLINE void MultiLRSchedulers::step_epoch(const MetricValue& metric) {
    step_each([&](LRScheduler& scheduler) { scheduler.step_epoch(metric); });
}

AUDYN_INLINE bool MultiLRSchedulers::needs_metric() const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [](const Entry& entry) { return entry.scheduler && entry.scheduler->needs_metric(); });
}

AUDYN_INLINE bool MultiLRSchedulers::steps_by_iteration() const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [](const Entry& entry) { return entry.scheduler && entry.scheduler->steps_by_iteration(); });
}

AUDYN_INLINE std::string MultiLRSchedulers::monitor() const {
    for (const Entry& entry : entries_) {
        if (entry.scheduler && entry.scheduler->needs_metric()) {
            return entry.scheduler->monitor();
        }
    }
    return {};
}

AUDYN_INLINE StateDict MultiLRSchedulers::state_dict() const {
    StateDict state;
    for (const Entry& entry : entries_) {
        state.set(entry.name, entry.scheduler ? entry.scheduler->state_dict() : StateDict());
    }
    return state;
}

AUDYN_INLINE void MultiLRSchedulers::load(const StateDict& state) {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) {
        names.push_back(entry.name);
    }
    detail::check_named_states("learning rate scheduler", names, state);
    for (const Entry& entry : entries_) {
        const StateDict& saved = state.at(entry.name).as_dict();
        if (!entry.scheduler && !saved.empty()) {
            throw StateError("the state has a learning rate scheduler for the optimizer '" + entry.name +
                             "', which has none here");
        }
        if (!entry.scheduler) {
            continue;
        }
        try {
            entry.scheduler->load_state_dict(saved);
        } catch (const StateError& error) {
            throw StateError("learning rate scheduler of '" + entry.name + "': " + error.what());
        }
    }
    record();
}

} // namespace audyn::optim
