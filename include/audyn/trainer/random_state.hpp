#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <c10/core/Device.h>

namespace audyn::trainer {

namespace detail {

template <class Function>
void for_each_default_generator(at::Device device, const Function& function) {
    function("cpu", at::Generator(at::detail::getDefaultCPUGenerator()));
    if (!device.is_cpu()) {
        function("device", at::globalContext().defaultGenerator(device));
    }
}

} // namespace detail

/// State of libtorch's default random generators of the CPU and of `device`, as byte tensors.
[[nodiscard]] AUDYN_INLINE StateDict random_state(at::Device device);

/// Sets the generators that `state` has.
AUDYN_INLINE void load_random_state(const StateDict& state, at::Device device);

} // namespace audyn::trainer

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/random_state.ipp>
#endif
