#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/scheduler.hpp>

#include <set>
#include <string>

namespace audyn::optim::detail {

AUDYN_INLINE void check_positive(const char* name, int64_t value) {
    if (value < 1) {
        throw UsageError(std::string("the scheduler's ") + name + " must be at least 1, got " + std::to_string(value));
    }
}

AUDYN_INLINE std::vector<double> to_numbers(const state::Value& list) {
    std::vector<double> numbers;
    for (const state::Value& value : list.as_list()) {
        numbers.push_back(number(value));
    }
    return numbers;
}

AUDYN_INLINE std::vector<double> for_each_group(const char* name, const std::vector<double>& values,
                                                std::size_t groups) {
    if (values.size() != 1 && values.size() != groups) {
        throw UsageError(std::string("the scheduler needs one ") + name + ", or one for each of the " +
                         std::to_string(groups) + " parameter groups; got " + std::to_string(values.size()));
    }
    return values.size() == 1 ? std::vector<double>(groups, values.front()) : values;
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE void LRScheduler::initialize() {
    for (ParamGroup& group : groups()) {
        if (!group.schedule.initial_lr) {
            group.schedule.initial_lr = group.lr;
        }
        base_lrs_.push_back(*group.schedule.initial_lr);
    }
    last_lr_.resize(base_lrs_.size());
    initial_step();
}

AUDYN_INLINE void LRScheduler::initial_step() {
    step_count_ = 0;
    is_initial_ = true;
    step();
    is_initial_ = false;
}

AUDYN_INLINE void LRScheduler::step() {
    ++step_count_;
    update_lr(std::nullopt);
}

AUDYN_INLINE void LRScheduler::step(double) {
    step();
}

AUDYN_INLINE void LRScheduler::step_with(const MetricValue& metric) {
    needs_metric() ? step(metric(monitor())) : step();
}

AUDYN_INLINE void LRScheduler::step_iteration() {
    if (!needs_metric()) {
        step();
    }
}

AUDYN_INLINE void LRScheduler::step_epoch(const MetricValue& metric) {
    if (needs_metric()) {
        step(metric(monitor()));
    }
}

AUDYN_INLINE void LRScheduler::record_lr() {
    last_lr_.clear();
    for (const ParamGroup& group : groups()) {
        last_lr_.push_back(group.lr);
    }
}

AUDYN_INLINE void LRScheduler::reset_lr() {
    for (ParamGroup& group : groups()) {
        group.schedule.initial_lr = group.schedule.initial_lr.value_or(group.lr);
        group.lr = *group.schedule.initial_lr;
    }
}

AUDYN_INLINE void LRScheduler::update_lr(std::optional<int64_t> epoch) {
    last_epoch_ = epoch.value_or(last_epoch_ + 1);
    for (std::size_t g = 0; g < groups().size(); ++g) {
        const std::optional<double> closed = epoch ? closed_form_lr(g) : std::nullopt;
        last_lr_[g] = groups()[g].lr = closed ? *closed : compute_lr(g);
    }
}

AUDYN_INLINE StateDict LRScheduler::state_dict() const {
    StateDict state = options();
    state.set("base_lrs", detail::to_list(base_lrs_));
    state.set("last_epoch", last_epoch_);
    state.set("_step_count", step_count_);
    state.set("_is_initial", false);
    state.set("_get_lr_called_within_step", false);
    state.set("_last_lr", detail::to_list(last_lr_));
    return state;
}

AUDYN_INLINE void LRScheduler::check_keys(const StateDict& own, const StateDict& state) {
    // What older versions of Python's torch lack, and what CyclicLR and OneCycleLR have only with a momentum.
    static const std::set<state::Key> optional{"_is_initial",      "_get_lr_called_within_step",
                                               "default_min_lr",   "mode_worse",
                                               "_scale_fn_custom", "use_beta1",
                                               "base_momentums",   "max_momentums"};
    std::string missing;
    for (const auto& [key, value] : own) {
        if (!optional.contains(key) && !state.contains(key)) {
            missing += " " + key.to_string();
        }
    }
    if (!missing.empty()) {
        throw StateError("the state does not fit the learning rate scheduler; it lacks:" + missing);
    }
}

AUDYN_INLINE void LRScheduler::check_group_count(std::size_t count) const {
    if (count != groups().size()) {
        throw StateError("the state of the learning rate scheduler is for " + std::to_string(count) +
                         " parameter groups, the optimizer has " + std::to_string(groups().size()));
    }
}

AUDYN_INLINE void LRScheduler::load_last_lr(const StateDict& state) {
    last_lr_ = detail::to_numbers(state.at("_last_lr"));
    check_group_count(last_lr_.size());
}

AUDYN_INLINE void LRScheduler::load_state_dict(const StateDict& state) {
    const StateDict before = state_dict();
    try {
        load(state);
    } catch (...) {
        load(before);
        throw;
    }
}

AUDYN_INLINE void LRScheduler::load(const StateDict& state) {
    check_keys(state_dict(), state);
    load_options(state);
    base_lrs_ = detail::to_numbers(state.at("base_lrs"));
    check_group_count(base_lrs_.size());
    load_last_lr(state);
    last_epoch_ = state.at("last_epoch").as_int();
    step_count_ = state.at("_step_count").as_int();
}

} // namespace audyn::optim
