#pragma once

#include <audyn/core/inline.hpp>

#include <cstdint>
#include <string_view>

namespace audyn::logging {

/// CRC-32C (Castagnoli), the checksum of TFRecord files. Events are small, so one table will do.
[[nodiscard]] AUDYN_INLINE uint32_t crc32c(std::string_view data);

/// The form in which TFRecord stores it: rotated and offset, so that the checksum of data with checksums inside is
/// sound.
[[nodiscard]] AUDYN_INLINE uint32_t masked_crc32c(std::string_view data);

} // namespace audyn::logging

#ifndef AUDYN_COMPILED
#    include <audyn/logging/crc32c.ipp>
#endif
