#pragma once

#include <audyn/core/inline.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::config {

/// The pieces one after another. One call compiles to far less than a chain of additions.
[[nodiscard, gnu::noinline]] inline std::string concat(std::initializer_list<std::string_view> pieces) {
    std::string text;
    for (const std::string_view piece : pieces) {
        text += piece;
    }
    return text;
}

/// A number as Python's `repr` prints it: the shortest digits that read back equal, always with a point or an exponent;
/// `inf`, `nan`.
[[nodiscard]] AUDYN_INLINE std::string float_text(double number);

/// Reads one code point of UTF-8 at `position` and moves past it. A malformed byte gives U+FFFD and moves by one.
[[nodiscard]] AUDYN_INLINE char32_t next_code_point(std::string_view text, std::size_t& position);

/// Adds a code point to UTF-8 text.
AUDYN_INLINE void append_utf8(std::string& text, char32_t point);

/// `\xNN`, `\uNNNN` or `\UNNNNNNNN`.
[[nodiscard]] AUDYN_INLINE std::string hex_escape(char32_t point, bool upper);

/// A string as Python's `repr` prints it: in single quotes unless it contains one and no double quote.
[[nodiscard]] AUDYN_INLINE std::string repr(std::string_view text);

/// The same of a text that may be long: a message quotes no more than its beginning.
[[nodiscard]] AUDYN_INLINE std::string short_repr(std::string_view text);

/// Bytes as Python's `repr` prints them: `b'...'`.
[[nodiscard]] AUDYN_INLINE std::string bytes_text(std::string_view data);

/// The number of insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
[[nodiscard]] AUDYN_INLINE std::size_t edit_distance(std::string_view left, std::string_view right);

/// The candidate that the user probably meant by `name`; empty when none is near.
[[nodiscard]] AUDYN_INLINE std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

/// `; did you mean 'epochs'?`, or nothing when no candidate is near.
[[nodiscard]] AUDYN_INLINE std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

/// `a, b, c`.
[[nodiscard]] AUDYN_INLINE std::string join(const std::vector<std::string>& parts, std::string_view separator = ", ");

/// Lower-case ASCII.
[[nodiscard]] AUDYN_INLINE std::string lower_case(std::string_view text);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/text.ipp>
#endif
