#pragma once

#include <audyn/amp/autocast.hpp>
#include <audyn/amp/detail/autocast_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <torch/cuda.h>

namespace audyn::amp {

AUDYN_INLINE std::string dtype_name(c10::ScalarType dtype) {
    switch (dtype) {
    case c10::ScalarType::BFloat16:
        return "bfloat16";
    case c10::ScalarType::Half:
        return "float16";
    case c10::ScalarType::Float:
        return "float32";
    case c10::ScalarType::Double:
        return "float64";
    default:
        return c10::toString(dtype);
    }
}

AUDYN_INLINE AutocastGuard::AutocastGuard(c10::DeviceType device_type, std::optional<c10::ScalarType> dtype,
                                          bool enabled, std::optional<bool> cache_enabled)
    : device_type_(device_type),
      previous_enabled_(at::autocast::is_autocast_enabled(device_type)),
      previous_dtype_(at::autocast::get_autocast_dtype(device_type)),
      previous_cache_enabled_(at::autocast::is_autocast_cache_enabled()) {
    const c10::ScalarType target = dtype.value_or(previous_dtype_);
    if (enabled) {
        check(device_type, target);
    }
    at::autocast::set_autocast_enabled(device_type, enabled);
    at::autocast::set_autocast_dtype(device_type, target);
    at::autocast::increment_nesting();
    at::autocast::set_autocast_cache_enabled(cache_enabled.value_or(previous_cache_enabled_));
}

AUDYN_INLINE AutocastGuard::~AutocastGuard() {
    if (at::autocast::decrement_nesting() == 0) {
        at::autocast::clear_cache();
    }
    at::autocast::set_autocast_enabled(device_type_, previous_enabled_);
    at::autocast::set_autocast_dtype(device_type_, previous_dtype_);
    at::autocast::set_autocast_cache_enabled(previous_cache_enabled_);
}

AUDYN_INLINE void AutocastGuard::check(c10::DeviceType device_type, c10::ScalarType dtype) {
    if (dtype != c10::ScalarType::BFloat16 && dtype != c10::ScalarType::Half) {
        throw UsageError("autocast does not work in " + dtype_name(dtype) + "; choose bfloat16 or float16");
    }
    if (device_type == c10::DeviceType::CUDA && !torch::cuda::is_available()) {
        throw UsageError("autocast on CUDA in " + dtype_name(dtype) +
                         ": there is no CUDA device, or the program is linked without audyn::cuda; choose a CPU");
    }
}

} // namespace audyn::amp
