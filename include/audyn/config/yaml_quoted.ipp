#pragma once

#include <audyn/config/text.hpp>
#include <audyn/config/yaml_quoted.hpp>
#include <audyn/core/inline.hpp>

#include <cstdint>

namespace audyn::config::detail {

AUDYN_INLINE std::optional<std::string> QuotedScalar::read() {
    if (quote_ != '"' && quote_ != '\'') {
        return std::nullopt;
    }
    for (position_ = 1; position_ < text_.size();) {
        if (text_[position_] == quote_ && !(quote_ == '\'' && at(position_ + 1) == '\'')) {
            return is_needed_ ? std::optional(std::move(result_)) : std::nullopt;
        }
        if (!read_spaces() && !read_character()) {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

AUDYN_INLINE std::size_t QuotedScalar::break_length() const {
    const std::string_view rest = text_.substr(position_);
    return rest.starts_with("\n")                                                 ? 1
           : rest.starts_with("\xC2\x85")                                         ? 2
           : rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9") ? 3
                                                                                  : 0;
}

AUDYN_INLINE std::string QuotedScalar::take_break() {
    const std::size_t length = break_length();
    const std::string text = length == 3 ? std::string(text_.substr(position_, length)) : "\n";
    position_ += length;
    is_needed_ = true;
    return text;
}

AUDYN_INLINE std::string QuotedScalar::take_breaks() {
    std::string breaks;
    while (true) {
        position_ += scalar::span_of(text_.substr(position_), [](char c) { return c == ' ' || c == '\t'; });
        if (break_length() == 0) {
            return breaks;
        }
        breaks += take_break();
    }
}

AUDYN_INLINE bool QuotedScalar::read_spaces() {
    const std::size_t blanks = scalar::span_of(text_.substr(position_), [](char c) { return c == ' ' || c == '\t'; });
    const std::string_view spaces = text_.substr(position_, blanks);
    position_ += blanks;
    if (break_length() == 0) {
        result_ += spaces;
        return blanks > 0;
    }
    const std::string first = take_break();
    const std::string breaks = take_breaks();
    result_ += first != "\n" ? first : breaks.empty() ? " " : "";
    result_ += breaks;
    return true;
}

AUDYN_INLINE bool QuotedScalar::read_character() {
    if (quote_ == '\'' && text_[position_] == '\'') {
        result_ += '\'';
        position_ += 2;
        return true;
    }
    if (quote_ == '"' && text_[position_] == '\\') {
        ++position_;
        return read_escape();
    }
    result_ += text_[position_++];
    return true;
}

AUDYN_INLINE bool QuotedScalar::read_escape() {
    if (break_length() > 0) {
        take_break();
        result_ += take_breaks();
        return true;
    }
    constexpr std::string_view names = "0abt\tnvfre \"/\\N_LP";
    constexpr std::u32string_view points = U"\0\a\b\t\t\n\v\f\r\x1B \"/\\\u0085\u00A0\u2028\u2029";
    const char name = at(position_++);
    if (const auto index = names.find(name); index != std::string_view::npos && name != '\0') {
        append_utf8(result_, points[index]);
        is_needed_ = is_needed_ || name == 'N' || name == '_';
        return true;
    }
    const std::size_t digits = name == 'x' ? 2 : name == 'u' ? 4 : name == 'U' ? 8 : 0;
    std::uint32_t point = 0;
    for (std::size_t count = 0; count < digits; ++count) {
        const char digit = at(position_++);
        if (!scalar::is_hex_digit(digit)) {
            return false;
        }
        point = (point << 4U) |
                static_cast<std::uint32_t>(scalar::is_digit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    append_utf8(result_, point);
    return digits > 0 && point <= 0x10FFFF;
}

} // namespace audyn::config::detail
