#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace audyn::config {

AUDYN_INLINE std::string float_text(double number) {
    if (std::isnan(number)) {
        return "nan";
    }
    if (std::isinf(number)) {
        return number > 0 ? "inf" : "-inf";
    }
    std::array<char, 40> buffer{};
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
    const std::string_view scientific(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    const auto mark = scientific.find('e');
    std::string digits;
    for (const char character : scientific.substr(0, mark)) {
        if (character >= '0' && character <= '9') {
            digits += character;
        }
    }
    int exponent = 0;
    const auto exponent_text = scientific.substr(mark + (scientific[mark + 1] == '+' ? 2U : 1U));
    std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);

    std::string text = std::signbit(number) ? "-" : "";
    const int count = static_cast<int>(digits.size());
    if (exponent < -4 || exponent >= 16) {
        text += digits.substr(0, 1);
        if (count > 1) {
            text += "." + digits.substr(1);
        }
        const std::string size = std::to_string(std::abs(exponent));
        return text + (exponent < 0 ? "e-" : "e+") + (size.size() < 2 ? "0" : "") + size;
    }
    if (exponent < 0) {
        return text + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    }
    if (count <= exponent + 1) {
        return text + digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
    }
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    return text + digits.substr(0, whole) + "." + digits.substr(whole);
}

AUDYN_INLINE char32_t next_code_point(std::string_view text, std::size_t& position) {
    const auto byte = [&text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const unsigned char lead = byte(position);
    const std::size_t length = lead < 0x80            ? 1
                               : (lead >> 5U) == 0x6  ? 2
                               : (lead >> 4U) == 0xE  ? 3
                               : (lead >> 3U) == 0x1E ? 4
                                                      : 0;
    if (length == 0 || position + length > text.size()) {
        ++position;
        return 0xFFFD;
    }
    constexpr std::array<unsigned char, 5> masks{0, 0x7F, 0x1F, 0x0F, 0x07};
    char32_t point = lead & masks[length];
    for (std::size_t offset = 1; offset < length; ++offset) {
        if ((byte(position + offset) & 0xC0U) != 0x80U) {
            ++position;
            return 0xFFFD;
        }
        point = (point << 6U) | (byte(position + offset) & 0x3FU);
    }
    position += length;
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    return point < least[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF) ? U'\uFFFD' : point;
}

AUDYN_INLINE void append_utf8(std::string& text, char32_t point) {
    const auto add = [&text](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (point < 0x80) {
        add(point);
    } else if (point < 0x800) {
        add(0xC0U | (point >> 6U));
        add(0x80U | (point & 0x3FU));
    } else if (point < 0x10000) {
        add(0xE0U | (point >> 12U));
        add(0x80U | ((point >> 6U) & 0x3FU));
        add(0x80U | (point & 0x3FU));
    } else {
        add(0xF0U | (point >> 18U));
        add(0x80U | ((point >> 12U) & 0x3FU));
        add(0x80U | ((point >> 6U) & 0x3FU));
        add(0x80U | (point & 0x3FU));
    }
}

AUDYN_INLINE std::string hex_escape(char32_t point, bool upper) {
    const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const int width = point < 0x100 ? 2 : point < 0x10000 ? 4 : 8;
    std::string text = width == 2 ? "\\x" : width == 4 ? "\\u" : "\\U";
    for (int shift = 4 * (width - 1); shift >= 0; shift -= 4) {
        text += digits[(point >> static_cast<unsigned>(shift)) & 0xFU];
    }
    return text;
}

AUDYN_INLINE std::string repr(std::string_view text) {
    const char quote =
        text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string result(1, quote);
    for (std::size_t position = 0; position < text.size();) {
        const char32_t point = next_code_point(text, position);
        if (point == static_cast<char32_t>(quote) || point == U'\\') {
            result += '\\';
            append_utf8(result, point);
        } else if (point == U'\n' || point == U'\t' || point == U'\r') {
            result += point == U'\n' ? "\\n" : point == U'\t' ? "\\t" : "\\r";
        } else if (point < 0x20 || (point >= 0x7F && point < 0xA1) || point == 0xAD) {
            result += hex_escape(point, false);
        } else {
            append_utf8(result, point);
        }
    }
    return result + quote;
}

AUDYN_INLINE std::string short_repr(std::string_view text) {
    constexpr std::size_t most = 200;
    return text.size() > most ? repr(std::string(text.substr(0, most)) + "...") : repr(text);
}

AUDYN_INLINE std::string bytes_text(std::string_view data) {
    const char quote =
        data.find('\'') != std::string_view::npos && data.find('"') == std::string_view::npos ? '"' : '\'';
    std::string result = std::string("b") + quote;
    for (const char character : data) {
        const auto byte = static_cast<unsigned char>(character);
        if (character == quote || character == '\\') {
            result += std::string("\\") + character;
        } else if (character == '\n' || character == '\t' || character == '\r') {
            result += character == '\n' ? "\\n" : character == '\t' ? "\\t" : "\\r";
        } else if (byte < 0x20 || byte >= 0x7F) {
            result += hex_escape(byte, false);
        } else {
            result += character;
        }
    }
    return result + quote;
}

AUDYN_INLINE std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> before_last;
    std::vector<std::size_t> last(right.size() + 1);
    for (std::size_t column = 0; column <= right.size(); ++column) {
        last[column] = column;
    }
    for (std::size_t row = 1; row <= left.size(); ++row) {
        std::vector<std::size_t> current(right.size() + 1, row);
        for (std::size_t column = 1; column <= right.size(); ++column) {
            const bool same = left[row - 1] == right[column - 1];
            current[column] =
                std::min({last[column] + 1, current[column - 1] + 1, last[column - 1] + (same ? 0U : 1U)});
            if (row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1]) {
                current[column] = std::min(current[column], before_last[column - 2] + 1);
            }
        }
        before_last = std::move(last);
        last = std::move(current);
    }
    return last[right.size()];
}

AUDYN_INLINE std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
    const auto lower = [](std::string_view text) {
        std::string result(text.substr(0, 256));
        std::ranges::transform(result, result.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        return result;
    };
    const std::string wanted = lower(name);
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::string lowered = lower(candidate);
        const std::size_t gap =
            lowered.size() > wanted.size() ? lowered.size() - wanted.size() : wanted.size() - lowered.size();
        const bool is_prefix =
            (wanted.size() >= 3 && lowered.starts_with(wanted)) || (lowered.size() >= 4 && wanted.starts_with(lowered));
        if (gap >= best_distance && !(best.empty() && is_prefix)) {
            continue;
        }
        const std::size_t distance = edit_distance(wanted, lowered);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        } else if (best.empty() && is_prefix) {
            best = candidate;
        }
    }
    return best;
}

AUDYN_INLINE std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
    const std::string nearest = nearest_name(name, candidates);
    return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

AUDYN_INLINE std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (const std::string& part : parts) {
        text += text.empty() ? "" : separator;
        text += part;
    }
    return text;
}

AUDYN_INLINE std::string lower_case(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return result;
}

} // namespace audyn::config
