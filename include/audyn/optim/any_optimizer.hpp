#pragma once

#include <audyn/optim/moving_average.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>
#include <vector>

namespace audyn::optim {

class MultiOptimizers;

/// An optimizer that is chosen at run time. It costs one virtual call a step; the kernels are the same.
class AnyOptimizer {
public:
    /// `average`, if there is one, is that of the optimizer's parameters and is updated after each step.
    /// \throws UsageError when there is no optimizer.
    explicit AnyOptimizer(std::unique_ptr<Optimizer> optimizer, std::unique_ptr<MovingAverage> average = nullptr);
    explicit AnyOptimizer(MultiOptimizers optimizers);
    AnyOptimizer(AnyOptimizer&&) noexcept;
    AnyOptimizer& operator=(AnyOptimizer&&) noexcept;
    ~AnyOptimizer();

    void step();
    void step(const at::Tensor& grad_scale, const at::Tensor& found_inf);
    at::Tensor step(const Closure& closure);
    void zero_grad(bool set_to_none = true);

    [[nodiscard]] const char* name() const;
    [[nodiscard]] bool supports_amp_scaling() const;
    [[nodiscard]] bool needs_closure() const;
    [[nodiscard]] const std::vector<at::Tensor>& parameters() const;
    /// \throws UsageError for several optimizers: each has its own.
    [[nodiscard]] std::vector<ParamGroup>& groups() { return single().groups(); }
    /// Of several optimizers a copy.
    [[nodiscard]] const std::vector<ParamGroup>& groups() const;
    /// The optimizer's; with an average `{"moving_average": ..., "original": ...}`, as Audyn's wrapper.
    [[nodiscard]] StateDict state_dict() const;
    /// \throws StateError for a state that does not fit; nothing is changed then.
    void load_state_dict(const StateDict& state);
    /// \throws StateError where load_state_dict() would.
    void check_state_dict(const StateDict& state) const;

    /// The average that was given to the constructor, or nullptr.
    [[nodiscard]] MovingAverage* moving_average() { return average_.get(); }
    [[nodiscard]] const MovingAverage* moving_average() const { return average_.get(); }
    /// The same, or those of several optimizers together.
    [[nodiscard]] AveragedParameters* averaged_parameters();

    /// The several optimizers, or nullptr.
    [[nodiscard]] MultiOptimizers* multi() { return multi_.get(); }
    [[nodiscard]] const MultiOptimizers* multi() const { return multi_.get(); }
    /// The optimizer itself, for a scheduler. \throws UsageError for several optimizers.
    operator Optimizer&() { return single(); }

private:
    [[nodiscard]] Optimizer& single();

    /// This or `multi_`.
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<MovingAverage> average_;
    std::unique_ptr<MultiOptimizers> multi_;
};

} // namespace audyn::optim

// The two refer to each other; the bodies of both come where both are complete.
#include <audyn/optim/multi_optimizers.hpp>
