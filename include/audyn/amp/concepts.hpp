#pragma once

#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <concepts>

/// What a type must offer to be a trainer's AmpPolicy, member by member.
namespace audyn::amp {

template <class T>
concept ConstructibleFromDevice = std::constructible_from<T, c10::Device>;
template <class T>
concept HasEnabled = requires {
    { T::enabled } -> std::convertible_to<bool>;
};
template <class T>
concept HasScalesLoss = requires {
    { T::scales_loss } -> std::convertible_to<bool>;
};
template <class T>
concept HasAutocast = requires(const T& amp) {
    amp.autocast();
};
template <class T>
concept HasScale = requires(T& amp, const at::Tensor& loss) {
    { amp.scale(loss) } -> std::convertible_to<at::Tensor>;
};
template <class T>
concept HasUnscale = requires(T& amp, optim::Optimizer& optimizer) {
    amp.unscale(optimizer);
};
template <class T>
concept HasOptimizerStep = requires(T& amp, optim::Optimizer& optimizer) {
    amp.step(optimizer);
};
template <class T>
concept HasUpdate = requires(T& amp) {
    amp.update();
};
template <class T>
concept HasStateDict = requires(const T& amp) {
    { amp.state_dict() } -> std::convertible_to<StateDict>;
};
template <class T>
concept HasLoadStateDict = requires(T& amp, const StateDict& state) {
    amp.load_state_dict(state);
};

template <class T>
concept AmpPolicy = ConstructibleFromDevice<T> && HasEnabled<T> && HasScalesLoss<T> && HasAutocast<T> && HasScale<T> &&
    HasUnscale<T> && HasOptimizerStep<T> && HasUpdate<T> && HasStateDict<T> && HasLoadStateDict<T>;

/// Says by its own name which member `T` lacks; `static_assert(check_amp_policy<T>())`.
template <class T>
consteval bool check_amp_policy() {
    static_assert(ConstructibleFromDevice<T>, "audyn: the AmpPolicy type cannot be constructed from an at::Device");
    static_assert(HasEnabled<T>, "audyn: the AmpPolicy type has no static member enabled");
    static_assert(HasScalesLoss<T>, "audyn: the AmpPolicy type has no static member scales_loss");
    static_assert(HasAutocast<T>, "audyn: the AmpPolicy type has no member autocast() const");
    static_assert(HasScale<T>,
                  "audyn: the AmpPolicy type has no member scale(const at::Tensor&) that returns a tensor");
    static_assert(HasUnscale<T>, "audyn: the AmpPolicy type has no member unscale(Optimizer&)");
    static_assert(HasOptimizerStep<T>, "audyn: the AmpPolicy type has no member step(Optimizer&)");
    static_assert(HasUpdate<T>, "audyn: the AmpPolicy type has no member update()");
    static_assert(HasStateDict<T>, "audyn: the AmpPolicy type has no member state_dict() const");
    static_assert(HasLoadStateDict<T>, "audyn: the AmpPolicy type has no member load_state_dict(const StateDict&)");
    return AmpPolicy<T>;
}

} // namespace audyn::amp
