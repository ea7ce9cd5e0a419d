#pragma once

#include <audyn/config/config.hpp>
#include <audyn/core/inline.hpp>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <string>

namespace audyn::adapter {

/// Refuses a key of Audyn's that is set but has no meaning here. Null, false and an empty group are no setting.
AUDYN_INLINE void refuse(const Config& config, const std::string& key, const std::string& advice);

namespace detail {

AUDYN_INLINE at::Device cuda_device(const Config& node);

AUDYN_INLINE at::Device mps_device(const Config& node);

} // namespace detail

/// The device that `system.accelerator` names: "cpu", "cuda", "mps" or "gpu" (CUDA); null picks CUDA where there is
/// one. \throws ConfigError when it does not exist; the message says what to choose instead.
[[nodiscard]] AUDYN_INLINE at::Device device(const Config& config);

/// The dtype of mixed precision, or nothing where `system.amp.enable` is null or false. A null `system.amp.dtype` means
/// float16 on CUDA and bfloat16 elsewhere. \throws ConfigError for another dtype.
[[nodiscard]] AUDYN_INLINE std::optional<at::ScalarType> amp_dtype(const Config& config);

/// `system.seed`, 0 where it is null.
[[nodiscard]] inline uint64_t seed(const Config& config) {
    return config.get_optional<uint64_t>("system.seed").value_or(0);
}

/// The seed from which this rank draws what must differ between ranks, such as dropout.
[[nodiscard]] AUDYN_INLINE uint64_t seed_of_rank(const Config& config);

/// Applies `system`: device flags, threads, and the seed last, so that what is built afterwards depends on it alone.
/// Call it once, before the trainer is built. \throws ConfigError for devices and modes that do not exist here.
AUDYN_INLINE void setup_config(const Config& config);

} // namespace audyn::adapter

namespace audyn {
using adapter::setup_config;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/system.ipp>
#endif
