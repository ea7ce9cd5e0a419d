#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/schedulers.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

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

AUDYN_INLINE OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : LRScheduler(optimizer),
      total_steps_(options.total_steps()),
      anneal_strategy_(options.anneal_strategy()),
      cycle_momentum_(options.cycle_momentum()) {
    check(options, groups().size());
    set_phases(options.pct_start(), options.three_phase());
    set_values(options);
    initialize();
}

AUDYN_INLINE void OneCycleLR::check(const OneCycleLROptions& options, std::size_t groups) {
    detail::check_positive("total_steps", options.total_steps());
    if (options.max_lr().size() != 1 && options.max_lr().size() != groups) {
        throw UsageError("OneCycleLR needs one max_lr, or one for each of the " + std::to_string(groups) +
                         " parameter groups; got " + std::to_string(options.max_lr().size()));
    }
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
    for (std::size_t g = 0; g < groups().size(); ++g) {
        ParamGroup& group = groups()[g];
        const double highest = options.max_lr().size() == 1 ? options.max_lr().front() : options.max_lr()[g];
        group.schedule.initial_lr = highest / options.div_factor();
        group.schedule.max_lr = highest;
        group.schedule.min_lr = *group.schedule.initial_lr / options.final_div_factor();
        if (cycle_momentum_) {
            if (!group.momentum) {
                throw UsageError("OneCycleLR cannot cycle the momentum of an optimizer without momentum or betas; "
                                 "set cycle_momentum to false");
            }
            use_beta1_ = group.momentum_is_beta1;
            group.momentum = options.max_momentum();
            group.schedule.max_momentum = options.max_momentum();
            group.schedule.base_momentum = options.base_momentum();
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
                    {"_anneal_func_type", anneal_strategy_ == AnnealStrategy::cos ? "cos" : "linear"},
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
    const std::string& strategy = state.at("_anneal_func_type").as_string();
    if (phases.empty() || (strategy != "cos" && strategy != "linear")) {
        throw StateError("the state of OneCycleLR has no phases, or the unknown strategy '" + strategy + "'");
    }
    total_steps_ = state.at("total_steps").as_int();
    cycle_momentum_ = state.at("cycle_momentum").as_bool();
    anneal_strategy_ = strategy == "cos" ? AnnealStrategy::cos : AnnealStrategy::linear;
    phases_ = std::move(phases);
}

AUDYN_INLINE SequentialLR::SequentialLR(Optimizer& optimizer, std::vector<std::unique_ptr<LRScheduler>> schedulers,
                                        std::vector<int64_t> milestones)
    : LRScheduler(optimizer), schedulers_(std::move(schedulers)), milestones_(std::move(milestones)) {
    if (schedulers_.empty() || milestones_.size() != schedulers_.size() - 1) {
        throw UsageError("SequentialLR needs one scheduler more than milestones, got " +
                         std::to_string(schedulers_.size()) + " schedulers and " + std::to_string(milestones_.size()) +
                         " milestones");
    }
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        if (scheduler->groups_ != groups_) {
            throw UsageError("SequentialLR needs schedulers of its own optimizer");
        }
    }
    last_epoch_ = 0;
    // Each scheduler has taken its first step when it was made: only the one that starts may keep it.
    for (ParamGroup& group : groups()) {
        group.lr = *group.schedule.initial_lr;
    }
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        scheduler->undo_step();
    }
    LRScheduler& first = *schedulers_[static_cast<std::size_t>(
        std::upper_bound(milestones_.begin(), milestones_.end(), int64_t{0}) - milestones_.begin())];
    first.initial_step();
    last_lr_ = first.last_lr();
}

AUDYN_INLINE void SequentialLR::undo_step() {
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        scheduler->undo_step();
    }
}

AUDYN_INLINE void SequentialLR::step() {
    ++last_epoch_;
    const auto index = static_cast<std::size_t>(std::upper_bound(milestones_.begin(), milestones_.end(), last_epoch_) -
                                                milestones_.begin());
    LRScheduler& scheduler = *schedulers_[index];
    if (index > 0 && milestones_[index - 1] == last_epoch_) {
        scheduler.update_lr(0);
    } else {
        scheduler.step();
    }
    last_lr_ = scheduler.last_lr();
}

AUDYN_INLINE StateDict SequentialLR::state_dict() const {
    state::List schedulers;
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        schedulers.emplace_back(scheduler->state_dict());
    }
    return {{"_milestones", state::List(milestones_.begin(), milestones_.end())},
            {"last_epoch", last_epoch_},
            {"_last_lr", detail::to_list(last_lr_)},
            {"_schedulers", std::move(schedulers)}};
}

AUDYN_INLINE void SequentialLR::load_state_dict(const StateDict& state) {
    check_keys(state_dict(), state);
    const std::vector<state::Value>& saved = state.at("_schedulers").as_list();
    if (saved.size() != schedulers_.size() || state.at("_milestones").as_list().size() != milestones_.size()) {
        throw StateError("the state is of a sequence of " + std::to_string(saved.size()) +
                         " learning rate schedulers, here are " + std::to_string(schedulers_.size()));
    }
    for (std::size_t i = 0; i < saved.size(); ++i) {
        schedulers_[i]->load_state_dict(saved[i].as_dict());
    }
    for (std::size_t i = 0; i < milestones_.size(); ++i) {
        milestones_[i] = state.at("_milestones").as_list()[i].as_int();
    }
    last_epoch_ = state.at("last_epoch").as_int();
    last_lr_.clear();
    for (const state::Value& lr : state.at("_last_lr").as_list()) {
        last_lr_.push_back(detail::number(lr));
    }
}

AUDYN_INLINE std::unique_ptr<LRScheduler> linear_warmup(Optimizer& optimizer, int64_t warmup_steps, double start_factor,
                                                        const MakeScheduler& main) {
    auto warmup = std::make_unique<LinearLR>(optimizer, start_factor, 1.0, warmup_steps);
    if (!main) {
        return warmup;
    }
    std::vector<std::unique_ptr<LRScheduler>> schedulers;
    schedulers.push_back(std::move(warmup));
    schedulers.push_back(main(optimizer));
    return std::make_unique<SequentialLR>(optimizer, std::move(schedulers), std::vector<int64_t>{warmup_steps});
}

} // namespace audyn::optim
