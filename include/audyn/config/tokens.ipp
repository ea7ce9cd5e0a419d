#pragma once

#include <audyn/config/text.hpp>
#include <audyn/config/tokens.hpp>
#include <audyn/core/inline.hpp>

#include <limits>

namespace audyn::config::grammar {

AUDYN_INLINE void LongestToken::offer(TokenType type, std::size_t length) {
    if (length > length_) {
        type_ = type;
        length_ = length;
    }
}

AUDYN_INLINE void offer_primitives(std::string_view text, LongestToken& longest) {
    longest.offer(TokenType::floating, floating_length(text));
    if (const std::size_t signs = sign(text); unsigned_integer(text.substr(signs)) > 0) {
        longest.offer(TokenType::integer, signs + unsigned_integer(text.substr(signs)));
    }
    longest.offer(TokenType::boolean, starts_with_word(text, "true") ? 4 : starts_with_word(text, "false") ? 5 : 0);
    longest.offer(TokenType::null, starts_with_word(text, "null") ? 4 : 0);
    constexpr std::string_view unquoted = "/-\\+.$%*@?|";
    longest.offer(TokenType::unquoted_character,
                  !text.empty() && unquoted.find(text[0]) != std::string_view::npos ? 1 : 0);
    longest.offer(TokenType::identifier, identifier_length(text));
    longest.offer(TokenType::escape, escape_length(text));
    longest.offer(TokenType::blank, scalar::span_of(text, is_blank));
}

AUDYN_INLINE void offer_structure(std::string_view text, LongestToken& longest, TokenType type, char character,
                                  bool blanks_before, bool blanks_after) {
    const std::size_t before = blanks_before ? scalar::span_of(text, is_blank) : 0;
    if (before < text.size() && text[before] == character) {
        longest.offer(type, before + 1 + (blanks_after ? scalar::span_of(text.substr(before + 1), is_blank) : 0));
    }
}

AUDYN_INLINE std::string unescaped(std::string_view text) {
    std::string result;
    for (std::size_t index = 1; index < text.size(); index += 2) {
        result += text[index];
    }
    return result;
}

AUDYN_INLINE Value integer_literal(std::string_view text) {
    return scalar::integer_value(scalar::without_underscores(text.substr(sign(text))), 10, text.starts_with('-'));
}

AUDYN_INLINE double floating_literal(std::string_view text) {
    const std::string_view body = text.substr(sign(text));
    double number = 0.0;
    if (starts_with_word(body, "inf")) {
        number = std::numeric_limits<double>::infinity();
    } else if (starts_with_word(body, "nan")) {
        return std::numeric_limits<double>::quiet_NaN();
    } else {
        number = scalar::decimal_number(scalar::without_underscores(body));
    }
    return text.starts_with('-') ? -number : number;
}

AUDYN_INLINE Value primitive_value(const Token& token) {
    switch (token.type) {
    case TokenType::null:
        return {};
    case TokenType::integer:
        return integer_literal(token.text);
    case TokenType::floating:
        return floating_literal(token.text);
    case TokenType::boolean:
        return starts_with_word(token.text, "true");
    case TokenType::escape:
        return unescaped(token.text);
    default:
        return token.text;
    }
}

} // namespace audyn::config::grammar
