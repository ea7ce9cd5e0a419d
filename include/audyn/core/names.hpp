#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace audyn {

/// A list of names known at compile time, for example of forward's arguments:
/// `static constexpr auto forward_arguments = audyn::names("waveform", "length");`
template <std::size_t Count>
using Names = std::array<std::string_view, Count>;

/// Builds `Names` from string literals.
template <class... Text>
[[nodiscard]] constexpr Names<sizeof...(Text)> names(const Text&... text) {
    return {std::string_view(text)...};
}

} // namespace audyn
