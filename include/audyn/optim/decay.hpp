#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

/// Schedulers that multiply the rate, with Python's names, defaults and values.
namespace audyn::optim {

/// Multiplies the rate by `gamma` every `step_size` steps.
class StepLR final : public LRScheduler {
public:
    StepLR(Optimizer& optimizer, int64_t step_size, double gamma = 0.1);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE std::optional<double> closed_form_lr(std::size_t group) const override;
    [[nodiscard]] StateDict options() const override { return {{"step_size", step_size_}, {"gamma", gamma_}}; }
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    int64_t step_size_;
    double gamma_;
};

/// Multiplies the rate by `gamma` at each of `milestones`; at one that is named twice, twice.
class MultiStepLR final : public LRScheduler {
public:
    MultiStepLR(Optimizer& optimizer, const std::vector<int64_t>& milestones, double gamma = 0.1);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE std::optional<double> closed_form_lr(std::size_t group) const override;
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    /// How often each milestone is named.
    std::map<int64_t, int64_t> milestones_;
    double gamma_;
};

/// Multiplies the rate by `gamma` at every step.
class ExponentialLR final : public LRScheduler {
public:
    ExponentialLR(Optimizer& optimizer, double gamma);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE std::optional<double> closed_form_lr(std::size_t group) const override;
    [[nodiscard]] StateDict options() const override { return {{"gamma", gamma_}}; }
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    double gamma_;
};

/// Lets the rate fall to zero in `total_iters` steps, as (1 - step / total_iters) to the power of `power`.
class PolynomialLR final : public LRScheduler {
public:
    explicit PolynomialLR(Optimizer& optimizer, int64_t total_iters = 5, double power = 1.0);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE std::optional<double> closed_form_lr(std::size_t group) const override;
    [[nodiscard]] StateDict options() const override { return {{"total_iters", total_iters_}, {"power", power_}}; }
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    int64_t total_iters_;
    double power_;
};

/// Multiplies the rate by `factor` for `total_iters` steps.
class ConstantLR final : public LRScheduler {
public:
    explicit ConstantLR(Optimizer& optimizer, double factor = 1.0 / 3, int64_t total_iters = 5);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE std::optional<double> closed_form_lr(std::size_t group) const override;
    [[nodiscard]] StateDict options() const override { return {{"factor", factor_}, {"total_iters", total_iters_}}; }
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    double factor_;
    int64_t total_iters_;
};

/// Changes the factor of the rate linearly from `start_factor` to `end_factor` in `total_iters` steps: a warm-up.
class LinearLR final : public LRScheduler {
public:
    explicit LinearLR(Optimizer& optimizer, double start_factor = 1.0 / 3, double end_factor = 1.0,
                      int64_t total_iters = 5);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE std::optional<double> closed_form_lr(std::size_t group) const override;
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    double start_factor_;
    double end_factor_;
    int64_t total_iters_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/decay.ipp>
#endif
