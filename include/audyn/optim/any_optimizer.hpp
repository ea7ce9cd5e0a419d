#pragma once

#include <audyn/optim/moving_average.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>
#include <vector>

namespace audyn::optim {

/// An optimizer that is chosen at run time. It costs one virtual call a step; the kernels are the same.
class AnyOptimizer {
public:
    /// `average`, if there is one, is that of the optimizer's parameters and is updated after each step.
    /// \throws UsageError when there is no optimizer.
    explicit AnyOptimizer(std::unique_ptr<Optimizer> optimizer, std::unique_ptr<MovingAverage> average = nullptr);

    void step();
    void step(const at::Tensor& grad_scale, const at::Tensor& found_inf);
    at::Tensor step(const Closure& closure);
    void zero_grad(bool set_to_none = true) { optimizer_->zero_grad(set_to_none); }

    [[nodiscard]] const char* name() const { return optimizer_->name(); }
    [[nodiscard]] bool supports_amp_scaling() const { return optimizer_->supports_amp_scaling(); }
    [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return optimizer_->parameters(); }
    [[nodiscard]] std::vector<ParamGroup>& groups() { return optimizer_->groups(); }
    [[nodiscard]] const std::vector<ParamGroup>& groups() const { return std::as_const(*optimizer_).groups(); }
    /// The optimizer's; with an average `{"moving_average": ..., "original": ...}`, as Audyn's wrapper.
    [[nodiscard]] StateDict state_dict() const;
    void load_state_dict(const StateDict& state);

    /// The average of the parameters, or nullptr.
    [[nodiscard]] MovingAverage* moving_average() { return average_.get(); }
    [[nodiscard]] const MovingAverage* moving_average() const { return average_.get(); }

    /// The optimizer itself, for a scheduler.
    operator Optimizer&() { return *optimizer_; }

private:
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<MovingAverage> average_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/any_optimizer.ipp>
#endif
