#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/scheduler.hpp>

#include <string>

namespace audyn::optim::detail {

AUDYN_INLINE void check_positive(const char* name, int64_t value) {
    if (value < 1) {
        throw UsageError(std::string("the scheduler's ") + name + " must be at least 1, got " + std::to_string(value));
    }
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
    std::string missing;
    for (const auto& [key, value] : own) {
        // Flags of Python's own that older versions lack.
        const bool optional = key == "_is_initial" || key == "_get_lr_called_within_step";
        if (!optional && !state.contains(key)) {
            missing += " " + key.to_string();
        }
    }
    if (!missing.empty()) {
        throw StateError("the state does not fit the learning rate scheduler; it lacks:" + missing);
    }
}

AUDYN_INLINE void LRScheduler::load_state_dict(const StateDict& state) {
    check_keys(state_dict(), state);
    const std::vector<state::Value>& base_lrs = state.at("base_lrs").as_list();
    const std::vector<state::Value>& last_lr = state.at("_last_lr").as_list();
    if (base_lrs.size() != groups().size() || last_lr.size() != groups().size()) {
        throw StateError("the state of the learning rate scheduler is for " + std::to_string(base_lrs.size()) +
                         " parameter groups, the optimizer has " + std::to_string(groups().size()));
    }
    load_options(state);
    for (std::size_t g = 0; g < groups().size(); ++g) {
        base_lrs_[g] = detail::number(base_lrs[g]);
        last_lr_[g] = detail::number(last_lr[g]);
    }
    last_epoch_ = state.at("last_epoch").as_int();
    step_count_ = state.at("_step_count").as_int();
}

} // namespace audyn::optim
