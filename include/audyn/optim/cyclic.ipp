#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/cyclic.hpp>

#include <cmath>
#include <string>

namespace audyn::optim {

AUDYN_INLINE CyclicLR::CyclicLR(Optimizer& optimizer, const CyclicLROptions& options)
    : LRScheduler(optimizer),
      max_lrs_(detail::for_each_group("max_lr", options.max_lr(), groups().size())),
      total_size_(static_cast<double>(options.step_size_up()) + static_cast<double>(options.step_size_down())),
      step_ratio_(static_cast<double>(options.step_size_up()) / total_size_),
      mode_(options.mode()),
      gamma_(options.gamma()),
      scale_fn_(options.scale_fn()),
      scale_mode_(options.scale_mode()),
      cycle_momentum_(options.cycle_momentum()) {
    detail::check_positive("step_size_up", options.step_size_up());
    if (options.step_size_down() < 0) {
        throw UsageError("CyclicLR's step_size_down must not be negative, got " +
                         std::to_string(options.step_size_down()));
    }
    std::vector<double> base_lrs = detail::for_each_group("base_lr", options.base_lr(), groups().size());
    for (std::size_t g = 0; g < groups().size(); ++g) {
        groups()[g].lr = base_lrs[g];
    }
    choose_scale_mode();
    if (cycle_momentum_) {
        set_momenta(options);
    }
    initialize();
    set_base_lrs(std::move(base_lrs));
}

AUDYN_INLINE void CyclicLR::set_momenta(const CyclicLROptions& options) {
    detail::check_momentum("CyclicLR", groups());
    base_momentums_ = detail::for_each_group("base_momentum", options.base_momentum(), groups().size());
    max_momentums_ = detail::for_each_group("max_momentum", options.max_momentum(), groups().size());
    for (std::size_t g = 0; g < groups().size(); ++g) {
        ParamGroup& group = groups()[g];
        use_beta1_ = group.momentum_is_beta1;
        group.momentum = max_momentums_[g];
        group.schedule.max_momentum = max_momentums_[g];
        group.schedule.base_momentum = base_momentums_[g];
    }
}

AUDYN_INLINE void CyclicLR::choose_scale_mode() {
    if (!scale_fn_) {
        scale_mode_ = mode_ == CyclicMode::exp_range ? ScaleMode::iterations : ScaleMode::cycle;
    }
}

AUDYN_INLINE double CyclicLR::cycle() const {
    return std::floor(1.0 + static_cast<double>(last_epoch()) / total_size_);
}

AUDYN_INLINE double CyclicLR::height() const {
    const double x = 1.0 + static_cast<double>(last_epoch()) / total_size_ - cycle();
    return x <= step_ratio_ ? x / step_ratio_ : (x - 1.0) / (step_ratio_ - 1.0);
}

AUDYN_INLINE double CyclicLR::scale() const {
    const double x = scale_mode_ == ScaleMode::cycle ? cycle() : static_cast<double>(last_epoch());
    if (scale_fn_) {
        return scale_fn_(x);
    }
    switch (mode_) {
    case CyclicMode::triangular2:
        return 1.0 / std::pow(2.0, x - 1.0);
    case CyclicMode::exp_range:
        return std::pow(gamma_, x);
    case CyclicMode::triangular:
        break;
    }
    return 1.0;
}

AUDYN_INLINE double CyclicLR::compute_lr(std::size_t group) {
    if (cycle_momentum_) {
        const double range = (max_momentums_[group] - base_momentums_[group]) * height();
        groups()[group].momentum = max_momentums_[group] - range * scale();
    }
    return base_lr(group) + (max_lrs_[group] - base_lr(group)) * height() * scale();
}

AUDYN_INLINE StateDict CyclicLR::options() const {
    StateDict state{{"max_lrs", detail::to_list(max_lrs_)},
                    {"total_size", total_size_},
                    {"step_ratio", step_ratio_},
                    {"mode", cyclic_modes.name(mode_)},
                    {"gamma", gamma_},
                    {"scale_mode", scale_modes.name(scale_mode_)},
                    {"cycle_momentum", cycle_momentum_},
                    {"_scale_fn_custom", nullptr}};
    if (cycle_momentum_) {
        state.set("use_beta1", use_beta1_);
        state.set("base_momentums", detail::to_list(base_momentums_));
        state.set("max_momentums", detail::to_list(max_momentums_));
    }
    return state;
}

AUDYN_INLINE void CyclicLR::load_options(const StateDict& state) {
    // A custom function takes the place of the mode, which may be any text then.
    mode_ = scale_fn_ ? mode_ : cyclic_modes.mode<StateError>(state.at("mode").as_string());
    scale_mode_ = scale_modes.mode<StateError>(state.at("scale_mode").as_string());
    if (const state::Value* scale_fn = state.find("_scale_fn_custom"); scale_fn != nullptr && !scale_fn->is_none()) {
        throw StateError("the state holds attributes of the Python object that was CyclicLR's scale_fn, which no "
                         "function here can take; save it with a plain function in Python");
    }
    max_lrs_ = detail::to_numbers(state.at("max_lrs"));
    check_group_count(max_lrs_.size());
    cycle_momentum_ = state.at("cycle_momentum").as_bool();
    if (cycle_momentum_) {
        detail::check_momentum<StateError>("CyclicLR", groups());
        base_momentums_ = detail::to_numbers(state.at("base_momentums"));
        max_momentums_ = detail::to_numbers(state.at("max_momentums"));
        check_group_count(base_momentums_.size());
        check_group_count(max_momentums_.size());
        use_beta1_ = groups().front().momentum_is_beta1;
    }
    total_size_ = state.at("total_size").as_float();
    step_ratio_ = state.at("step_ratio").as_float();
    gamma_ = state.at("gamma").as_float();
    choose_scale_mode();
}

} // namespace audyn::optim
