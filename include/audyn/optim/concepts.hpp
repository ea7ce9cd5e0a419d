#pragma once

#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <concepts>
#include <vector>

/// What a type must offer to be a trainer's Optimizer, member by member.
namespace audyn::optim {

template <class T>
concept HasStep = requires(T& optimizer) {
    optimizer.step();
};
template <class T>
concept HasClosureStep = requires(T& optimizer, const Closure& closure) {
    { optimizer.step(closure) } -> std::convertible_to<at::Tensor>;
};
template <class T>
concept HasZeroGrad = requires(T& optimizer) {
    optimizer.zero_grad(true);
};
template <class T>
concept HasParameters = requires(const T& optimizer) {
    { optimizer.parameters() } -> std::convertible_to<const std::vector<at::Tensor>&>;
};
template <class T>
concept HasGroups = requires(T& optimizer) {
    { optimizer.groups() } -> std::convertible_to<const std::vector<ParamGroup>&>;
};
template <class T>
concept HasStateDict = requires(const T& optimizer) {
    { optimizer.state_dict() } -> std::convertible_to<StateDict>;
};
template <class T>
concept HasLoadStateDict = requires(T& optimizer, const StateDict& state) {
    optimizer.load_state_dict(state);
};

/// Optional: the step that unscales gradients and skips infinities in its kernel.
template <class T>
concept HasAmpScalingStep = requires(T& optimizer, const at::Tensor& scalar) {
    optimizer.step(scalar, scalar);
    { optimizer.supports_amp_scaling() } -> std::convertible_to<bool>;
};

/// Optional: an optimizer that may compute the loss several times in a step.
template <class T>
concept MayNeedClosure = requires(const T& optimizer) {
    { optimizer.needs_closure() } -> std::convertible_to<bool>;
};

template <class T>
concept OptimizerPolicy = HasStep<T> && HasClosureStep<T> && HasZeroGrad<T> && HasParameters<T> && HasGroups<T> &&
    HasStateDict<T> && HasLoadStateDict<T>;

/// Says by its own name which member `T` lacks; `static_assert(check_optimizer<T>())`.
template <class T>
consteval bool check_optimizer() {
    static_assert(HasStep<T>, "audyn: the Optimizer type has no member step()");
    static_assert(HasClosureStep<T>,
                  "audyn: the Optimizer type has no member step(const Closure&) that returns the loss");
    static_assert(HasZeroGrad<T>, "audyn: the Optimizer type has no member zero_grad(bool)");
    static_assert(HasParameters<T>, "audyn: the Optimizer type has no member parameters() that returns the tensors");
    static_assert(HasGroups<T>, "audyn: the Optimizer type has no member groups() that returns the parameter groups");
    static_assert(HasStateDict<T>, "audyn: the Optimizer type has no member state_dict() const");
    static_assert(HasLoadStateDict<T>, "audyn: the Optimizer type has no member load_state_dict(const StateDict&)");
    return OptimizerPolicy<T>;
}

} // namespace audyn::optim
