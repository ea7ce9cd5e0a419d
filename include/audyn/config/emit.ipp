#pragma once

#include <audyn/config/emit.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace audyn::config::detail {

AUDYN_INLINE Points code_points(std::string_view text) {
    Points points;
    points.reserve(text.size());
    for (std::size_t position = 0; position < text.size();) {
        points.push_back(next_code_point(text, position));
    }
    return points;
}

AUDYN_INLINE bool has_indicator(const Points& text) {
    const auto starts_with = [&text](char32_t c) {
        return text.size() >= 3 && text[0] == c && text[1] == c && text[2] == c;
    };
    if (starts_with(U'-') || starts_with(U'.')) {
        return true;
    }
    constexpr std::u32string_view leading = U"#,[]{}&*!|>'\"%@`";
    if (leading.find(text[0]) != std::u32string_view::npos) {
        return true;
    }
    for (std::size_t index = 0; index < text.size(); ++index) {
        const bool space_after = index + 1 >= text.size() || is_space_or_break(text[index + 1]);
        const bool space_before = index == 0 || is_space_or_break(text[index - 1]);
        const bool only_leading = index == 0 && (text[0] == U'?' || text[0] == U'-');
        if ((text[index] == U':' || only_leading) && space_after) {
            return true;
        }
        if (text[index] == U'#' && space_before) {
            return true;
        }
    }
    return false;
}

AUDYN_INLINE ScalarStyles styles_of(const Points& text) {
    ScalarStyles styles;
    bool space_before_break = false;
    bool break_before_space = false;
    bool special = false;
    for (std::size_t index = 0; index < text.size(); ++index) {
        const bool after_space = index > 0 && text[index - 1] == U' ';
        const bool after_break = index > 0 && is_break(text[index - 1]);
        styles.multiline = styles.multiline || is_break(text[index]);
        special = special || !is_printable(text[index]);
        break_before_space = break_before_space || (text[index] == U' ' && after_break);
        space_before_break = space_before_break || (is_break(text[index]) && after_space);
    }
    const auto edge = [](char32_t c) { return c == U' ' || is_break(c); };
    const bool edges = !text.empty() && (edge(text.front()) || edge(text.back()));
    const bool unfit = break_before_space || space_before_break || special;
    styles.single_quoted = !unfit;
    styles.plain = !unfit && !edges && !styles.multiline && !(text.empty() ? false : has_indicator(text));
    return styles;
}

AUDYN_INLINE bool reads_as_number_or_boolean(std::string_view text) {
    const std::string lower = lower_case(text);
    constexpr std::array<std::string_view, 8> words{"y", "n", "yes", "no", "true", "false", "on", "off"};
    if (std::ranges::find(words, std::string_view(lower)) != words.end()) {
        const bool title =
            !text.empty() && std::ranges::all_of(text.substr(1), [](char c) { return c >= 'a' && c <= 'z'; });
        const bool upper = std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
        return title || upper;
    }
    std::string_view body = lower;
    const auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    body.remove_prefix(scalar::span_of(body, space));
    while (!body.empty() && space(body.back())) {
        body.remove_suffix(1);
    }
    if (body.starts_with('+') || body.starts_with('-')) {
        body.remove_prefix(1);
    }
    if (body == "inf" || body == "infinity" || body == "nan") {
        return true;
    }
    const auto groups = [](std::string_view digits) { return scalar::detail::grouped_digits(digits); };
    const std::size_t whole = groups(body);
    body.remove_prefix(whole);
    std::size_t fraction = 0;
    if (body.starts_with('.')) {
        fraction = groups(body.substr(1));
        body.remove_prefix(1 + fraction);
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (body.starts_with('e')) {
        body.remove_prefix(body.size() > 1 && (body[1] == '+' || body[1] == '-') ? 2 : 1);
        return !body.empty() && groups(body) == body.size();
    }
    return body.empty();
}

AUDYN_INLINE bool reads_as_timestamp(std::string_view text) {
    const auto digits = [&text](std::size_t least, std::size_t most) {
        const std::size_t length = std::min(scalar::span_of(text, scalar::is_digit), most);
        text.remove_prefix(length >= least ? length : 0);
        return length >= least;
    };
    const auto take = [&text](std::string_view characters) {
        const bool found = !text.empty() && characters.find(text[0]) != std::string_view::npos;
        text.remove_prefix(found ? 1 : 0);
        return found;
    };
    const std::string_view all = text;
    if (!digits(4, 4) || !take("-") || !digits(1, 2) || !take("-") || !digits(1, 2)) {
        return false;
    }
    if (text.empty()) {
        return all.size() == 10;
    }
    if (!take("Tt")) {
        const std::size_t blanks = scalar::span_of(text, [](char c) { return c == ' ' || c == '\t'; });
        if (blanks == 0) {
            return false;
        }
        text.remove_prefix(blanks);
    }
    if (!digits(1, 2) || !take(":") || !digits(2, 2) || !take(":") || !digits(2, 2)) {
        return false;
    }
    if (take(".")) {
        text.remove_prefix(scalar::span_of(text, scalar::is_digit));
    }
    text.remove_prefix(scalar::span_of(text, [](char c) { return c == ' ' || c == '\t'; }));
    if (text.empty() || text == "Z") {
        return true;
    }
    return take("+-") && digits(1, 2) && (text.empty() || (take(":") && digits(2, 2) && text.empty()));
}

AUDYN_INLINE std::string encode_base64(std::string_view bytes) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t index = 0; index < bytes.size(); index += 3) {
        const auto byte = [&](std::size_t offset) {
            return index + offset < bytes.size() ? static_cast<unsigned char>(bytes[index + offset]) : 0U;
        };
        const unsigned bits = (byte(0) << 16U) | (byte(1) << 8U) | byte(2);
        for (std::size_t place = 0; place < 4; ++place) {
            text += index + place > bytes.size() ? '=' : alphabet[(bits >> (18U - 6U * place)) & 0x3FU];
        }
    }
    return text;
}

AUDYN_INLINE std::string YamlEmitter::run(const Value& value) {
    if (value.is_container() && value.size() == 0) {
        write(value.is_dict() ? "{}" : "[]");
    } else if (value.is_container()) {
        container(value, 0);
    } else {
        scalar_value(value, 2, false);
    }
    return concat({std::move(out_), "\n"});
}

AUDYN_INLINE void YamlEmitter::write(std::string_view text) {
    out_ += text;
    for (const char character : text) {
        column_ += (static_cast<unsigned char>(character) & 0xC0U) != 0x80U ? 1 : 0;
    }
}

AUDYN_INLINE void YamlEmitter::new_line(std::size_t indent) {
    out_ += '\n';
    out_.append(indent, ' ');
    column_ = indent;
}

AUDYN_INLINE void YamlEmitter::container(const Value& value, std::size_t indent) {
    for (std::size_t index = 0; index < value.size(); ++index) {
        if (index > 0) {
            new_line(indent);
        }
        const Value& child = value.child(index);
        if (value.is_list()) {
            write("-");
            item(child, indent);
        } else {
            const bool is_simple = key(Value::from_key(value.entries()[index].key), indent);
            member(child, indent, is_simple);
        }
    }
}

AUDYN_INLINE void YamlEmitter::item(const Value& child, std::size_t indent) {
    write(" ");
    if (child.is_container() && child.size() > 0) {
        container(child, indent + 2);
    } else {
        scalar_value(child, indent + 2, false);
    }
}

AUDYN_INLINE bool YamlEmitter::key(const Value& name, std::size_t indent) {
    if (const auto* bytes = name.get_if<Bytes>()) {
        const std::string line = binary_on_a_line(bytes->data);
        const bool is_simple = line.size() < 128;
        write(is_simple ? concat({line, ":"}) : concat({"? ", line, "\n", std::string(indent, ' '), ":"}));
        return is_simple;
    }
    const auto* text = name.get_if<std::string>();
    const Points points = text != nullptr ? code_points(*text) : Points{U'0'};
    const bool simple = !points.empty() && points.size() < 128 - tag_length(name) && !styles_of(points).multiline;
    if (!simple) {
        write("? ");
    }
    scalar_value(name, indent + 2, simple);
    if (!simple) {
        new_line(indent);
    }
    write(":");
    return simple;
}

AUDYN_INLINE void YamlEmitter::member(const Value& child, std::size_t indent, bool after_simple_key) {
    if (!child.is_container() || child.size() == 0) {
        write(" ");
        if (const auto* bytes = child.get_if<Bytes>(); bytes != nullptr && after_simple_key && !bytes->data.empty()) {
            binary(bytes->data, indent + 2);
            return;
        }
        scalar_value(child, indent + 2, false);
        return;
    }
    const std::size_t inner = child.is_list() ? indent : indent + 2;
    new_line(inner);
    container(child, inner);
}

AUDYN_INLINE void YamlEmitter::scalar_value(const Value& value, std::size_t indent, bool simple_key) {
    switch (value.kind()) {
    case Kind::null:
        write("null");
        break;
    case Kind::boolean:
        write(*value.get_if<bool>() ? "true" : "false");
        break;
    case Kind::floating:
        write(number(*value.get_if<double>()));
        break;
    case Kind::string:
        text(*value.get_if<std::string>(), indent, simple_key);
        break;
    case Kind::bytes:
        write(binary_on_a_line(value.get_if<Bytes>()->data));
        break;
    case Kind::constant:
        text(concat({"${const:", value.get_if<Constant>()->to_string(), "}"}), indent, simple_key);
        break;
    case Kind::list:
        write("[]");
        break;
    case Kind::dict:
        write("{}");
        break;
    default:
        write(python_repr(value));
    }
}

AUDYN_INLINE std::string YamlEmitter::number(double value) {
    if (std::isnan(value)) {
        return ".nan";
    }
    if (std::isinf(value)) {
        return value > 0 ? ".inf" : "-.inf";
    }
    std::string repr = float_text(value);
    const auto exponent = repr.find('e');
    if (exponent != std::string::npos && repr.find('.') == std::string::npos) {
        repr.insert(exponent, ".0");
    }
    return repr;
}

AUDYN_INLINE std::string YamlEmitter::binary_on_a_line(std::string_view bytes) {
    return concat({"!!binary \"", encode_base64(bytes), "\""});
}

AUDYN_INLINE void YamlEmitter::binary(std::string_view bytes, std::size_t indent) {
    const std::string encoded = encode_base64(bytes);
    write("!!binary |");
    for (std::size_t start = 0; start < encoded.size(); start += 76) {
        new_line(indent);
        write(std::string_view(encoded).substr(start, 76));
    }
}

AUDYN_INLINE void YamlEmitter::text(const std::string& content, std::size_t indent, bool simple_key) {
    const Points points = code_points(content);
    const ScalarStyles styles = styles_of(points);
    const auto plain_value = scalar::plain(content);
    const bool reads_as_text = plain_value && plain_value->is_string() && !reads_as_timestamp(content);
    const bool quotes = reads_as_number_or_boolean(content) || !reads_as_text;
    if (!quotes && styles.plain) {
        folded(points, indent, !simple_key, false);
    } else if (styles.single_quoted && !(simple_key && styles.multiline)) {
        write("'");
        folded(points, indent, !simple_key, true);
        write("'");
    } else {
        double_quoted(points, indent, !simple_key);
    }
}

AUDYN_INLINE void YamlEmitter::write_points(const Points& text, std::size_t start, std::size_t end) {
    std::string chunk;
    for (std::size_t index = start; index < end; ++index) {
        append_utf8(chunk, text[index]);
    }
    write(chunk);
}

AUDYN_INLINE void YamlEmitter::folded(const Points& text, std::size_t indent, bool split, bool single_quoted) {
    for (std::size_t start = 0; start < text.size();) {
        std::size_t end = start;
        if (text[start] == U' ') {
            while (end < text.size() && text[end] == U' ') {
                ++end;
            }
            const bool at_edge = single_quoted && (start == 0 || end == text.size());
            if (end == start + 1 && column_ > width && split && !at_edge) {
                new_line(indent);
            } else {
                write_points(text, start, end);
            }
        } else if (is_break(text[start])) {
            end = start;
            if (text[start] == U'\n') {
                out_ += '\n';
            }
            for (; end < text.size() && is_break(text[end]); ++end) {
                append_utf8(out_, text[end]);
            }
            out_.append(indent, ' ');
            column_ = indent;
        } else {
            while (end < text.size() && text[end] != U' ' && !is_break(text[end])) {
                ++end;
            }
            std::string chunk;
            for (std::size_t index = start; index < end; ++index) {
                append_utf8(chunk, text[index]);
                if (single_quoted && text[index] == U'\'') {
                    chunk += '\'';
                }
            }
            write(chunk);
        }
        start = end;
    }
}

AUDYN_INLINE std::string YamlEmitter::escape(char32_t c) {
    constexpr std::u32string_view from = U"\0\a\b\t\n\v\f\r\x1B\"\\\u0085\u00A0\u2028\u2029";
    constexpr std::string_view to = "0abtnvfre\"\\N_LP";
    const auto found = std::u32string_view(from.data(), to.size()).find(c);
    return found != std::u32string_view::npos ? std::string("\\") + to[found] : hex_escape(c, true);
}

AUDYN_INLINE void YamlEmitter::double_quoted(const Points& text, std::size_t indent, bool split) {
    write("\"");
    std::size_t start = 0;
    for (std::size_t end = 0; end <= text.size(); ++end) {
        const bool at_end = end == text.size();
        const char32_t c = at_end ? 0 : text[end];
        const bool plain = !at_end &&
                           ((c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD)) &&
                           c != U'"' && c != U'\\' && !is_break(c) && c != 0xFEFF;
        if (!plain) {
            write_points(text, start, end);
            start = end;
            if (!at_end) {
                write(escape(c));
                start = end + 1;
            }
        }
        if (end > 0 && end + 1 < text.size() && (c == U' ' || start >= end) &&
            column_ + (end > start ? end - start : 0) > width && split) {
            write_points(text, start, end);
            start = std::max(start, end);
            write("\\");
            new_line(indent);
            if (start < text.size() && text[start] == U' ') {
                write("\\");
            }
        }
    }
    write("\"");
}

} // namespace audyn::config::detail
