#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/cosine.hpp>

#include <cmath>
#include <numbers>
#include <string>

namespace audyn::optim {

AUDYN_INLINE CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, int64_t t_max, double eta_min)
    : LRScheduler(optimizer), t_max_(t_max), eta_min_(eta_min) {
    detail::check_positive("T_max", t_max);
    initialize();
}

AUDYN_INLINE std::optional<double> CosineAnnealingLR::closed_form_lr(std::size_t group) const {
    return eta_min_ + (base_lr(group) - eta_min_) * (1.0 + cosine(last_epoch())) / 2.0;
}

AUDYN_INLINE void CosineAnnealingLR::load_options(const StateDict& state) {
    t_max_ = state.at("T_max").as_int();
    eta_min_ = state.at("eta_min").as_float();
}

AUDYN_INLINE double CosineAnnealingLR::cosine(int64_t step) const {
    return std::cos(std::numbers::pi * static_cast<double>(step) / static_cast<double>(t_max_));
}

AUDYN_INLINE double CosineAnnealingLR::compute_lr(std::size_t group) {
    const double lr = groups()[group].lr;
    const int64_t epoch = last_epoch();
    if (is_initial()) {
        return lr;
    }
    if (step_count() == 1 && epoch > 0) {
        return eta_min_ + (base_lr(group) - eta_min_) * (1.0 + cosine(epoch)) / 2.0;
    }
    if ((epoch - 1 - t_max_) % (2 * t_max_) == 0) {
        return lr + (base_lr(group) - eta_min_) * (1.0 - cosine(1)) / 2.0;
    }
    return (1.0 + cosine(epoch)) / (1.0 + cosine(epoch - 1)) * (lr - eta_min_) + eta_min_;
}

AUDYN_INLINE CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer, int64_t t_0, int64_t t_mult,
                                                                      double eta_min)
    : LRScheduler(optimizer), t_0_(t_0), t_mult_(t_mult), eta_min_(eta_min), t_i_(t_0) {
    detail::check_positive("T_0", t_0);
    detail::check_positive("T_mult", t_mult);
    initialize();
}

AUDYN_INLINE double CosineAnnealingWarmRestarts::compute_lr(std::size_t group) {
    return eta_min_ +
           (base_lr(group) - eta_min_) * (1.0 + std::cos(std::numbers::pi * t_cur_ / static_cast<double>(t_i_))) / 2.0;
}

AUDYN_INLINE void CosineAnnealingWarmRestarts::set_rates() {
    for (std::size_t g = 0; g < groups().size(); ++g) {
        groups()[g].lr = compute_lr(g);
    }
    record_lr();
}

AUDYN_INLINE void CosineAnnealingWarmRestarts::step() {
    if (last_epoch() < 0) {
        step_to(0.0);
        return;
    }
    t_cur_ += 1.0;
    if (t_cur_ >= static_cast<double>(t_i_)) {
        t_cur_ = std::fmod(t_cur_, static_cast<double>(t_i_));
        t_i_ *= t_mult_;
    }
    set_last_epoch(last_epoch() + 1);
    set_rates();
}

AUDYN_INLINE void CosineAnnealingWarmRestarts::step_to(double epoch) {
    if (!(epoch >= 0.0)) {
        throw UsageError("CosineAnnealingWarmRestarts cannot step to " + std::to_string(epoch) +
                         ": it must not be negative");
    }
    const auto first = static_cast<double>(t_0_);
    const auto factor = static_cast<double>(t_mult_);
    if (epoch < first) {
        t_i_ = t_0_;
        t_cur_ = epoch;
    } else if (t_mult_ == 1) {
        t_cur_ = std::fmod(epoch, first);
    } else {
        const double restarts = std::trunc(std::log(epoch / first * (factor - 1.0) + 1.0) / std::log(factor));
        const double length = std::pow(factor, restarts);
        t_cur_ = epoch - first * (length - 1.0) / (factor - 1.0);
        t_i_ = t_0_ * static_cast<int64_t>(length);
    }
    set_last_epoch(static_cast<int64_t>(std::floor(epoch)));
    set_rates();
}

AUDYN_INLINE StateDict CosineAnnealingWarmRestarts::options() const {
    const bool is_whole = std::trunc(t_cur_) == t_cur_;
    return {{"T_0", t_0_},
            {"T_i", t_i_},
            {"T_mult", t_mult_},
            {"eta_min", eta_min_},
            {"T_cur", is_whole ? state::Value(static_cast<int64_t>(t_cur_)) : state::Value(t_cur_)}};
}

AUDYN_INLINE void CosineAnnealingWarmRestarts::load_options(const StateDict& state) {
    t_0_ = state.at("T_0").as_int();
    t_i_ = state.at("T_i").as_int();
    t_mult_ = state.at("T_mult").as_int();
    eta_min_ = state.at("eta_min").as_float();
    t_cur_ = state.at("T_cur").as_float();
}

} // namespace audyn::optim
