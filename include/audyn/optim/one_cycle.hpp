#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/anneal_strategy.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::optim {

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
    /// One for all groups, or one for each.
    OneCycleLROptions& base_momentum(double value) { return base_momentum_ = {value}, *this; }
    OneCycleLROptions& base_momentum(std::vector<double> values) { return base_momentum_ = std::move(values), *this; }
    OneCycleLROptions& max_momentum(double value) { return max_momentum_ = {value}, *this; }
    OneCycleLROptions& max_momentum(std::vector<double> values) { return max_momentum_ = std::move(values), *this; }
    /// The first rate is max_lr / div_factor, the last one the first / final_div_factor.
    OneCycleLROptions& div_factor(double value) { return div_factor_ = value, *this; }
    OneCycleLROptions& final_div_factor(double value) { return final_div_factor_ = value, *this; }
    OneCycleLROptions& three_phase(bool value) { return three_phase_ = value, *this; }

    [[nodiscard]] const std::vector<double>& max_lr() const { return max_lr_; }
    [[nodiscard]] int64_t total_steps() const { return total_steps_; }
    [[nodiscard]] double pct_start() const { return pct_start_; }
    [[nodiscard]] AnnealStrategy anneal_strategy() const { return anneal_strategy_; }
    [[nodiscard]] bool cycle_momentum() const { return cycle_momentum_; }
    [[nodiscard]] const std::vector<double>& base_momentum() const { return base_momentum_; }
    [[nodiscard]] const std::vector<double>& max_momentum() const { return max_momentum_; }
    [[nodiscard]] double div_factor() const { return div_factor_; }
    [[nodiscard]] double final_div_factor() const { return final_div_factor_; }
    [[nodiscard]] bool three_phase() const { return three_phase_; }

private:
    std::vector<double> max_lr_;
    int64_t total_steps_ = 0;
    double pct_start_ = 0.3;
    AnnealStrategy anneal_strategy_ = AnnealStrategy::cos;
    bool cycle_momentum_ = true;
    std::vector<double> base_momentum_{0.85};
    std::vector<double> max_momentum_{0.95};
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
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;

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

    static void check(const OneCycleLROptions& options);
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

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/one_cycle.ipp>
#endif
