#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/plateau.hpp>

#include <algorithm>
#include <limits>

namespace audyn::optim {

AUDYN_INLINE ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options)
    : LRScheduler(optimizer),
      options_(options),
      min_lrs_(detail::for_each_group("min_lr", options.min_lr(), groups().size())),
      best_(worst()) {
    if (!(options.factor() < 1.0)) {
        throw UsageError("ReduceLROnPlateau's factor must be below 1, got " + std::to_string(options.factor()));
    }
    set_last_epoch(0);
    record_lr();
}

AUDYN_INLINE double ReduceLROnPlateau::worst() const {
    const double infinity = std::numeric_limits<double>::infinity();
    return options_.mode() == PlateauMode::min ? infinity : -infinity;
}

AUDYN_INLINE bool ReduceLROnPlateau::is_better(double metric) const {
    const double threshold = options_.threshold();
    const bool is_relative = options_.threshold_mode() == ThresholdMode::rel;
    if (options_.mode() == PlateauMode::min) {
        return metric < (is_relative ? best_ * (1.0 - threshold) : best_ - threshold);
    }
    return metric > (is_relative ? best_ * (threshold + 1.0) : best_ + threshold);
}

AUDYN_INLINE void ReduceLROnPlateau::step() {
    throw UsageError("ReduceLROnPlateau follows a metric: call step(metric)");
}

AUDYN_INLINE void ReduceLROnPlateau::step(double metric) {
    set_last_epoch(last_epoch() + 1);
    if (is_better(metric)) {
        best_ = metric;
        num_bad_epochs_ = 0;
    } else {
        ++num_bad_epochs_;
    }
    if (cooldown_counter_ > 0) {
        --cooldown_counter_;
        num_bad_epochs_ = 0;
    }
    if (num_bad_epochs_ > options_.patience()) {
        reduce();
        cooldown_counter_ = options_.cooldown();
        num_bad_epochs_ = 0;
    }
    record_lr();
}

AUDYN_INLINE void ReduceLROnPlateau::reduce() {
    for (std::size_t g = 0; g < groups().size(); ++g) {
        const double lr = groups()[g].lr;
        const double reduced = std::max(lr * options_.factor(), min_lrs_[g]);
        if (lr - reduced > options_.eps()) {
            groups()[g].lr = reduced;
        }
    }
}

AUDYN_INLINE void ReduceLROnPlateau::take_over() {
    reset_lr();
    record_lr();
}

AUDYN_INLINE StateDict ReduceLROnPlateau::options() const {
    const bool is_common = options_.min_lr().size() == 1;
    return {{"factor", options_.factor()},
            {"default_min_lr", is_common ? state::Value(options_.min_lr().front()) : state::Value()},
            {"min_lrs", detail::to_list(min_lrs_)},
            {"patience", options_.patience()},
            {"cooldown", options_.cooldown()},
            {"eps", options_.eps()},
            {"mode_worse", worst()},
            {"mode", plateau_modes.name(options_.mode())},
            {"threshold", options_.threshold()},
            {"threshold_mode", threshold_modes.name(options_.threshold_mode())},
            {"best", best_},
            {"cooldown_counter", cooldown_counter_},
            {"num_bad_epochs", num_bad_epochs_}};
}

AUDYN_INLINE StateDict ReduceLROnPlateau::state_dict() const {
    StateDict state = options();
    state.set("last_epoch", last_epoch());
    state.set("_last_lr", detail::to_list(last_lr()));
    return state;
}

AUDYN_INLINE void ReduceLROnPlateau::load_options(const StateDict& state) {
    min_lrs_ = detail::to_numbers(state.at("min_lrs"));
    check_group_count(min_lrs_.size());
    const state::Value* common = state.find("default_min_lr");
    options_.min_lr(common == nullptr || common->is_none() ? min_lrs_ : std::vector{detail::number(*common)})
        .mode(plateau_modes.mode<StateError>(state.at("mode").as_string()))
        .threshold_mode(threshold_modes.mode<StateError>(state.at("threshold_mode").as_string()))
        .factor(state.at("factor").as_float())
        .patience(state.at("patience").as_int())
        .cooldown(state.at("cooldown").as_int())
        .eps(state.at("eps").as_float())
        .threshold(state.at("threshold").as_float());
    best_ = detail::number(state.at("best"));
    cooldown_counter_ = state.at("cooldown_counter").as_int();
    num_bad_epochs_ = state.at("num_bad_epochs").as_int();
}

AUDYN_INLINE void ReduceLROnPlateau::load(const StateDict& state) {
    check_keys(state_dict(), state);
    load_options(state);
    load_last_lr(state);
    set_last_epoch(state.at("last_epoch").as_int());
}

} // namespace audyn::optim
