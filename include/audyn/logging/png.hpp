#pragma once

#include <audyn/core/inline.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace audyn::logging {

/// Red, green and blue of each of 256 shades.
using Palette = std::array<std::array<uint8_t, 3>, 256>;

/// From dark blue over green to yellow, ever brighter.
[[nodiscard]] AUDYN_INLINE const Palette& heat_palette();

/// A PNG picture of `pixels`, row by row from the top, each the number of a shade; `width` of them are a row. Stored
/// without compression, so that it needs no library. \throws UsageError unless the pixels are whole rows, at least one.
[[nodiscard]] AUDYN_INLINE std::string encode_png(std::span<const uint8_t> pixels, std::size_t width,
                                                  const Palette& palette);

} // namespace audyn::logging

#ifndef AUDYN_COMPILED
#    include <audyn/logging/png.ipp>
#endif
