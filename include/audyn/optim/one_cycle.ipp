#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/one_cycle.hpp>

#include <cmath>
#include <iterator>
#include <numbers>
#include <string>

namespace audyn::optim {

AUDYN_INLINE OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : LRScheduler(optimizer),
      total_steps_(options.total_steps()),
      anneal_strategy_(options.anneal_strategy()),
      cycle_momentum_(options.cycle_momentum()) {
    check(options);
    set_phases(options.pct_start(), options.three_phase());
    set_values(options);
    initialize();
}

AUDYN_INLINE void OneCycleLR::check(const OneCycleLROptions& options) {
    detail::check_positive("total_steps", options.total_steps());
    if (!(options.pct_start() >= 0.0 && options.pct_start() <= 1.0)) {
        throw UsageError("OneCycleLR's pct_start must lie in [0, 1], got " + std::to_string(options.pct_start()));
    }
}

AUDYN_INLINE void OneCycleLR::set_phases(double pct_start, bool three_phase) {
    const auto steps = static_cast<double>(total_steps_);
    const double rise = pct_start * steps - 1.0;
    phases_ = {{rise, initial_lr, max_lr, max_momentum, base_momentum}};
    if (three_phase) {
        phases_.push_back({2.0 * pct_start * steps - 2.0, max_lr, initial_lr, base_momentum, max_momentum});
        phases_.push_back({steps - 1.0, initial_lr, min_lr, max_momentum, max_momentum});
    } else {
        phases_.push_back({steps - 1.0, max_lr, min_lr, base_momentum, max_momentum});
    }
}

AUDYN_INLINE void OneCycleLR::set_values(const OneCycleLROptions& options) {
    const std::size_t count = groups().size();
    const std::vector<double> max_lrs = detail::for_each_group("max_lr", options.max_lr(), count);
    const std::vector<double> base_momenta = detail::for_each_group("base_momentum", options.base_momentum(), count);
    const std::vector<double> max_momenta = detail::for_each_group("max_momentum", options.max_momentum(), count);
    if (cycle_momentum_) {
        detail::check_momentum("OneCycleLR", groups());
    }
    for (std::size_t g = 0; g < count; ++g) {
        ParamGroup& group = groups()[g];
        group.schedule.initial_lr = max_lrs[g] / options.div_factor();
        group.schedule.max_lr = max_lrs[g];
        group.schedule.min_lr = *group.schedule.initial_lr / options.final_div_factor();
        if (cycle_momentum_) {
            use_beta1_ = group.momentum_is_beta1;
            group.momentum = max_momenta[g];
            group.schedule.max_momentum = max_momenta[g];
            group.schedule.base_momentum = base_momenta[g];
        }
    }
}

AUDYN_INLINE double OneCycleLR::anneal(const ParamGroup& group, const Bound& from, const Bound& to, double pct) const {
    const std::optional<double>& start = group.schedule.*from.value;
    const std::optional<double>& end = group.schedule.*to.value;
    if (!start || !end) {
        throw StateError(std::string("the optimizer's state has no '") + (start ? to.name : from.name) +
                         "' in its param_groups; it was not trained with OneCycleLR");
    }
    if (anneal_strategy_ == AnnealStrategy::cos) {
        return *end + (*start - *end) / 2.0 * (std::cos(std::numbers::pi * pct) + 1.0);
    }
    return (*end - *start) * pct + *start;
}

AUDYN_INLINE double OneCycleLR::compute_lr(std::size_t index) {
    const int64_t step = last_epoch();
    if (step > total_steps_) {
        throw UsageError("OneCycleLR is stepped " + std::to_string(step) + " times, its total_steps are " +
                         std::to_string(total_steps_));
    }
    double start_step = 0.0;
    auto phase = phases_.begin();
    while (phase != std::prev(phases_.end()) && static_cast<double>(step) > phase->end_step) {
        start_step = phase->end_step;
        ++phase;
    }
    if (phase->end_step == start_step) {
        throw UsageError("OneCycleLR has a phase without steps; choose other total_steps or pct_start");
    }
    const double pct = (static_cast<double>(step) - start_step) / (phase->end_step - start_step);
    ParamGroup& group = groups()[index];
    if (cycle_momentum_) {
        group.momentum = anneal(group, phase->start_momentum, phase->end_momentum, pct);
    }
    return anneal(group, phase->start_lr, phase->end_lr, pct);
}

AUDYN_INLINE StateDict OneCycleLR::options() const {
    state::List phases;
    for (const Phase& phase : phases_) {
        phases.emplace_back(StateDict{{"end_step", phase.end_step},
                                      {"start_lr", phase.start_lr.name},
                                      {"end_lr", phase.end_lr.name},
                                      {"start_momentum", phase.start_momentum.name},
                                      {"end_momentum", phase.end_momentum.name}});
    }
    StateDict state{{"total_steps", total_steps_},
                    {"_schedule_phases", std::move(phases)},
                    {"_anneal_func_type", anneal_strategies.name(anneal_strategy_)},
                    {"cycle_momentum", cycle_momentum_}};
    if (cycle_momentum_) {
        state.set("use_beta1", use_beta1_);
    }
    return state;
}

AUDYN_INLINE OneCycleLR::Bound OneCycleLR::bound(const std::string& name) {
    for (const Bound& known : {initial_lr, max_lr, min_lr, max_momentum, base_momentum}) {
        if (name == known.name) {
            return known;
        }
    }
    throw StateError("the state of OneCycleLR names an unknown value '" + name + "'");
}

AUDYN_INLINE void OneCycleLR::load_options(const StateDict& state) {
    std::vector<Phase> phases;
    for (const state::Value& value : state.at("_schedule_phases").as_list()) {
        const StateDict& phase = value.as_dict();
        phases.push_back({phase.at("end_step").as_float(), bound(phase.at("start_lr").as_string()),
                          bound(phase.at("end_lr").as_string()), bound(phase.at("start_momentum").as_string()),
                          bound(phase.at("end_momentum").as_string())});
    }
    if (phases.empty()) {
        throw StateError("the state of OneCycleLR has no phases");
    }
    anneal_strategy_ = anneal_strategies.mode<StateError>(state.at("_anneal_func_type").as_string());
    cycle_momentum_ = state.at("cycle_momentum").as_bool();
    if (cycle_momentum_) {
        detail::check_momentum<StateError>("OneCycleLR", groups());
        use_beta1_ = groups().front().momentum_is_beta1;
    }
    total_steps_ = state.at("total_steps").as_int();
    phases_ = std::move(phases);
}

} // namespace audyn::optim
