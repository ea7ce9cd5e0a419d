#pragma once

#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <optional>
#include <string>
#include <string_view>

/// Reading numbers and plain YAML 1.1 scalars as PyYAML and OmegaConf read them.
namespace audyn::config::scalar {

[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
[[nodiscard]] constexpr bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Length of the longest prefix whose characters satisfy `predicate`.
template <class Predicate>
[[nodiscard]] constexpr std::size_t span_of(std::string_view text, Predicate predicate) {
    std::size_t length = 0;
    while (length < text.size() && predicate(text[length])) {
        ++length;
    }
    return length;
}

[[nodiscard]] AUDYN_INLINE std::string without_underscores(std::string_view text);

/// An integer of any size from digits of the given base with an optional sign. `digits` holds nothing else.
[[nodiscard]] AUDYN_INLINE Value integer_value(std::string_view digits, int base, bool negative);

/// A decimal number without sign, underscores or names, rounded as the C library rounds; too large is infinity.
[[nodiscard]] AUDYN_INLINE double decimal_number(std::string_view text);

namespace detail {

/// `[0-9]*(_[0-9]+)*` style runs: digits and underscores, beginning with a digit.
[[nodiscard]] constexpr std::size_t digits_and_underscores(std::string_view text) {
    return !text.empty() && is_digit(text[0]) ? span_of(text, [](char c) { return is_digit(c) || c == '_'; }) : 0;
}

/// `[0-9]+(?:_[0-9]+)*`
[[nodiscard]] constexpr std::size_t grouped_digits(std::string_view text) {
    std::size_t length = span_of(text, is_digit);
    while (length > 0 && length + 1 < text.size() && text[length] == '_' && is_digit(text[length + 1])) {
        length += 1 + span_of(text.substr(length + 1), is_digit);
    }
    return length;
}

/// `[eE][-+]?[0-9]+` to the end, or nothing left.
[[nodiscard]] constexpr bool is_exponent(std::string_view text, bool sign_needed) {
    if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) {
        return false;
    }
    text.remove_prefix(1);
    if (text[0] == '+' || text[0] == '-') {
        text.remove_prefix(1);
    } else if (sign_needed) {
        return false;
    }
    return !text.empty() && span_of(text, is_digit) == text.size();
}

/// `(?::[0-5]?[0-9])+`, the number of characters.
[[nodiscard]] constexpr std::size_t sexagesimal_parts(std::string_view text) {
    std::size_t length = 0;
    while (length + 1 < text.size() && text[length] == ':' && is_digit(text[length + 1])) {
        const bool two = length + 2 < text.size() && text[length + 1] <= '5' && is_digit(text[length + 2]);
        length += two ? 3 : 2;
    }
    return length;
}

[[nodiscard]] AUDYN_INLINE double sexagesimal(std::string_view text);

[[nodiscard]] constexpr bool is_one_of_cases(std::string_view text, std::string_view lower, std::string_view title,
                                             std::string_view upper) {
    return text == lower || text == title || text == upper;
}

[[nodiscard]] AUDYN_INLINE std::optional<Value> parse_integer(std::string_view text);

[[nodiscard]] AUDYN_INLINE bool is_float(std::string_view text);

} // namespace detail

/// A YAML 1.1 float, from text that `is_float` or that an explicit `!!float` marks; nothing when it is no number.
[[nodiscard]] AUDYN_INLINE std::optional<double> yaml_float(std::string_view text);

/// The value of a plain YAML scalar: YAML 1.1 with OmegaConf's floats and without timestamps.
/// `=` and `<<`, which have no value, are given back as nothing.
[[nodiscard]] AUDYN_INLINE std::optional<Value> plain(std::string_view text);

} // namespace audyn::config::scalar

#ifndef AUDYN_COMPILED
#    include <audyn/config/scalar.ipp>
#endif
