#pragma once

#include <audyn/core/inline.hpp>

#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

#include <optional>
#include <string>

namespace audyn::amp {

/// "bfloat16", "float16", ...: Python's name of a dtype.
[[nodiscard]] AUDYN_INLINE std::string dtype_name(c10::ScalarType dtype);

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
                           bool enabled = true, std::optional<bool> cache_enabled = std::nullopt);

    ~AutocastGuard();

    AutocastGuard(const AutocastGuard&) = delete;
    AutocastGuard& operator=(const AutocastGuard&) = delete;

    /// \throws UsageError unless autocast works with `dtype` on a device of this type.
    static void check(c10::DeviceType device_type, c10::ScalarType dtype);

private:
    c10::DeviceType device_type_;
    bool previous_enabled_;
    c10::ScalarType previous_dtype_;
    bool previous_cache_enabled_;
};

} // namespace audyn::amp

#ifndef AUDYN_COMPILED
#    include <audyn/amp/autocast.ipp>
#endif
