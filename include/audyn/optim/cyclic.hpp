#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/core/mode_names.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace audyn::optim {

/// How the height of CyclicLR's cycles changes: not at all, by half with each cycle, or by gamma with each step.
enum class CyclicMode { triangular, triangular2, exp_range };
/// Whether a custom scale function takes the number of the cycle, counted from 1, or that of the step.
enum class ScaleMode { cycle, iterations };

inline constexpr core::ModeNames<CyclicMode, 3> cyclic_modes{"mode",
                                                             {{{"triangular", CyclicMode::triangular},
                                                               {"triangular2", CyclicMode::triangular2},
                                                               {"exp_range", CyclicMode::exp_range}}}};
inline constexpr core::ModeNames<ScaleMode, 2> scale_modes{
    "scale_mode", {{{"cycle", ScaleMode::cycle}, {"iterations", ScaleMode::iterations}}}};

/// Options of CyclicLR with Python's names and defaults. Rates and momenta are one for all groups, or one for each.
class CyclicLROptions {
public:
    /// The lowest rate, at the start of each cycle.
    CyclicLROptions& base_lr(double value) { return base_lr_ = {value}, *this; }
    CyclicLROptions& base_lr(std::vector<double> values) { return base_lr_ = std::move(values), *this; }
    /// The highest rate, `step_size_up` steps later.
    CyclicLROptions& max_lr(double value) { return max_lr_ = {value}, *this; }
    CyclicLROptions& max_lr(std::vector<double> values) { return max_lr_ = std::move(values), *this; }
    CyclicLROptions& step_size_up(int64_t value) { return step_size_up_ = value, *this; }
    /// As step_size_up unless it is set.
    CyclicLROptions& step_size_down(std::optional<int64_t> value) { return step_size_down_ = value, *this; }
    CyclicLROptions& mode(CyclicMode value) { return mode_ = value, *this; }
    CyclicLROptions& gamma(double value) { return gamma_ = value, *this; }
    /// Takes the place of `mode`.
    CyclicLROptions& scale_fn(std::function<double(double)> value) { return scale_fn_ = std::move(value), *this; }
    CyclicLROptions& scale_mode(ScaleMode value) { return scale_mode_ = value, *this; }
    /// Lets the momentum, or Adam's first beta, fall while the rate rises, and the reverse.
    CyclicLROptions& cycle_momentum(bool value) { return cycle_momentum_ = value, *this; }
    CyclicLROptions& base_momentum(double value) { return base_momentum_ = {value}, *this; }
    CyclicLROptions& base_momentum(std::vector<double> values) { return base_momentum_ = std::move(values), *this; }
    CyclicLROptions& max_momentum(double value) { return max_momentum_ = {value}, *this; }
    CyclicLROptions& max_momentum(std::vector<double> values) { return max_momentum_ = std::move(values), *this; }

    [[nodiscard]] const std::vector<double>& base_lr() const { return base_lr_; }
    [[nodiscard]] const std::vector<double>& max_lr() const { return max_lr_; }
    [[nodiscard]] int64_t step_size_up() const { return step_size_up_; }
    [[nodiscard]] int64_t step_size_down() const { return step_size_down_.value_or(step_size_up_); }
    [[nodiscard]] CyclicMode mode() const { return mode_; }
    [[nodiscard]] double gamma() const { return gamma_; }
    [[nodiscard]] const std::function<double(double)>& scale_fn() const { return scale_fn_; }
    [[nodiscard]] ScaleMode scale_mode() const { return scale_mode_; }
    [[nodiscard]] bool cycle_momentum() const { return cycle_momentum_; }
    [[nodiscard]] const std::vector<double>& base_momentum() const { return base_momentum_; }
    [[nodiscard]] const std::vector<double>& max_momentum() const { return max_momentum_; }

private:
    std::vector<double> base_lr_;
    std::vector<double> max_lr_;
    int64_t step_size_up_ = 2000;
    std::optional<int64_t> step_size_down_;
    CyclicMode mode_ = CyclicMode::triangular;
    double gamma_ = 1.0;
    std::function<double(double)> scale_fn_;
    ScaleMode scale_mode_ = ScaleMode::cycle;
    bool cycle_momentum_ = true;
    std::vector<double> base_momentum_{0.8};
    std::vector<double> max_momentum_{0.9};
};

/// Lets the rate rise and fall in cycles, and the momentum the other way round. Steps per iteration.
class CyclicLR final : public LRScheduler {
public:
    /// \throws UsageError for options out of range, and when the momentum should cycle and there is none.
    CyclicLR(Optimizer& optimizer, const CyclicLROptions& options);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    /// How far the rate is between its bounds, in [0, 1] before it is scaled.
    [[nodiscard]] double height() const;
    [[nodiscard]] double scale() const;
    [[nodiscard]] double cycle() const;
    void set_momenta(const CyclicLROptions& options);
    void choose_scale_mode();

    std::vector<double> max_lrs_;
    double total_size_;
    double step_ratio_;
    CyclicMode mode_;
    double gamma_;
    std::function<double(double)> scale_fn_;
    ScaleMode scale_mode_;
    bool cycle_momentum_;
    bool use_beta1_ = false;
    std::vector<double> base_momentums_;
    std::vector<double> max_momentums_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/cyclic.ipp>
#endif
