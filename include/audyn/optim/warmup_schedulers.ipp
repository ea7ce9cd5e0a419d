#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/warmup_schedulers.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace audyn::optim::detail {

AUDYN_INLINE LRLambda burn_in(int64_t burnin_step, double burnin_scale) {
    return [=](int64_t step) { return step < burnin_step ? burnin_scale : 1.0; };
}

AUDYN_INLINE LRLambda exponential_warmup_linear_cooldown(int64_t warmup_steps, int64_t suspend_steps,
                                                         int64_t cooldown_steps, double last_factor) {
    if (warmup_steps < 0 || suspend_steps < 0 || cooldown_steps < 0) {
        throw UsageError("ExponentialWarmupLinearCooldownLRScheduler's numbers of steps must not be negative, got " +
                         std::to_string(warmup_steps) + ", " + std::to_string(suspend_steps) + " and " +
                         std::to_string(cooldown_steps));
    }
    return [=](int64_t step) {
        const int64_t left = warmup_steps + suspend_steps + cooldown_steps - step;
        if (step < warmup_steps) {
            const double before = 1.0 - static_cast<double>(step) / static_cast<double>(warmup_steps);
            return std::exp(-5.0 * (before * before));
        }
        if (left > cooldown_steps) {
            return 1.0;
        }
        return left <= 0 ? last_factor
                         : last_factor +
                               (1.0 - last_factor) * (static_cast<double>(left) / static_cast<double>(cooldown_steps));
    };
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE TransformerLRScheduler::TransformerLRScheduler(Optimizer& optimizer, int64_t d_model, int64_t warmup_steps)
    : LRScheduler(optimizer), d_model_(d_model), warmup_steps_(warmup_steps) {
    detail::check_positive("d_model", d_model);
    detail::check_positive("warmup_steps", warmup_steps);
    initialize();
}

AUDYN_INLINE double TransformerLRScheduler::compute_lr(std::size_t) {
    const auto step = static_cast<double>(step_count());
    return std::pow(static_cast<double>(d_model_), -0.5) *
           std::min(std::pow(step, -0.5), step * std::pow(static_cast<double>(warmup_steps_), -1.5));
}

AUDYN_INLINE StateDict TransformerLRScheduler::options() const {
    return {{"d_model", d_model_}, {"warmup_steps", warmup_steps_}};
}

AUDYN_INLINE void TransformerLRScheduler::load_options(const StateDict& state) {
    d_model_ = state.at("d_model").as_int();
    warmup_steps_ = state.at("warmup_steps").as_int();
}

AUDYN_INLINE BurnInLRScheduler::BurnInLRScheduler(Optimizer& optimizer, int64_t burnin_step, double burnin_scale)
    : LambdaLR(optimizer, detail::burn_in(burnin_step, burnin_scale)), burnin_step_(burnin_step) {}

AUDYN_INLINE StateDict BurnInLRScheduler::options() const {
    StateDict state = LambdaLR::options();
    state.set("burnin_step", burnin_step_);
    return state;
}

AUDYN_INLINE ExponentialWarmupLinearCooldownLRScheduler::ExponentialWarmupLinearCooldownLRScheduler(
    Optimizer& optimizer, int64_t warmup_steps, int64_t suspend_steps, int64_t cooldown_steps, double last_factor)
    : LambdaLR(optimizer,
               detail::exponential_warmup_linear_cooldown(warmup_steps, suspend_steps, cooldown_steps, last_factor)) {}

} // namespace audyn::optim
