#pragma once

#include <audyn/config/scalar.hpp>
#include <audyn/core/inline.hpp>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <system_error>

namespace audyn::config::scalar {

AUDYN_INLINE std::string without_underscores(std::string_view text) {
    std::string result;
    for (const char character : text) {
        if (character != '_') {
            result += character;
        }
    }
    return result;
}

AUDYN_INLINE Value integer_value(std::string_view digits, int base, bool negative) {
    std::uint64_t magnitude = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
    constexpr std::uint64_t limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (code == std::errc{} && end == digits.data() + digits.size() && magnitude <= limit + (negative ? 1 : 0)) {
        return static_cast<std::int64_t>(negative ? ~magnitude + 1 : magnitude);
    }
    std::string decimal = "0"; // schoolbook multiplication: such numbers are rare and short
    for (const char digit : digits) {
        int carry = is_digit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
        for (auto place = decimal.rbegin(); place != decimal.rend(); ++place) {
            const int product = (*place - '0') * base + carry;
            *place = static_cast<char>('0' + product % 10);
            carry = product / 10;
        }
        while (carry > 0) {
            decimal.insert(decimal.begin(), static_cast<char>('0' + carry % 10));
            carry /= 10;
        }
    }
    return BigInteger{concat({(negative ? "-" : ""), decimal})};
}

AUDYN_INLINE double decimal_number(std::string_view text) {
    double number = 0.0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc::result_out_of_range) {
        return std::strtod(std::string(text).c_str(), nullptr); // infinity or zero, whichever is nearer
    }
    return number;
}

} // namespace audyn::config::scalar

namespace audyn::config::scalar::detail {

AUDYN_INLINE double sexagesimal(std::string_view text) {
    double number = 0.0;
    while (true) {
        const auto colon = text.find(':');
        number = number * 60.0 + decimal_number(text.substr(0, colon));
        if (colon == std::string_view::npos) {
            return number;
        }
        text.remove_prefix(colon + 1);
    }
}

AUDYN_INLINE std::optional<Value> parse_integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    if (text.empty() || !is_digit(text[0])) {
        return std::nullopt;
    }
    const auto all = [](std::string_view rest, auto predicate) {
        return !rest.empty() && span_of(rest, [&](char c) { return c == '_' || predicate(c); }) == rest.size();
    };
    const auto number = [negative](std::string_view digits, int base) -> std::optional<Value> {
        const std::string plain = without_underscores(digits);
        return plain.empty() ? std::optional<Value>() : integer_value(plain, base, negative);
    };
    if (text.starts_with("0b")) {
        return all(text.substr(2), [](char c) { return c == '0' || c == '1'; }) ? number(text.substr(2), 2)
                                                                                : std::nullopt;
    }
    if (text.starts_with("0x")) {
        return all(text.substr(2), is_hex_digit) ? number(text.substr(2), 16) : std::nullopt;
    }
    if (text[0] == '0') {
        const bool octal = all(text, [](char c) { return c >= '0' && c <= '7'; });
        return octal ? number(text, 8) : std::nullopt;
    }
    const std::size_t first = digits_and_underscores(text);
    if (first == text.size()) {
        return number(text, 10);
    }
    if (sexagesimal_parts(text.substr(first)) + first == text.size()) {
        const double seconds = sexagesimal(without_underscores(text));
        return Value(static_cast<std::int64_t>(negative ? -seconds : seconds));
    }
    return std::nullopt;
}

AUDYN_INLINE bool is_float(std::string_view text) {
    const bool has_sign = text.starts_with('+') || text.starts_with('-');
    const std::string_view body = text.substr(has_sign ? 1 : 0);
    if (is_one_of_cases(body, ".inf", ".Inf", ".INF")) {
        return true;
    }
    if (is_one_of_cases(text, ".nan", ".NaN", ".NAN")) {
        return true;
    }
    if (!has_sign && body.size() > 1 && body[0] == '.' && is_digit(body[1])) {
        const std::string_view after = body.substr(1 + digits_and_underscores(body.substr(1)));
        return after.empty() || is_exponent(after, true);
    }
    for (const std::size_t whole : {grouped_digits(body), digits_and_underscores(body)}) {
        if (whole == 0) {
            continue;
        }
        const std::string_view after = body.substr(whole);
        const bool grouped = whole == grouped_digits(body);
        if (grouped && is_exponent(after, false)) {
            return true;
        }
        if (after.starts_with('.')) {
            const std::string_view rest =
                after.substr(1 + span_of(after.substr(1), [](char c) { return is_digit(c) || c == '_'; }));
            if (rest.empty() || is_exponent(rest, !grouped)) {
                return true;
            }
        }
        const std::size_t parts = sexagesimal_parts(after);
        if (parts > 0 && after.size() > parts && after[parts] == '.') {
            const std::string_view fraction = after.substr(parts + 1);
            if (span_of(fraction, [](char c) { return is_digit(c) || c == '_'; }) == fraction.size()) {
                return true;
            }
        }
    }
    return false;
}

} // namespace audyn::config::scalar::detail

namespace audyn::config::scalar {

AUDYN_INLINE std::optional<double> yaml_float(std::string_view text) {
    std::string plain = lower_case(without_underscores(text));
    const bool negative = plain.starts_with('-');
    if (negative || plain.starts_with('+')) {
        plain.erase(0, 1);
    }
    double number = 0.0;
    if (plain == ".inf" || plain == "inf") {
        number = std::numeric_limits<double>::infinity();
    } else if (plain == ".nan" || plain == "nan") {
        return std::numeric_limits<double>::quiet_NaN();
    } else if (plain.find(':') != std::string::npos) {
        number = detail::sexagesimal(plain);
    } else {
        if (plain.empty() || span_of(plain, [](char c) {
                                 return is_digit(c) || c == '.' || c == 'e' || c == '+' || c == '-';
                             }) != plain.size()) {
            return std::nullopt;
        }
        number = decimal_number(plain);
    }
    return negative ? -number : number;
}

AUDYN_INLINE std::optional<Value> plain(std::string_view text) {
    using detail::is_one_of_cases;
    if (text.empty() || text == "~" || is_one_of_cases(text, "null", "Null", "NULL")) {
        return Value();
    }
    if (text == "=" || text == "<<") {
        return std::nullopt;
    }
    if (is_one_of_cases(text, "true", "True", "TRUE") || is_one_of_cases(text, "yes", "Yes", "YES") ||
        is_one_of_cases(text, "on", "On", "ON")) {
        return Value(true);
    }
    if (is_one_of_cases(text, "false", "False", "FALSE") || is_one_of_cases(text, "no", "No", "NO") ||
        is_one_of_cases(text, "off", "Off", "OFF")) {
        return Value(false);
    }
    const char first = text[0];
    if (is_digit(first) || first == '-' || first == '+' || first == '.') {
        if (detail::is_float(text)) {
            return Value(*yaml_float(text));
        }
        if (auto integer = detail::parse_integer(text)) {
            return integer;
        }
    }
    return Value(text);
}

} // namespace audyn::config::scalar
