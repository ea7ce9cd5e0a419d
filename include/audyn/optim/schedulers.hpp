#pragma once

#include <audyn/core/error.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Schedulers under the names of `torch.optim.lr_scheduler`, with Python's defaults and values.
namespace audyn::optim {

/// Multiplies the rate by `gamma` every `step_size` steps.
class StepLR final : public LRScheduler {
public:
    StepLR(Optimizer& optimizer, int64_t step_size, double gamma = 0.1)
        : LRScheduler(optimizer), step_size_(step_size), gamma_(gamma) {
        detail::check_positive("step_size", step_size);
        initialize();
    }

protected:
    [[nodiscard]] double compute_lr(std::size_t group) override {
        const double lr = groups()[group].lr;
        return last_epoch() == 0 || last_epoch() % step_size_ != 0 ? lr : lr * gamma_;
    }
    [[nodiscard]] std::optional<double> closed_form_lr(std::size_t group) const override {
        return base_lr(group) * std::pow(gamma_, static_cast<double>(last_epoch() / step_size_));
    }
    [[nodiscard]] StateDict options() const override { return {{"step_size", step_size_}, {"gamma", gamma_}}; }
    void load_options(const StateDict& state) override {
        step_size_ = state.at("step_size").as_int();
        gamma_ = state.at("gamma").as_float();
    }

private:
    int64_t step_size_;
    double gamma_;
};

/// Multiplies the rate by `factor` for `total_iters` steps.
class ConstantLR final : public LRScheduler {
public:
    explicit ConstantLR(Optimizer& optimizer, double factor = 1.0 / 3, int64_t total_iters = 5)
        : LRScheduler(optimizer), factor_(factor), total_iters_(total_iters) {
        if (factor > 1.0 || factor < 0.0) {
            throw UsageError("ConstantLR's factor must lie in [0, 1], got " + std::to_string(factor));
        }
        initialize();
    }

protected:
    [[nodiscard]] double compute_lr(std::size_t group) override {
        const double lr = groups()[group].lr;
        if (last_epoch() == 0) {
            return lr * factor_;
        }
        return last_epoch() != total_iters_ ? lr : lr * (1.0 / factor_);
    }
    [[nodiscard]] std::optional<double> closed_form_lr(std::size_t group) const override {
        return base_lr(group) * (factor_ + (last_epoch() >= total_iters_ ? 1.0 - factor_ : 0.0));
    }
    [[nodiscard]] StateDict options() const override { return {{"factor", factor_}, {"total_iters", total_iters_}}; }
    void load_options(const StateDict& state) override {
        factor_ = state.at("factor").as_float();
        total_iters_ = state.at("total_iters").as_int();
    }

private:
    double factor_;
    int64_t total_iters_;
};

/// Changes the factor of the rate linearly from `start_factor` to `end_factor` in `total_iters` steps: a warm-up.
class LinearLR final : public LRScheduler {
public:
    explicit LinearLR(Optimizer& optimizer, double start_factor = 1.0 / 3, double end_factor = 1.0,
                      int64_t total_iters = 5)
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

protected:
    [[nodiscard]] double compute_lr(std::size_t group) override {
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
    [[nodiscard]] std::optional<double> closed_form_lr(std::size_t group) const override {
        return base_lr(group) * (start_factor_ + (end_factor_ - start_factor_) *
                                                     static_cast<double>(std::min(total_iters_, last_epoch())) /
                                                     static_cast<double>(total_iters_));
    }
    [[nodiscard]] StateDict options() const override {
        return {{"start_factor", start_factor_}, {"end_factor", end_factor_}, {"total_iters", total_iters_}};
    }
    void load_options(const StateDict& state) override {
        start_factor_ = state.at("start_factor").as_float();
        end_factor_ = state.at("end_factor").as_float();
        total_iters_ = state.at("total_iters").as_int();
    }

private:
    double start_factor_;
    double end_factor_;
    int64_t total_iters_;
};

/// Half a cosine from the rate down to `eta_min` in `t_max` steps, and up again after that.
class CosineAnnealingLR final : public LRScheduler {
public:
    CosineAnnealingLR(Optimizer& optimizer, int64_t t_max, double eta_min = 0.0)
        : LRScheduler(optimizer), t_max_(t_max), eta_min_(eta_min) {
        detail::check_positive("T_max", t_max);
        initialize();
    }

protected:
    [[nodiscard]] inline double compute_lr(std::size_t group) override;
    [[nodiscard]] std::optional<double> closed_form_lr(std::size_t group) const override {
        return eta_min_ + (base_lr(group) - eta_min_) * (1.0 + cosine(last_epoch())) / 2.0;
    }
    [[nodiscard]] StateDict options() const override { return {{"T_max", t_max_}, {"eta_min", eta_min_}}; }
    void load_options(const StateDict& state) override {
        t_max_ = state.at("T_max").as_int();
        eta_min_ = state.at("eta_min").as_float();
    }

private:
    [[nodiscard]] double cosine(int64_t step) const {
        return std::cos(std::numbers::pi * static_cast<double>(step) / static_cast<double>(t_max_));
    }

    int64_t t_max_;
    double eta_min_;
};

inline double CosineAnnealingLR::compute_lr(std::size_t group) {
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

/// How OneCycleLR goes from one value to the next.
enum class AnnealStrategy { cos, linear };

/// Options of OneCycleLR with Python's names and defaults.
class OneCycleLROptions {
public:
    /// The highest rate of all groups, or of each.
    OneCycleLROptions& max_lr(double value) { return max_lr_ = {value}, *this; }
    OneCycleLROptions& max_lr(std::vector<double> values) { return max_lr_ = std::move(values), *this; }
    OneCycleLROptions& total_steps(int64_t value) { return total_steps_ = value, *this; }
    /// The part of the cycle in which the rate rises.
    OneCycleLROptions& pct_start(double value) { return pct_start_ = value, *this; }
    OneCycleLROptions& anneal_strategy(AnnealStrategy value) { return anneal_strategy_ = value, *this; }
    /// Lets the momentum, or Adam's first beta, fall while the rate rises, and the reverse.
    OneCycleLROptions& cycle_momentum(bool value) { return cycle_momentum_ = value, *this; }
    OneCycleLROptions& base_momentum(double value) { return base_momentum_ = value, *this; }
    OneCycleLROptions& max_momentum(double value) { return max_momentum_ = value, *this; }
    /// The first rate is max_lr / div_factor, the last one the first / final_div_factor.
    OneCycleLROptions& div_factor(double value) { return div_factor_ = value, *this; }
    OneCycleLROptions& final_div_factor(double value) { return final_div_factor_ = value, *this; }
    OneCycleLROptions& three_phase(bool value) { return three_phase_ = value, *this; }

    [[nodiscard]] const std::vector<double>& max_lr() const { return max_lr_; }
    [[nodiscard]] int64_t total_steps() const { return total_steps_; }
    [[nodiscard]] double pct_start() const { return pct_start_; }
    [[nodiscard]] AnnealStrategy anneal_strategy() const { return anneal_strategy_; }
    [[nodiscard]] bool cycle_momentum() const { return cycle_momentum_; }
    [[nodiscard]] double base_momentum() const { return base_momentum_; }
    [[nodiscard]] double max_momentum() const { return max_momentum_; }
    [[nodiscard]] double div_factor() const { return div_factor_; }
    [[nodiscard]] double final_div_factor() const { return final_div_factor_; }
    [[nodiscard]] bool three_phase() const { return three_phase_; }

private:
    std::vector<double> max_lr_;
    int64_t total_steps_ = 0;
    double pct_start_ = 0.3;
    AnnealStrategy anneal_strategy_ = AnnealStrategy::cos;
    bool cycle_momentum_ = true;
    double base_momentum_ = 0.85;
    double max_momentum_ = 0.95;
    double div_factor_ = 25.0;
    double final_div_factor_ = 1e4;
    bool three_phase_ = false;
};

/// One rise and fall of the rate over the whole training, with the momentum the other way round. Steps per iteration.
class OneCycleLR final : public LRScheduler {
public:
    /// \throws UsageError for options out of range, and when the momentum should cycle and there is none.
    OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options);

protected:
    [[nodiscard]] inline double compute_lr(std::size_t group) override;
    [[nodiscard]] inline StateDict options() const override;
    inline void load_options(const StateDict& state) override;

private:
    /// A value of a group, by Python's name.
    struct Bound {
        const char* name;
        std::optional<double> ScheduleValues::*value;
    };
    /// The way from one value to another until `end_step`.
    struct Phase {
        double end_step;
        Bound start_lr;
        Bound end_lr;
        Bound start_momentum;
        Bound end_momentum;
    };

    static constexpr Bound initial_lr{"initial_lr", &ScheduleValues::initial_lr};
    static constexpr Bound max_lr{"max_lr", &ScheduleValues::max_lr};
    static constexpr Bound min_lr{"min_lr", &ScheduleValues::min_lr};
    static constexpr Bound max_momentum{"max_momentum", &ScheduleValues::max_momentum};
    static constexpr Bound base_momentum{"base_momentum", &ScheduleValues::base_momentum};

    static void check(const OneCycleLROptions& options, std::size_t groups);
    static Bound bound(const std::string& name);
    void set_phases(double pct_start, bool three_phase);
    void set_values(const OneCycleLROptions& options);
    [[nodiscard]] double anneal(const ParamGroup& group, const Bound& start, const Bound& end, double pct) const;

    int64_t total_steps_;
    AnnealStrategy anneal_strategy_;
    bool cycle_momentum_;
    bool use_beta1_ = false;
    std::vector<Phase> phases_;
};

inline OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : LRScheduler(optimizer),
      total_steps_(options.total_steps()),
      anneal_strategy_(options.anneal_strategy()),
      cycle_momentum_(options.cycle_momentum()) {
    check(options, groups().size());
    set_phases(options.pct_start(), options.three_phase());
    set_values(options);
    initialize();
}

inline void OneCycleLR::check(const OneCycleLROptions& options, std::size_t groups) {
    detail::check_positive("total_steps", options.total_steps());
    if (options.max_lr().size() != 1 && options.max_lr().size() != groups) {
        throw UsageError("OneCycleLR needs one max_lr, or one for each of the " + std::to_string(groups) +
                         " parameter groups; got " + std::to_string(options.max_lr().size()));
    }
    if (!(options.pct_start() >= 0.0 && options.pct_start() <= 1.0)) {
        throw UsageError("OneCycleLR's pct_start must lie in [0, 1], got " + std::to_string(options.pct_start()));
    }
}

inline void OneCycleLR::set_phases(double pct_start, bool three_phase) {
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

inline void OneCycleLR::set_values(const OneCycleLROptions& options) {
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

inline double OneCycleLR::anneal(const ParamGroup& group, const Bound& from, const Bound& to, double pct) const {
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

inline double OneCycleLR::compute_lr(std::size_t index) {
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

inline StateDict OneCycleLR::options() const {
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

inline OneCycleLR::Bound OneCycleLR::bound(const std::string& name) {
    for (const Bound& known : {initial_lr, max_lr, min_lr, max_momentum, base_momentum}) {
        if (name == known.name) {
            return known;
        }
    }
    throw StateError("the state of OneCycleLR names an unknown value '" + name + "'");
}

inline void OneCycleLR::load_options(const StateDict& state) {
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

/// One scheduler after the other: the next one takes over when `milestones` steps are done.
class SequentialLR final : public LRScheduler {
public:
    /// `schedulers` were made for `optimizer`, one more than there are milestones. 	hrows UsageError otherwise.
    SequentialLR(Optimizer& optimizer, std::vector<std::unique_ptr<LRScheduler>> schedulers,
                 std::vector<int64_t> milestones);

    inline void step() override;
    [[nodiscard]] inline StateDict state_dict() const override;
    inline void load_state_dict(const StateDict& state) override;

protected:
    [[nodiscard]] double compute_lr(std::size_t group) override { return groups()[group].lr; }
    [[nodiscard]] StateDict options() const override { return {}; }
    void load_options(const StateDict&) override {}
    inline void undo_step() override;

private:
    std::vector<std::unique_ptr<LRScheduler>> schedulers_;
    std::vector<int64_t> milestones_;
};

inline SequentialLR::SequentialLR(Optimizer& optimizer, std::vector<std::unique_ptr<LRScheduler>> schedulers,
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

inline void SequentialLR::undo_step() {
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        scheduler->undo_step();
    }
}

inline void SequentialLR::step() {
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

inline StateDict SequentialLR::state_dict() const {
    state::List schedulers;
    for (const std::unique_ptr<LRScheduler>& scheduler : schedulers_) {
        schedulers.emplace_back(scheduler->state_dict());
    }
    return {{"_milestones", state::List(milestones_.begin(), milestones_.end())},
            {"last_epoch", last_epoch_},
            {"_last_lr", detail::to_list(last_lr_)},
            {"_schedulers", std::move(schedulers)}};
}

inline void SequentialLR::load_state_dict(const StateDict& state) {
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

/// Makes a scheduler for an optimizer.
using MakeScheduler = std::function<std::unique_ptr<LRScheduler>(Optimizer&)>;

/// A linear warm-up from `start_factor` times the rate in `warmup_steps`, and then what `main` makes; without `main`
/// the rate stays. Python: `SequentialLR(optimizer, [LinearLR(...), main], [warmup_steps])`.
inline std::unique_ptr<LRScheduler> linear_warmup(Optimizer& optimizer, int64_t warmup_steps, double start_factor,
                                                  const MakeScheduler& main = nullptr) {
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
