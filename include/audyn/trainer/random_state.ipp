#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/trainer/random_state.hpp>

#include <mutex>

namespace audyn::trainer {

AUDYN_INLINE StateDict random_state(at::Device device) {
    StateDict state;
    detail::for_each_default_generator(device, [&](const char* name, at::Generator generator) {
        const std::scoped_lock lock(generator.mutex());
        state.set(name, generator.get_state());
    });
    return state;
}

AUDYN_INLINE void load_random_state(const StateDict& state, at::Device device) {
    detail::for_each_default_generator(device, [&](const char* name, at::Generator generator) {
        if (const state::Value* saved = state.find(name)) {
            const std::scoped_lock lock(generator.mutex());
            generator.set_state(saved->as_tensor());
        }
    });
}

} // namespace audyn::trainer
