#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/core/mode_names.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Whether a smaller or a greater metric is better.
enum class PlateauMode { min, max };
/// Whether the threshold is a part of the best metric, or a difference from it.
enum class ThresholdMode { rel, abs };

inline constexpr core::ModeNames<PlateauMode, 2> plateau_modes{
    "mode", {{{"min", PlateauMode::min}, {"max", PlateauMode::max}}}};
inline constexpr core::ModeNames<ThresholdMode, 2> threshold_modes{
    "threshold_mode", {{{"rel", ThresholdMode::rel}, {"abs", ThresholdMode::abs}}}};

/// Options of ReduceLROnPlateau with Python's names and defaults.
class ReduceLROnPlateauOptions {
public:
    ReduceLROnPlateauOptions& mode(PlateauMode value) { return mode_ = value, *this; }
    /// The rate is multiplied by this; below 1.
    ReduceLROnPlateauOptions& factor(double value) { return factor_ = value, *this; }
    /// Steps without improvement that are put up with.
    ReduceLROnPlateauOptions& patience(int64_t value) { return patience_ = value, *this; }
    /// What counts as an improvement.
    ReduceLROnPlateauOptions& threshold(double value) { return threshold_ = value, *this; }
    ReduceLROnPlateauOptions& threshold_mode(ThresholdMode value) { return threshold_mode_ = value, *this; }
    /// Steps after a reduction in which nothing is counted.
    ReduceLROnPlateauOptions& cooldown(int64_t value) { return cooldown_ = value, *this; }
    /// The least rate of all groups, or of each.
    ReduceLROnPlateauOptions& min_lr(double value) { return min_lr_ = {value}, *this; }
    ReduceLROnPlateauOptions& min_lr(std::vector<double> values) { return min_lr_ = std::move(values), *this; }
    /// A reduction by less than this is left out.
    ReduceLROnPlateauOptions& eps(double value) { return eps_ = value, *this; }
    /// Name of the metric, for whoever steps the scheduler; Python has no such option.
    ReduceLROnPlateauOptions& monitor(std::string value) { return monitor_ = std::move(value), *this; }

    [[nodiscard]] PlateauMode mode() const { return mode_; }
    [[nodiscard]] double factor() const { return factor_; }
    [[nodiscard]] int64_t patience() const { return patience_; }
    [[nodiscard]] double threshold() const { return threshold_; }
    [[nodiscard]] ThresholdMode threshold_mode() const { return threshold_mode_; }
    [[nodiscard]] int64_t cooldown() const { return cooldown_; }
    [[nodiscard]] const std::vector<double>& min_lr() const { return min_lr_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] const std::string& monitor() const { return monitor_; }

private:
    PlateauMode mode_ = PlateauMode::min;
    double factor_ = 0.1;
    int64_t patience_ = 10;
    double threshold_ = 1e-4;
    ThresholdMode threshold_mode_ = ThresholdMode::rel;
    int64_t cooldown_ = 0;
    std::vector<double> min_lr_{0.0};
    double eps_ = 1e-8;
    std::string monitor_;
};

/// Reduces the rate when a metric has not improved for a while.
class ReduceLROnPlateau final : public LRScheduler {
public:
    /// \throws UsageError for options out of range.
    explicit ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options = {});

    /// \throws UsageError always.
    AUDYN_INLINE void step() override;
    /// A metric that is not a number counts as no improvement, as in Python.
    AUDYN_INLINE void step(double metric) override;

    [[nodiscard]] bool needs_metric() const override { return true; }
    [[nodiscard]] std::string monitor() const override { return options_.monitor(); }
    /// The best metric so far, infinite before the first.
    [[nodiscard]] double best() const { return best_; }

    [[nodiscard]] AUDYN_INLINE StateDict state_dict() const override;

protected:
    [[nodiscard]] double compute_lr(std::size_t group) override { return groups()[group].lr; }
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;
    AUDYN_INLINE void load(const StateDict& state) override;
    void undo_step() override {}
    void start() override { record_lr(); }
    AUDYN_INLINE void take_over() override;

private:
    [[nodiscard]] double worst() const;
    [[nodiscard]] bool is_better(double metric) const;
    void reduce();

    ReduceLROnPlateauOptions options_;
    /// One for each group.
    std::vector<double> min_lrs_;
    double best_;
    int64_t num_bad_epochs_ = 0;
    int64_t cooldown_counter_ = 0;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/plateau.ipp>
#endif
