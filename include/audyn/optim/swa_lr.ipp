#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/swa_lr.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

namespace audyn::optim {

AUDYN_INLINE SWALR::SWALR(Optimizer& optimizer, double swa_lr, int64_t anneal_epochs, AnnealStrategy anneal_strategy)
    : SWALR(optimizer, std::vector{swa_lr}, anneal_epochs, anneal_strategy) {}

AUDYN_INLINE SWALR::SWALR(Optimizer& optimizer, const std::vector<double>& swa_lr, int64_t anneal_epochs,
                          AnnealStrategy anneal_strategy)
    : LRScheduler(optimizer), anneal_epochs_(anneal_epochs), anneal_strategy_(anneal_strategy) {
    if (anneal_epochs < 0) {
        throw UsageError("SWALR's anneal_epochs must not be negative, got " + std::to_string(anneal_epochs));
    }
    const std::vector<double> swa_lrs = detail::for_each_group("swa_lr", swa_lr, groups().size());
    for (std::size_t g = 0; g < groups().size(); ++g) {
        groups()[g].schedule.swa_lr = swa_lrs[g];
    }
    initialize();
}

AUDYN_INLINE double SWALR::alpha(int64_t step) const {
    const double part = static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, anneal_epochs_));
    const double done = std::clamp(part, 0.0, 1.0);
    return anneal_strategy_ == AnnealStrategy::linear ? done : (1.0 - std::cos(std::numbers::pi * done)) / 2.0;
}

AUDYN_INLINE double SWALR::compute_lr(std::size_t index) {
    const ParamGroup& group = groups()[index];
    if (!group.schedule.swa_lr) {
        throw StateError("the optimizer's state has no 'swa_lr' in its param_groups; it was not trained with SWALR");
    }
    const double swa_lr = *group.schedule.swa_lr;
    const int64_t step = anneal_epochs_ == 0 ? std::max<int64_t>(1, step_count() - 1) : step_count() - 1;
    const double before = alpha(step - 1);
    const double initial_lr = before == 1.0 ? swa_lr : (group.lr - before * swa_lr) / (1.0 - before);
    const double now = alpha(step);
    return swa_lr * now + initial_lr * (1.0 - now);
}

AUDYN_INLINE StateDict SWALR::options() const {
    return {{"_anneal_strategy", anneal_strategies.name(anneal_strategy_)}, {"anneal_epochs", anneal_epochs_}};
}

AUDYN_INLINE void SWALR::load_options(const StateDict& state) {
    anneal_strategy_ = anneal_strategies.mode<StateError>(state.at("_anneal_strategy").as_string());
    anneal_epochs_ = state.at("anneal_epochs").as_int();
}

} // namespace audyn::optim
