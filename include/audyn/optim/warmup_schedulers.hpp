#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/lambda_lr.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>

/// Audyn's own schedulers, `audyn.optim.lr_scheduler`, which begin with a warm-up.
namespace audyn::optim {

namespace detail {

[[nodiscard]] AUDYN_INLINE LRLambda burn_in(int64_t burnin_step, double burnin_scale);

/// \throws UsageError for a negative number of steps.
[[nodiscard]] AUDYN_INLINE LRLambda exponential_warmup_linear_cooldown(int64_t warmup_steps, int64_t suspend_steps,
                                                                       int64_t cooldown_steps, double last_factor);

} // namespace detail

/// The schedule of "Attention is all you need", also named after Noam: the rate rises linearly for `warmup_steps`, and
/// falls with the root of the step. It depends on the size of the model and not on the optimizer's rate.
class TransformerLRScheduler final : public LRScheduler {
public:
    TransformerLRScheduler(Optimizer& optimizer, int64_t d_model, int64_t warmup_steps = 4000);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    int64_t d_model_;
    int64_t warmup_steps_;
};

/// `burnin_scale` times the rate for `burnin_step` steps, and the rate after them.
class BurnInLRScheduler final : public LambdaLR {
public:
    BurnInLRScheduler(Optimizer& optimizer, int64_t burnin_step, double burnin_scale);

protected:
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;

private:
    int64_t burnin_step_;
};

/// PaSST's schedule: exp(-5 (1 - step / warmup_steps)^2) of the rate for `warmup_steps`, the rate for `suspend_steps`,
/// and in `cooldown_steps` linearly down to `last_factor` times the rate. In Audyn the last part rises; here, and in
/// PaSST, it falls.
class ExponentialWarmupLinearCooldownLRScheduler final : public LambdaLR {
public:
    ExponentialWarmupLinearCooldownLRScheduler(Optimizer& optimizer, int64_t warmup_steps, int64_t suspend_steps,
                                               int64_t cooldown_steps, double last_factor = 1.0);
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/warmup_schedulers.ipp>
#endif
