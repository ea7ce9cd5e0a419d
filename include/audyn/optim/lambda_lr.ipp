#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/lambda_lr.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

namespace audyn::optim::detail {

AUDYN_INLINE FunctionLR::FunctionLR(Optimizer& optimizer, std::vector<LRLambda> lr_lambdas)
    : LRScheduler(optimizer), lr_lambdas_(std::move(lr_lambdas)) {
    if (lr_lambdas_.size() == 1) {
        lr_lambdas_.resize(groups().size(), lr_lambdas_.front());
    }
    if (lr_lambdas_.size() != groups().size()) {
        throw UsageError("the scheduler needs one lr_lambda, or one for each of the " +
                         std::to_string(groups().size()) + " parameter groups; got " +
                         std::to_string(lr_lambdas_.size()));
    }
    for (const LRLambda& lambda : lr_lambdas_) {
        if (!lambda) {
            throw UsageError("a scheduler's lr_lambda is empty; give it a function of the step");
        }
    }
}

AUDYN_INLINE StateDict FunctionLR::options() const {
    return {{"lr_lambdas", state::List(lr_lambdas_.size())}};
}

AUDYN_INLINE void FunctionLR::load_options(const StateDict& state) {
    for (const state::Value& saved : state.at("lr_lambdas").as_list()) {
        if (!saved.is_none()) {
            throw StateError("the state holds attributes of the Python object that was the scheduler's lr_lambda, "
                             "which no function here can take; save it with a plain function in Python");
        }
    }
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE LambdaLR::LambdaLR(Optimizer& optimizer, LRLambda lr_lambda)
    : LambdaLR(optimizer, std::vector<LRLambda>{std::move(lr_lambda)}) {}

AUDYN_INLINE LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<LRLambda> lr_lambdas)
    : FunctionLR(optimizer, std::move(lr_lambdas)) {
    initialize();
}

AUDYN_INLINE MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, LRLambda lr_lambda)
    : MultiplicativeLR(optimizer, std::vector<LRLambda>{std::move(lr_lambda)}) {}

AUDYN_INLINE MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, std::vector<LRLambda> lr_lambdas)
    : FunctionLR(optimizer, std::move(lr_lambdas)) {
    initialize();
}

AUDYN_INLINE double MultiplicativeLR::compute_lr(std::size_t group) {
    const double lr = groups()[group].lr;
    return is_initial() ? lr : lr * factor(group);
}

} // namespace audyn::optim

namespace audyn::optim::detail {

AUDYN_INLINE double progress(int64_t step, int64_t warmup_steps, int64_t total_steps) {
    return std::min(1.0, static_cast<double>(step - warmup_steps) / static_cast<double>(total_steps - warmup_steps));
}

AUDYN_INLINE void check_total_steps(int64_t warmup_steps, int64_t total_steps) {
    if (warmup_steps < 0) {
        throw UsageError("warmup_steps must not be negative, got " + std::to_string(warmup_steps));
    }
    if (total_steps <= warmup_steps) {
        throw UsageError("total_steps must be more than the " + std::to_string(warmup_steps) +
                         " steps of the warm-up, got " + std::to_string(total_steps));
    }
}

AUDYN_INLINE LRLambda after_warmup(int64_t warmup_steps, LRLambda main) {
    return [warmup_steps, main = std::move(main)](int64_t step) {
        return step < warmup_steps ? static_cast<double>(step) / static_cast<double>(warmup_steps) : main(step);
    };
}

} // namespace audyn::optim::detail

namespace audyn::optim::lr_lambda {

AUDYN_INLINE LRLambda constant(double factor) {
    return [factor](int64_t) { return factor; };
}

AUDYN_INLINE LRLambda exponential(double gamma) {
    return [gamma](int64_t step) { return std::pow(gamma, static_cast<double>(step)); };
}

AUDYN_INLINE LRLambda step(int64_t step_size, double gamma) {
    detail::check_positive("step_size", step_size);
    return [=](int64_t step) { return std::pow(gamma, static_cast<double>(step / step_size)); };
}

AUDYN_INLINE LRLambda inverse_sqrt(int64_t warmup_steps) {
    detail::check_positive("warmup_steps", warmup_steps);
    return detail::after_warmup(warmup_steps, [=](int64_t step) {
        return std::sqrt(static_cast<double>(warmup_steps) / static_cast<double>(step));
    });
}

AUDYN_INLINE LRLambda linear(int64_t warmup_steps, int64_t total_steps) {
    detail::check_total_steps(warmup_steps, total_steps);
    return detail::after_warmup(warmup_steps,
                                [=](int64_t step) { return 1.0 - detail::progress(step, warmup_steps, total_steps); });
}

AUDYN_INLINE LRLambda cosine(int64_t warmup_steps, int64_t total_steps) {
    detail::check_total_steps(warmup_steps, total_steps);
    return detail::after_warmup(warmup_steps, [=](int64_t step) {
        return 0.5 * (1.0 + std::cos(std::numbers::pi * detail::progress(step, warmup_steps, total_steps)));
    });
}

} // namespace audyn::optim::lr_lambda
