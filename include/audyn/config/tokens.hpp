#pragma once

#include <audyn/config/scalar.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

/// The tokens that overrides and interpolations have in common. The languages are those of Hydra's and OmegaConf's
/// grammars.
namespace audyn::config::grammar {

enum class TokenType {
    // primitives
    identifier,
    null,
    integer,
    floating,
    boolean,
    unquoted_character,
    escape,
    blank,
    quoted,        ///< a whole quoted string (overrides)
    interpolation, ///< a whole `${...}` (overrides)
    // structure
    colon,
    comma,
    equal,
    parenthesis_open,
    parenthesis_close,
    bracket_open,
    bracket_close,
    brace_open,
    brace_close,
    // keys
    tilde,
    plus,
    at,
    slash,
    special_key, ///< an identifier with `$`
    dot_path,
    // interpolations
    any_text,
    escaped_interpolation,
    backslashes, ///< an even number of them, which may have to be halved
    interpolation_open,
    interpolation_close,
    dot,
    interpolation_key,
    quote_open,
    quote_close,
    end
};

struct Token {
    TokenType type = TokenType::end;
    std::string_view text;
    std::size_t position = 0;
};

/// A mistake in a small language, with its position in the text.
struct SyntaxError {
    std::string message;
    std::size_t position = 0;
};

[[nodiscard]] constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
[[nodiscard]] constexpr bool is_identifier_start(char c) {
    return scalar::is_letter(c) || c == '_';
}
[[nodiscard]] constexpr bool is_identifier_part(char c) {
    return is_identifier_start(c) || scalar::is_digit(c) || c == '-';
}

/// The longest of several possible tokens; of equally long ones the first that was offered.
class LongestToken {
public:
    void offer(TokenType type, std::size_t length);
    [[nodiscard]] bool found() const { return length_ > 0; }
    [[nodiscard]] TokenType type() const { return type_; }
    [[nodiscard]] std::size_t length() const { return length_; }

private:
    TokenType type_ = TokenType::end;
    std::size_t length_ = 0;
};

/// `DIGIT (_? DIGIT)*`
[[nodiscard]] constexpr std::size_t digit_groups(std::string_view text) {
    if (text.empty() || !scalar::is_digit(text[0])) {
        return 0;
    }
    std::size_t length = 1;
    while (length < text.size()) {
        const std::size_t skip = text[length] == '_' ? 1 : 0;
        if (length + skip >= text.size() || !scalar::is_digit(text[length + skip])) {
            break;
        }
        length += skip + 1;
    }
    return length;
}

/// `0`, or digits that do not begin with 0, with single underscores between them.
[[nodiscard]] constexpr std::size_t unsigned_integer(std::string_view text) {
    return text.starts_with('0') ? 1 : digit_groups(text);
}

[[nodiscard]] constexpr std::size_t sign(std::string_view text) {
    return text.starts_with('+') || text.starts_with('-') ? 1 : 0;
}

[[nodiscard]] constexpr bool starts_with_word(std::string_view text, std::string_view lower_word) {
    if (text.size() < lower_word.size()) {
        return false;
    }
    return std::equal(lower_word.begin(), lower_word.end(), text.begin(), [](char wanted, char given) {
        return wanted == (given >= 'A' && given <= 'Z' ? given + 32 : given);
    });
}

[[nodiscard]] constexpr std::size_t floating_length(std::string_view whole_text) {
    const std::size_t signs = sign(whole_text);
    const std::string_view text = whole_text.substr(signs);
    if (starts_with_word(text, "inf") || starts_with_word(text, "nan")) {
        return signs + 3;
    }
    const std::size_t integer = unsigned_integer(text);
    std::size_t length = 0;
    std::size_t mantissa = integer;
    if (integer < text.size() && text[integer] == '.') {
        const std::size_t fraction = digit_groups(text.substr(integer + 1));
        if (integer > 0 || fraction > 0) {
            mantissa = integer + 1 + fraction;
            length = mantissa;
        }
    }
    if (mantissa > 0 && mantissa < text.size() && (text[mantissa] == 'e' || text[mantissa] == 'E')) {
        const std::size_t signed_part = mantissa + 1 + sign(text.substr(mantissa + 1));
        const std::size_t exponent = digit_groups(text.substr(signed_part));
        length = exponent > 0 ? signed_part + exponent : length;
    }
    return length > 0 ? signs + length : 0;
}

[[nodiscard]] constexpr std::size_t escape_length(std::string_view text) {
    constexpr std::string_view escapable = "\\()[]{}:=, \t";
    std::size_t length = 0;
    while (length + 1 < text.size() && text[length] == '\\' &&
           escapable.find(text[length + 1]) != std::string_view::npos) {
        length += 2;
    }
    return length;
}

[[nodiscard]] constexpr std::size_t identifier_length(std::string_view text) {
    return !text.empty() && is_identifier_start(text[0]) ? scalar::span_of(text, is_identifier_part) : 0;
}

/// Offers the primitives that both languages know, in the order of the grammars.
AUDYN_INLINE void offer_primitives(std::string_view text, LongestToken& longest);

/// Offers one structural character with the blanks that belong to it.
AUDYN_INLINE void offer_structure(std::string_view text, LongestToken& longest, TokenType type, char character,
                                  bool blanks_before, bool blanks_after);

/// Every second character: takes the backslashes off a run of escapes.
[[nodiscard]] AUDYN_INLINE std::string unescaped(std::string_view text);

[[nodiscard]] AUDYN_INLINE Value integer_literal(std::string_view text);

[[nodiscard]] AUDYN_INLINE double floating_literal(std::string_view text);

/// The value of a token that stands alone: a number, boolean, null, or its text.
[[nodiscard]] AUDYN_INLINE Value primitive_value(const Token& token);

} // namespace audyn::config::grammar

#ifndef AUDYN_COMPILED
#    include <audyn/config/tokens.ipp>
#endif
