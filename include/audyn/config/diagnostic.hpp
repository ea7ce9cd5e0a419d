#pragma once

#include <audyn/config/location.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <string_view>

namespace audyn::config {

/// An error about one place: `PLACE: REASON`, the line with a caret, then how it came that the file is read. `hint`
/// follows on a line of its own.
[[nodiscard]] AUDYN_INLINE ConfigError error_at(const Location& location, std::string_view reason,
                                                std::string_view hint = {});

/// Limits that keep hostile input from exhausting the stack or the memory. Far above what people write.
namespace limits {
inline constexpr int depth = 256;        ///< of nested lists, dictionaries, interpolations, defaults lists
inline constexpr int defaults = 100'000; ///< items of all defaults lists of one composition
inline constexpr std::size_t nodes =
    1'000'000; ///< of one document after its aliases are copied, or of one resolved tree
inline constexpr std::size_t interpolations = 2'000'000; ///< followed in one access
inline constexpr std::size_t text = 16UL << 20U;         ///< bytes of a text that interpolation puts together
inline constexpr std::size_t expression = 1UL << 20U;    ///< bytes of an override, or of a text with `${`
inline constexpr std::size_t open_brackets = 10'000;     ///< in a file: each costs yaml-cpp memory until it is closed
inline constexpr std::size_t file_size = 8UL << 20U;     ///< bytes of one file
} // namespace limits

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/diagnostic.ipp>
#endif
