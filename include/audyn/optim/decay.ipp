#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/decay.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace audyn::optim {

AUDYN_INLINE StepLR::StepLR(Optimizer& optimizer, int64_t step_size, double gamma)
    : LRScheduler(optimizer), step_size_(step_size), gamma_(gamma) {
    detail::check_positive("step_size", step_size);
    initialize();
}

AUDYN_INLINE double StepLR::compute_lr(std::size_t group) {
    const double lr = groups()[group].lr;
    return last_epoch() == 0 || last_epoch() % step_size_ != 0 ? lr : lr * gamma_;
}

AUDYN_INLINE std::optional<double> StepLR::closed_form_lr(std::size_t group) const {
    return base_lr(group) * std::pow(gamma_, static_cast<double>(last_epoch() / step_size_));
}

AUDYN_INLINE void StepLR::load_options(const StateDict& state) {
    step_size_ = state.at("step_size").as_int();
    gamma_ = state.at("gamma").as_float();
}

AUDYN_INLINE MultiStepLR::MultiStepLR(Optimizer& optimizer, const std::vector<int64_t>& milestones, double gamma)
    : LRScheduler(optimizer), gamma_(gamma) {
    for (const int64_t milestone : milestones) {
        ++milestones_[milestone];
    }
    initialize();
}

AUDYN_INLINE double MultiStepLR::compute_lr(std::size_t group) {
    const auto milestone = milestones_.find(last_epoch());
    const double lr = groups()[group].lr;
    return milestone == milestones_.end() ? lr : lr * std::pow(gamma_, static_cast<double>(milestone->second));
}

AUDYN_INLINE std::optional<double> MultiStepLR::closed_form_lr(std::size_t group) const {
    int64_t passed = 0;
    for (const auto& [milestone, count] : milestones_) {
        passed += milestone <= last_epoch() ? count : 0;
    }
    return base_lr(group) * std::pow(gamma_, static_cast<double>(passed));
}

AUDYN_INLINE StateDict MultiStepLR::options() const {
    StateDict milestones;
    milestones.set_counter(true); // Python's needs its methods.
    for (const auto& [milestone, count] : milestones_) {
        milestones.set(milestone, count);
    }
    return {{"milestones", std::move(milestones)}, {"gamma", gamma_}};
}

AUDYN_INLINE void MultiStepLR::load_options(const StateDict& state) {
    milestones_.clear();
    for (const auto& [milestone, count] : state.at("milestones").as_dict()) {
        milestones_[milestone.integer()] = count.as_int();
    }
    gamma_ = state.at("gamma").as_float();
}

AUDYN_INLINE ExponentialLR::ExponentialLR(Optimizer& optimizer, double gamma) : LRScheduler(optimizer), gamma_(gamma) {
    initialize();
}

AUDYN_INLINE double ExponentialLR::compute_lr(std::size_t group) {
    const double lr = groups()[group].lr;
    return is_initial() ? lr : lr * gamma_;
}

AUDYN_INLINE std::optional<double> ExponentialLR::closed_form_lr(std::size_t group) const {
    return base_lr(group) * std::pow(gamma_, static_cast<double>(last_epoch()));
}

AUDYN_INLINE void ExponentialLR::load_options(const StateDict& state) {
    gamma_ = state.at("gamma").as_float();
}

AUDYN_INLINE PolynomialLR::PolynomialLR(Optimizer& optimizer, int64_t total_iters, double power)
    : LRScheduler(optimizer), total_iters_(total_iters), power_(power) {
    detail::check_positive("total_iters", total_iters);
    initialize();
}

AUDYN_INLINE double PolynomialLR::compute_lr(std::size_t group) {
    const double lr = groups()[group].lr;
    if (is_initial() || last_epoch() > total_iters_) {
        return lr;
    }
    const auto left = [this](int64_t step) {
        return 1.0 - static_cast<double>(step) / static_cast<double>(total_iters_);
    };
    return lr * std::pow(left(last_epoch()) / left(last_epoch() - 1), power_);
}

AUDYN_INLINE std::optional<double> PolynomialLR::closed_form_lr(std::size_t group) const {
    const auto step = static_cast<double>(std::min(total_iters_, last_epoch()));
    return base_lr(group) * std::pow(1.0 - step / static_cast<double>(total_iters_), power_);
}

AUDYN_INLINE void PolynomialLR::load_options(const StateDict& state) {
    total_iters_ = state.at("total_iters").as_int();
    power_ = state.at("power").as_float();
}

AUDYN_INLINE ConstantLR::ConstantLR(Optimizer& optimizer, double factor, int64_t total_iters)
    : LRScheduler(optimizer), factor_(factor), total_iters_(total_iters) {
    if (factor > 1.0 || factor < 0.0) {
        throw UsageError("ConstantLR's factor must lie in [0, 1], got " + std::to_string(factor));
    }
    initialize();
}

AUDYN_INLINE double ConstantLR::compute_lr(std::size_t group) {
    const double lr = groups()[group].lr;
    if (last_epoch() == 0) {
        return lr * factor_;
    }
    return last_epoch() != total_iters_ ? lr : lr * (1.0 / factor_);
}

AUDYN_INLINE std::optional<double> ConstantLR::closed_form_lr(std::size_t group) const {
    return base_lr(group) * (factor_ + (last_epoch() >= total_iters_ ? 1.0 - factor_ : 0.0));
}

AUDYN_INLINE void ConstantLR::load_options(const StateDict& state) {
    factor_ = state.at("factor").as_float();
    total_iters_ = state.at("total_iters").as_int();
}

AUDYN_INLINE LinearLR::LinearLR(Optimizer& optimizer, double start_factor, double end_factor, int64_t total_iters)
    : LRScheduler(optimizer), start_factor_(start_factor), end_factor_(end_factor), total_iters_(total_iters) {
    if (start_factor > 1.0 || start_factor <= 0.0) {
        throw UsageError("LinearLR's start_factor must lie in (0, 1], got " + std::to_string(start_factor));
    }
    if (end_factor > 1.0 || end_factor < 0.0) {
        throw UsageError("LinearLR's end_factor must lie in [0, 1], got " + std::to_string(end_factor));
    }
    detail::check_positive("total_iters", total_iters);
    initialize();
}

AUDYN_INLINE double LinearLR::compute_lr(std::size_t group) {
    const double lr = groups()[group].lr;
    if (last_epoch() == 0) {
        return lr * start_factor_;
    }
    if (is_initial() || last_epoch() > total_iters_) {
        return lr;
    }
    const double range = end_factor_ - start_factor_;
    return lr * (1.0 + range / (static_cast<double>(total_iters_) * start_factor_ +
                                static_cast<double>(last_epoch() - 1) * range));
}

AUDYN_INLINE std::optional<double> LinearLR::closed_form_lr(std::size_t group) const {
    return base_lr(group) *
           (start_factor_ + (end_factor_ - start_factor_) * static_cast<double>(std::min(total_iters_, last_epoch())) /
                                static_cast<double>(total_iters_));
}

AUDYN_INLINE StateDict LinearLR::options() const {
    return {{"start_factor", start_factor_}, {"end_factor", end_factor_}, {"total_iters", total_iters_}};
}

AUDYN_INLINE void LinearLR::load_options(const StateDict& state) {
    start_factor_ = state.at("start_factor").as_float();
    end_factor_ = state.at("end_factor").as_float();
    total_iters_ = state.at("total_iters").as_int();
}

} // namespace audyn::optim
