#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/decay.hpp>
#include <audyn/optim/sequential.hpp>

#include <algorithm>
#include <utility>

namespace audyn::optim {

AUDYN_INLINE SchedulerList::SchedulerList(const char* name, Optimizer& optimizer, Schedulers schedulers)
    : LRScheduler(optimizer), schedulers_(std::move(schedulers)) {
    if (schedulers_.empty()) {
        throw UsageError(std::string(name) + " needs at least one scheduler");
    }
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        if (scheduler->groups_ != groups_) {
            throw UsageError(std::string(name) + " needs schedulers of its own optimizer");
        }
    }
}

AUDYN_INLINE bool SchedulerList::needs_metric() const {
    return std::any_of(schedulers_.begin(), schedulers_.end(), [](const auto& one) { return one->needs_metric(); });
}

AUDYN_INLINE bool SchedulerList::steps_by_iteration() const {
    return std::any_of(schedulers_.begin(), schedulers_.end(),
                       [](const auto& one) { return one->steps_by_iteration(); });
}

AUDYN_INLINE std::string SchedulerList::monitor() const {
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        if (scheduler->needs_metric()) {
            return scheduler->monitor();
        }
    }
    return {};
}

AUDYN_INLINE void SchedulerList::undo_step() {
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        scheduler->undo_step();
    }
}

AUDYN_INLINE StateDict SchedulerList::state_dict() const {
    StateDict state = options();
    state::List schedulers;
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        schedulers.emplace_back(scheduler->state_dict());
    }
    state.set("_last_lr", detail::to_list(last_lr()));
    state.set("_schedulers", std::move(schedulers));
    return state;
}

AUDYN_INLINE void SchedulerList::load(const StateDict& state) {
    check_keys(state_dict(), state);
    const std::vector<state::Value>& saved = state.at("_schedulers").as_list();
    if (saved.size() != schedulers_.size()) {
        throw StateError("the state is of " + std::to_string(saved.size()) + " learning rate schedulers, here are " +
                         std::to_string(schedulers_.size()));
    }
    load_last_lr(state);
    load_options(state);
    for (std::size_t i = 0; i < saved.size(); ++i) {
        schedulers_[i]->load_state_dict(saved[i].as_dict());
    }
}

AUDYN_INLINE SequentialLR::SequentialLR(Optimizer& optimizer, Schedulers schedulers, std::vector<int64_t> milestones)
    : SchedulerList("SequentialLR", optimizer, std::move(schedulers)), milestones_(std::move(milestones)) {
    if (milestones_.size() != this->schedulers().size() - 1) {
        throw UsageError("SequentialLR needs one scheduler more than milestones, got " +
                         std::to_string(this->schedulers().size()) + " schedulers and " +
                         std::to_string(milestones_.size()) + " milestones");
    }
    if (!std::is_sorted(milestones_.begin(), milestones_.end())) {
        throw UsageError("SequentialLR needs milestones in rising order");
    }
    // Each scheduler has taken its first step when it was made: only the one that starts may keep it.
    undo_step();
    begin();
}

AUDYN_INLINE std::size_t SequentialLR::current() const {
    const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), last_epoch());
    return static_cast<std::size_t>(next - milestones_.begin());
}

AUDYN_INLINE void SequentialLR::begin() {
    set_last_epoch(0);
    reset_lr();
    begin_with(*schedulers()[current()]);
    record_lr();
}

AUDYN_INLINE void SequentialLR::start() {
    set_last_epoch(0); // The step that follows counts, as in Python.
    LRScheduler::start();
}

AUDYN_INLINE void SequentialLR::take_over() {
    begin();
}

AUDYN_INLINE void SequentialLR::advance(const std::function<void(LRScheduler&)>& step) {
    set_last_epoch(last_epoch() + 1);
    const std::size_t index = current();
    LRScheduler& scheduler = *schedulers()[index];
    if (index > 0 && milestones_[index - 1] == last_epoch()) {
        hand_over_to(scheduler);
    } else {
        step(scheduler);
    }
    record_lr();
}

AUDYN_INLINE void SequentialLR::step() {
    advance([](LRScheduler& scheduler) { scheduler.step(); });
}

AUDYN_INLINE void SequentialLR::step(double metric) {
    advance([metric](LRScheduler& scheduler) { scheduler.step(metric); });
}

AUDYN_INLINE void SequentialLR::step_with(const MetricValue& metric) {
    advance([&](LRScheduler& scheduler) { scheduler.step_with(metric); });
}

AUDYN_INLINE void SequentialLR::step_iteration() {
    advance([](LRScheduler& scheduler) { scheduler.step_iteration(); });
}

AUDYN_INLINE void SequentialLR::step_epoch(const MetricValue& metric) {
    schedulers()[current()]->step_epoch(metric);
    record_lr();
}

AUDYN_INLINE StateDict SequentialLR::options() const {
    return {{"_milestones", state::List(milestones_.begin(), milestones_.end())}, {"last_epoch", last_epoch()}};
}

AUDYN_INLINE void SequentialLR::load_options(const StateDict& state) {
    const std::vector<state::Value>& saved = state.at("_milestones").as_list();
    if (saved.size() != milestones_.size()) {
        throw StateError("the state of SequentialLR has " + std::to_string(saved.size()) + " milestones, here are " +
                         std::to_string(milestones_.size()));
    }
    std::transform(saved.begin(), saved.end(), milestones_.begin(), [](const auto& value) { return value.as_int(); });
    set_last_epoch(state.at("last_epoch").as_int());
}

AUDYN_INLINE ChainedScheduler::ChainedScheduler(Optimizer& optimizer, Schedulers schedulers)
    : SchedulerList("ChainedScheduler", optimizer, std::move(schedulers)) {
    record();
}

AUDYN_INLINE void ChainedScheduler::record() {
    set_last_epoch(schedulers().front()->last_epoch());
    record_lr();
}

AUDYN_INLINE void ChainedScheduler::take_over() {
    reset_lr();
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers()) {
        begin_with(*scheduler);
    }
    record();
}

AUDYN_INLINE void ChainedScheduler::step_each(const std::function<void(LRScheduler&)>& step) {
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers()) {
        step(*scheduler);
    }
    record();
}

AUDYN_INLINE void ChainedScheduler::step() {
    step_each([](LRScheduler& scheduler) { scheduler.step(); });
}

AUDYN_INLINE void ChainedScheduler::step(double metric) {
    step_each([metric](LRScheduler& scheduler) { scheduler.step(metric); });
}

AUDYN_INLINE void ChainedScheduler::step_with(const MetricValue& metric) {
    step_each([&](LRScheduler& scheduler) { scheduler.step_with(metric); });
}

AUDYN_INLINE void ChainedScheduler::step_iteration() {
    step_each([](LRScheduler& scheduler) { scheduler.step_iteration(); });
}

AUDYN_INLINE void ChainedScheduler::step_epoch(const MetricValue& metric) {
    step_each([&](LRScheduler& scheduler) { scheduler.step_epoch(metric); });
}

AUDYN_INLINE void ChainedScheduler::load(const StateDict& state) {
    SchedulerList::load(state);
    set_last_epoch(schedulers().front()->last_epoch());
}

AUDYN_INLINE std::unique_ptr<LRScheduler> linear_warmup(Optimizer& optimizer, int64_t warmup_steps, double start_factor,
                                                        const MakeScheduler& main) {
    detail::check_positive("warmup_steps", warmup_steps);
    auto warmup = std::make_unique<LinearLR>(optimizer, start_factor, 1.0, warmup_steps);
    if (!main) {
        return warmup;
    }
    Schedulers schedulers;
    schedulers.push_back(std::move(warmup));
    schedulers.push_back(main(optimizer));
    return std::make_unique<SequentialLR>(optimizer, std::move(schedulers), std::vector<int64_t>{warmup_steps});
}

} // namespace audyn::optim
