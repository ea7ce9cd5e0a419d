#pragma once

#include <audyn/state/state_dict.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <c10/core/Device.h>

#include <mutex>

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
[[nodiscard]] inline StateDict random_state(at::Device device) {
    StateDict state;
    detail::for_each_default_generator(device, [&](const char* name, at::Generator generator) {
        const std::scoped_lock lock(generator.mutex());
        state.set(name, generator.get_state());
    });
    return state;
}

/// Sets the generators that `state` has.
inline void load_random_state(const StateDict& state, at::Device device) {
    detail::for_each_default_generator(device, [&](const char* name, at::Generator generator) {
        if (const state::Value* saved = state.find(name)) {
            const std::scoped_lock lock(generator.mutex());
            generator.set_state(saved->as_tensor());
        }
    });
}

} // namespace audyn::trainer
