#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace audyn::optim {

/// Half a cosine from the rate down to `eta_min` in `t_max` steps, and up again after that.
class CosineAnnealingLR final : public LRScheduler {
public:
    CosineAnnealingLR(Optimizer& optimizer, int64_t t_max, double eta_min = 0.0);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE std::optional<double> closed_form_lr(std::size_t group) const override;
    [[nodiscard]] StateDict options() const override { return {{"T_max", t_max_}, {"eta_min", eta_min_}}; }
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    [[nodiscard]] double cosine(int64_t step) const;

    int64_t t_max_;
    double eta_min_;
};

/// Half a cosine from the rate down to `eta_min` in `t_0` steps, then again from the top, each time `t_mult` times
/// longer.
class CosineAnnealingWarmRestarts final : public LRScheduler {
public:
    explicit CosineAnnealingWarmRestarts(Optimizer& optimizer, int64_t t_0, int64_t t_mult = 1, double eta_min = 0.0);

    using LRScheduler::step;
    AUDYN_INLINE void step() override;
    /// Sets the rates of a point in time, which may lie between two steps; Python's `step(epoch)`.
    void step_to(double epoch);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    void set_rates();

    int64_t t_0_;
    int64_t t_mult_;
    double eta_min_;
    /// Steps since the last restart, and between that and the next.
    double t_cur_ = -1.0;
    int64_t t_i_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/cosine.ipp>
#endif
