#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace audyn::optim {

/// A factor of the learning rate at a step.
using LRLambda = std::function<double(int64_t)>;

namespace detail {

/// Base of the schedulers on functions. Their states hold None for each function, as Python's do.
class FunctionLR : public LRScheduler {
protected:
    /// \throws UsageError unless there is one function for all groups, or one for each; none may be empty.
    FunctionLR(Optimizer& optimizer, std::vector<LRLambda> lr_lambdas);

    [[nodiscard]] double factor(std::size_t group) const { return lr_lambdas_[group](last_epoch()); }
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    /// \throws StateError where Python saved attributes of a callable object: they belong to its class.
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    std::vector<LRLambda> lr_lambdas_;
};

} // namespace detail

/// The first rate times a function of the step.
class LambdaLR : public detail::FunctionLR {
public:
    LambdaLR(Optimizer& optimizer, LRLambda lr_lambda);
    /// One function for each group.
    LambdaLR(Optimizer& optimizer, std::vector<LRLambda> lr_lambdas);

protected:
    [[nodiscard]] double compute_lr(std::size_t group) override { return base_lr(group) * factor(group); }
};

/// The rate of before times a function of the step.
class MultiplicativeLR final : public detail::FunctionLR {
public:
    MultiplicativeLR(Optimizer& optimizer, LRLambda lr_lambda);
    /// One function for each group.
    MultiplicativeLR(Optimizer& optimizer, std::vector<LRLambda> lr_lambdas);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
};

namespace detail {

/// The part of the steps after the warm-up that is done, in [0, 1].
[[nodiscard]] AUDYN_INLINE double progress(int64_t step, int64_t warmup_steps, int64_t total_steps);

/// \throws UsageError unless there are more steps than those of the warm-up, which are not negative.
AUDYN_INLINE void check_total_steps(int64_t warmup_steps, int64_t total_steps);

/// `main`, but from 0 at the first step to 1 at `warmup_steps` before.
[[nodiscard]] AUDYN_INLINE LRLambda after_warmup(int64_t warmup_steps, LRLambda main);

} // namespace detail

/// Functions for those two. Where there is a warm-up, the factor first rises from 0 to 1 in `warmup_steps`.
namespace lr_lambda {

[[nodiscard]] AUDYN_INLINE LRLambda constant(double factor);
/// `gamma` to the power of the step.
[[nodiscard]] AUDYN_INLINE LRLambda exponential(double gamma);
/// `gamma` to the power of how many times `step_size` steps are done.
[[nodiscard]] AUDYN_INLINE LRLambda step(int64_t step_size, double gamma);
/// The root of `warmup_steps` / step.
[[nodiscard]] AUDYN_INLINE LRLambda inverse_sqrt(int64_t warmup_steps);
/// Falls to 0 at `total_steps`.
[[nodiscard]] AUDYN_INLINE LRLambda linear(int64_t warmup_steps, int64_t total_steps);
/// Half a cosine down to 0 at `total_steps`.
[[nodiscard]] AUDYN_INLINE LRLambda cosine(int64_t warmup_steps, int64_t total_steps);

} // namespace lr_lambda

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/lambda_lr.ipp>
#endif
