#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/concepts.hpp>
#include <audyn/optim/moving_average.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of ExponentialMovingAverage.
class ExponentialMovingAverageOptions {
public:
    /// The part of the average that an update keeps, in [0, 1).
    ExponentialMovingAverageOptions& smooth(double value) { return smooth_ = value, *this; }
    /// Keeps less at first: at most (1 + n) / (10 + n) at update number n, counted from 1.
    ExponentialMovingAverageOptions& warmup(bool value) { return warmup_ = value, *this; }
    /// Leaves out the parameters of before the first update: the average is that of an average which begins at zero,
    /// divided by what the weights add up to.
    ExponentialMovingAverageOptions& bias_correction(bool value) { return bias_correction_ = value, *this; }

    [[nodiscard]] double smooth() const { return smooth_; }
    [[nodiscard]] bool warmup() const { return warmup_; }
    [[nodiscard]] bool bias_correction() const { return bias_correction_; }

    /// \throws UsageError when smooth is out of range.
    void check() const;

private:
    double smooth_ = 0.999;
    bool warmup_ = false;
    bool bias_correction_ = false;
};

namespace detail {

/// The groups' parameters, and then the buffers.
[[nodiscard]] AUDYN_INLINE std::vector<at::Tensor> averaged_tensors(const std::vector<ParamGroup>& groups,
                                                                    const std::vector<at::Tensor>& buffers);

} // namespace detail

/// The exponential moving average of an optimizer's parameters: after each step smooth * average + (1 - smooth) *
/// parameter; the average of Audyn's ExponentialMovingAverageWrapper.
class ExponentialMovingAverage final : public MovingAverage {
public:
    /// `buffers`: averaged with the parameters; integers are copied. \throws UsageError when smooth is out of range.
    explicit ExponentialMovingAverage(const std::vector<ParamGroup>& groups,
                                      const ExponentialMovingAverageOptions& options = {},
                                      const std::vector<at::Tensor>& buffers = {});

    [[nodiscard]] const ExponentialMovingAverageOptions& options() const { return options_; }

    /// Audyn's: `{"state": {0: average, ..., "smooth": 0.999}, "param_groups": [{"params": [0, ...]}]}`; and
    /// "num_updates", "bias" and "buffers", which Audyn passes over.
    [[nodiscard]] AUDYN_INLINE StateDict state_dict() const override;
    /// Takes over `smooth`, as Audyn does.
    AUDYN_INLINE void load_state_dict(const StateDict& state) override;
    AUDYN_INLINE void check_state_dict(const StateDict& state) const override;

protected:
    [[nodiscard]] AUDYN_INLINE double weight(at::ScalarType dtype) const override;
    AUDYN_INLINE void count_update() override;

private:
    /// What the next update keeps.
    [[nodiscard]] double smooth() const;
    void check_averages(const StateDict& state, std::vector<std::string>& mismatches) const;
    void check_buffers(const StateDict& state, std::vector<std::string>& mismatches) const;
    static void check_numbers(const StateDict& state, std::vector<std::string>& mismatches);

    ExponentialMovingAverageOptions options_;
    std::vector<std::size_t> group_sizes_;
    std::size_t count_;
    /// What an average that begins at zero lacks: the product of all that updates kept.
    double bias_ = 1.0;
};

/// An optimizer whose parameters are averaged after each step; Audyn's wrapper, with its state. A step that a gradient
/// scaler skips changes no average.
template <class Inner>
class ExponentialMovingAverageWrapper {
    static_assert(check_optimizer<Inner>());

public:
    explicit ExponentialMovingAverageWrapper(Inner optimizer, const ExponentialMovingAverageOptions& options = {},
                                             const std::vector<at::Tensor>& buffers = {})
        : optimizer_(std::move(optimizer)),
          average_(std::make_unique<ExponentialMovingAverage>(optimizer_.groups(), options, buffers)) {}

    void step() {
        optimizer_.step();
        average_->update();
    }
    void step(const at::Tensor& grad_scale, const at::Tensor& found_inf) requires HasAmpScalingStep<Inner> {
        optimizer_.step(grad_scale, found_inf);
        average_->update(found_inf);
    }
    at::Tensor step(const Closure& closure) {
        at::Tensor loss = optimizer_.step(closure);
        average_->update();
        return loss;
    }
    [[nodiscard]] bool supports_amp_scaling() const requires HasAmpScalingStep<Inner> {
        return optimizer_.supports_amp_scaling();
    }
    [[nodiscard]] bool needs_closure() const requires MayNeedClosure<Inner> { return optimizer_.needs_closure(); }
    void zero_grad(bool set_to_none = true) { optimizer_.zero_grad(set_to_none); }

    [[nodiscard]] const char* name() const { return optimizer_.name(); }
    [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return optimizer_.parameters(); }
    [[nodiscard]] std::vector<ParamGroup>& groups() { return optimizer_.groups(); }
    [[nodiscard]] const std::vector<ParamGroup>& groups() const { return std::as_const(optimizer_).groups(); }

    [[nodiscard]] Inner& optimizer() { return optimizer_; }
    [[nodiscard]] ExponentialMovingAverage& moving_average() { return *average_; }
    [[nodiscard]] const ExponentialMovingAverage& moving_average() const { return *average_; }
    /// The optimizer itself, for a scheduler.
    operator Optimizer&() { return optimizer_; }

    [[nodiscard]] StateDict state_dict() const { return detail::averaged_state(*average_, optimizer_.state_dict()); }
    /// \throws StateError for a state without a moving average, and for one that does not fit.
    void load_state_dict(const StateDict& state) {
        detail::check_averaged_state(state);
        const StateDict& average = state.at("moving_average").as_dict();
        average_->check_state_dict(average);
        optimizer_.load_state_dict(state.at("original").as_dict());
        average_->load_state_dict(average);
    }

private:
    Inner optimizer_;
    std::unique_ptr<ExponentialMovingAverage> average_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/exponential_moving_average.ipp>
#endif
