#pragma once

#include <audyn/amp/detail/autocast_state.hpp>
#include <audyn/core/error.hpp>

#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>
#include <torch/cuda.h>

#include <optional>
#include <string>

namespace audyn::amp {

/// "bfloat16", "float16", ...: Python's name of a dtype.
[[nodiscard]] inline std::string dtype_name(c10::ScalarType dtype) {
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

/// Runs operators in a lower precision for as long as it lives; `torch.autocast` as an object of a scope. Guards nest.
/// The state belongs to the thread, but the cache of cast weights to the whole process: keep forward and loss inside
/// one outermost guard, do not change parameters inside, and open guards on one thread at a time.
class AutocastGuard {
public:
    /// `dtype` defaults to the device's (float16 on CUDA, bfloat16 on CPU), `cache_enabled` to what is in force. With
    /// `enabled = false` operators keep their types inside an enabled guard.
    /// \throws UsageError for a dtype that autocast does not know, and without a CUDA device; Python warns and goes on
    /// in float32.
    explicit AutocastGuard(c10::DeviceType device_type, std::optional<c10::ScalarType> dtype = std::nullopt,
                           bool enabled = true, std::optional<bool> cache_enabled = std::nullopt)
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

    ~AutocastGuard() {
        if (at::autocast::decrement_nesting() == 0) {
            at::autocast::clear_cache();
        }
        at::autocast::set_autocast_enabled(device_type_, previous_enabled_);
        at::autocast::set_autocast_dtype(device_type_, previous_dtype_);
        at::autocast::set_autocast_cache_enabled(previous_cache_enabled_);
    }

    AutocastGuard(const AutocastGuard&) = delete;
    AutocastGuard& operator=(const AutocastGuard&) = delete;

    /// \throws UsageError unless autocast works with `dtype` on a device of this type.
    static void check(c10::DeviceType device_type, c10::ScalarType dtype) {
        if (dtype != c10::ScalarType::BFloat16 && dtype != c10::ScalarType::Half) {
            throw UsageError("autocast does not work in " + dtype_name(dtype) + "; choose bfloat16 or float16");
        }
        if (device_type == c10::DeviceType::CUDA && !torch::cuda::is_available()) {
            throw UsageError("autocast on CUDA in " + dtype_name(dtype) +
                             ": there is no CUDA device, or the program is linked without audyn::cuda; choose a CPU");
        }
    }

private:
    c10::DeviceType device_type_;
    bool previous_enabled_;
    c10::ScalarType previous_dtype_;
    bool previous_cache_enabled_;
};

} // namespace audyn::amp
