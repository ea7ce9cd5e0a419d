#pragma once

#include <audyn/config/text.hpp>
#include <audyn/config/yaml_checks.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cstdint>

namespace audyn::config::detail {

AUDYN_INLINE Location location_of(const std::shared_ptr<const Source>& source, std::size_t position) {
    const std::string_view before = std::string_view(source->text).substr(0, position);
    int line = 1;
    std::size_t start = 0;
    for (std::size_t index = 0; index < before.size(); ++index) {
        if (before[index] == '\n') {
            ++line;
            start = index + 1;
        }
    }
    return {source, line, static_cast<int>(before.size() - start) + 1};
}

AUDYN_INLINE void check_characters(const std::shared_ptr<const Source>& source) {
    const std::string_view text = source->text;
    if (text.size() > limits::file_size) {
        throw ConfigError(
            concat({source->name, ": the text is larger than ", std::to_string(limits::file_size), " bytes"}));
    }
    std::size_t open = 0;
    for (std::size_t position = 0; position < text.size();) {
        const auto byte = static_cast<unsigned char>(text[position]);
        open += byte == '[' || byte == '{' ? 1 : 0;
        open -= (byte == ']' || byte == '}') && open > 0 ? 1 : 0;
        if (open > limits::open_brackets) {
            throw error_at(location_of(source, position),
                           concat({"more than ", std::to_string(limits::open_brackets), " brackets are open here"}));
        }
        if (byte < 0x80) {
            if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) {
                throw error_at(location_of(source, position), "a control character is not allowed here");
            }
            ++position;
            continue;
        }
        const std::size_t start = position;
        const char32_t point = next_code_point(text, position);
        const bool malformed = point == 0xFFFD && text.substr(start, 3) != "\xEF\xBF\xBD";
        if (malformed || (point < 0xA0 && point != 0x85) || point == 0xFFFE || point == 0xFFFF) {
            throw error_at(location_of(source, start),
                           malformed ? "the text is not UTF-8" : "a control character is not allowed here",
                           malformed ? "Save the file in the encoding UTF-8." : "");
        }
    }
}

AUDYN_INLINE void check_indentation(const Location& place) {
    std::string_view rest = place.source()->text;
    for (int line = 1; line < place.line() && !rest.empty(); ++line) {
        rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    }
    const std::size_t tab = scalar::span_of(rest, [](char c) { return c == ' '; });
    if (tab < rest.size() && rest[tab] == '\t') {
        throw error_at(Location(place.source(), place.line(), static_cast<int>(tab) + 1),
                       "a tab is not allowed here: indent and separate with spaces");
    }
}

AUDYN_INLINE LayoutMistake::LayoutMistake(const std::shared_ptr<const Source>& source, Location place)
    : source_(source), place_(std::move(place)) {
    std::string_view rest = source->text;
    while (!rest.empty() && static_cast<int>(lines_.size()) < place_.line()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        lines_.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    lines_.resize(static_cast<std::size_t>(std::max(place_.line(), 1)));
}

AUDYN_INLINE ConfigError LayoutMistake::explain(const std::string& message, const std::optional<Location>& open_bracket,
                                                const std::vector<std::string>& anchors) const {
    const std::size_t here = lines_.size() - 1;
    const std::size_t above = content_line_before(here);
    if (message.find("flow not found") != std::string::npos && open_bracket) {
        const std::string_view bracket = open_bracket->reads("[") ? "'['" : "'{'";
        return error_at(*open_bracket, concat({"the ", bracket, " is not closed, or a comma is missing after it"}));
    }
    if (message == "illegal map value" || message.ends_with("not found")) {
        if (const auto gap = missing_space(above)) {
            return error_at(location(above, *gap),
                            concat({"a space is missing after the '", lines_[above].substr(*gap - 1, 1), "'"}));
        }
    }
    if (message == "illegal map value") {
        const bool deeper = here > 0 && indent(here) > indent(above) && has_value(above);
        return deeper ? error_at(location(here, indent(here)), "this line is indented deeper than the line above it, "
                                                               "which has a value already")
                      : error_at(place_, "a ':' is not allowed here: quote the text, or put the inner key on a line of "
                                         "its own");
    }
    if (message.ends_with("not found") && above < here && content(above).find('!') != std::string_view::npos &&
        content(above).find_first_of("|>") != std::string_view::npos) {
        return error_at(location(above, indent(above)), "a tag before a block ('|' or '>') is read only after 'key: ': "
                                                        "write the text in quotes");
    }
    if (message.ends_with("not found")) {
        return wrong_indentation(here);
    }
    if (message == "unknown token") {
        return error_at(place_, concat({"a value cannot begin with ", repr(rest_of_line().substr(0, 1)),
                                        ": quote it if it is meant as a text"}));
    }
    if (message == "the referenced anchor is not defined") {
        const std::string_view rest = rest_of_line().substr(std::min<std::size_t>(1, rest_of_line().size()));
        const std::string name(rest.substr(0, rest.find_first_of(" \t,]}:")));
        return error_at(place_,
                        concat({"there is no anchor '&", name, "' before this alias", did_you_mean(name, anchors)}));
    }
    return error_at(place_, message);
}

AUDYN_INLINE Location LayoutMistake::location(std::size_t line, std::size_t column) const {
    return {source_, static_cast<int>(line) + 1, static_cast<int>(column) + 1};
}

AUDYN_INLINE std::size_t LayoutMistake::indent(std::size_t line) const {
    return scalar::span_of(lines_[line], [](char c) { return c == ' '; });
}

AUDYN_INLINE std::string_view LayoutMistake::content(std::size_t line) const {
    const std::string_view text = lines_[line].substr(indent(line));
    return text.substr(0, std::min(text.find(" #"), text.size()));
}

AUDYN_INLINE bool LayoutMistake::is_content(std::size_t line) const {
    return !content(line).empty() && content(line)[0] != '#' && content(line)[0] != '\r';
}

AUDYN_INLINE std::string_view LayoutMistake::rest_of_line() const {
    const std::string_view line = lines_.back();
    return line.substr(std::min(static_cast<std::size_t>(std::max(place_.column() - 1, 0)), line.size()));
}

AUDYN_INLINE std::size_t LayoutMistake::content_line_before(std::size_t line) const {
    for (std::size_t before = line; before-- > 0;) {
        if (is_content(before)) {
            return before;
        }
    }
    return line;
}

AUDYN_INLINE bool LayoutMistake::has_value(std::size_t line) const {
    const std::string_view text = content(line);
    const auto colon = text.find(": ");
    return colon != std::string_view::npos && text.find_first_not_of(' ', colon + 2) != std::string_view::npos;
}

AUDYN_INLINE std::optional<std::size_t> LayoutMistake::missing_space(std::size_t line) const {
    const std::string_view text = content(line);
    const std::size_t start = indent(line);
    if (text.size() > 1 && text[0] == '-' && text[1] != ' ' && text[1] != '-') {
        return start + 1;
    }
    const std::size_t word = scalar::span_of(text, [](char c) {
        return scalar::is_letter(c) || scalar::is_digit(c) || c == '_' || c == '-' || c == '.' || c == '/';
    });
    const bool colon = word > 0 && word + 1 < text.size() && text[word] == ':' && text[word + 1] != ' ';
    const bool is_address = text.substr(word).starts_with("://");
    return colon && !is_address ? std::optional(start + word + 1) : std::nullopt;
}

AUDYN_INLINE ConfigError LayoutMistake::wrong_indentation(std::size_t here) const {
    std::vector<std::size_t> above;
    for (std::size_t line = here; line-- > 0;) {
        if (is_content(line) && (above.empty() || indent(line) < above.back())) {
            above.push_back(indent(line));
        }
    }
    const std::size_t own = indent(here);
    if (above.empty() || std::ranges::find(above, own) != above.end()) {
        return error_at(place_, "this line does not continue what is above it: is it indented as its neighbours are, "
                                "and are a '-' and a ':' where they should be?");
    }
    std::vector<std::string> widths;
    for (const std::size_t width : above) {
        widths.push_back(std::to_string(width));
    }
    return error_at(location(here, own), concat({"this line is indented by ", std::to_string(own),
                                                 " spaces, the lines above it by ", join(widths, " and ")}));
}

AUDYN_INLINE std::size_t skip_properties(std::string_view text, std::size_t position) {
    position = std::min(position, text.size());
    while (position < text.size() && (text[position] == '!' || text[position] == '&')) {
        constexpr std::string_view end = " \n\t,[]{}\"'";
        position +=
            scalar::span_of(text.substr(position), [end](char c) { return end.find(c) == std::string_view::npos; });
        position += scalar::span_of(text.substr(position), [](char c) { return c == ' ' || c == '\n'; });
    }
    return position;
}

AUDYN_INLINE LayoutChecker::LayoutChecker(const std::shared_ptr<const Source>& source,
                                          const std::vector<std::size_t>& positions)
    : source_(source), text_(source->text), positions_(positions) {}

AUDYN_INLINE void LayoutChecker::check_last_quote() const {
    const std::size_t content = positions_.empty() ? text_.size() : skip_properties(positions_.back());
    const bool is_quoted = at(content) == '"' || at(content) == '\'';
    if (is_quoted && (scalar_end(content) > text_.size() || at(scalar_end(content) - 1) != at(content) ||
                      scalar_end(content) == content + 1)) {
        throw error_at(location_of(source_, content), "the quote is not closed");
    }
}

AUDYN_INLINE void LayoutChecker::run() {
    auto next = positions_.begin();
    std::size_t position = 0;
    while (position < text_.size()) {
        while (next != positions_.end() && *next < position) {
            ++next;
        }
        if (next != positions_.end() && *next == position) {
            const std::size_t content = skip_properties(position);
            const std::size_t end = scalar_end(content);
            if (end > content) {
                position = end;
                last_ = '"';
                continue;
            }
            if (flow_depth_ == 0 && (at(content) == '[' || at(content) == '{')) {
                position = content + 1;
                flow_depth_ = 1;
                last_ = '[';
                continue;
            }
        }
        check(position);
        if (is_comment(position)) {
            position = line_end(position);
            continue;
        }
        follow_flow(position);
        ++position;
    }
}

AUDYN_INLINE std::size_t LayoutChecker::line_end(std::size_t position) const {
    return std::min(text_.find('\n', position), text_.size());
}

AUDYN_INLINE bool LayoutChecker::is_comment(std::size_t position) const {
    return at(position) == '#' &&
           (position == 0 || at(position - 1) == ' ' || at(position - 1) == '\n' || at(position - 1) == '\t');
}

AUDYN_INLINE void LayoutChecker::check(std::size_t position) const {
    if (at(position) == '\t') {
        throw error_at(location_of(source_, position), "a tab is not allowed here: indent and separate with spaces");
    }
    const std::string_view rest = text_.substr(position, 3);
    if (rest == "\xE2\x80\xA8" || rest == "\xE2\x80\xA9" || rest.starts_with("\xC2\x85")) {
        throw error_at(location_of(source_, position), "a Unicode line separator is not allowed outside quotes");
    }
}

AUDYN_INLINE void LayoutChecker::follow_flow(std::size_t position) {
    const char character = at(position);
    if (flow_depth_ == 0 || character == ' ' || character == '\n') {
        return;
    }
    if (character == ',' && (last_ == '[' || last_ == '{' || last_ == ',')) {
        throw error_at(location_of(source_, position), "an item is missing before this comma");
    }
    flow_depth_ += character == '[' || character == '{' ? 1 : 0;
    flow_depth_ -= character == ']' || character == '}' ? 1 : 0;
    last_ = character;
}

AUDYN_INLINE std::size_t LayoutChecker::skip_properties(std::size_t position) const {
    return detail::skip_properties(text_, position);
}

AUDYN_INLINE std::size_t LayoutChecker::scalar_end(std::size_t position) const {
    switch (at(position)) {
    case '"':
        for (++position; position < text_.size() && at(position) != '"'; ++position) {
            position += at(position) == '\\' ? 1 : 0;
        }
        return position + 1;
    case '\'':
        for (++position; position < text_.size(); ++position) {
            if (at(position) == '\'' && at(++position) != '\'') {
                return position;
            }
        }
        return position;
    case '|':
    case '>':
        return block_end(position);
    default:
        return position;
    }
}

AUDYN_INLINE std::size_t LayoutChecker::block_end(std::size_t position) const {
    std::size_t line = line_end(position) + 1;
    std::optional<std::size_t> indent;
    for (const char character : text_.substr(position, line - 1 - position)) {
        if (scalar::is_digit(character)) {
            indent = static_cast<std::size_t>(character - '0');
            break;
        }
        if (character == ' ') {
            break;
        }
    }
    while (line < text_.size()) {
        const std::size_t spaces = scalar::span_of(text_.substr(line), [](char c) { return c == ' '; });
        const bool blank = line + spaces >= text_.size() || at(line + spaces) == '\n';
        if (!blank) {
            indent = indent ? indent : std::max<std::size_t>(spaces, 1);
            if (spaces < *indent) {
                return line;
            }
        }
        line = line_end(line) + 1;
    }
    return text_.size();
}

AUDYN_INLINE bool may_lack_items(std::string_view text) {
    char last = ' ';
    for (const char character : text) {
        if (character == ',' && (last == '[' || last == '{' || last == ',')) {
            return true;
        }
        last = character == ' ' || character == '\n' ? last : character;
    }
    return false;
}

AUDYN_INLINE void check_layout(const std::shared_ptr<const Source>& source, const std::vector<std::size_t>& positions) {
    LayoutChecker(source, positions).check_last_quote();
    const std::string_view text = source->text;
    const bool suspicious = text.find('\t') != std::string_view::npos ||
                            text.find("\xE2\x80") != std::string_view::npos ||
                            text.find("\xC2\x85") != std::string_view::npos || may_lack_items(text);
    if (suspicious) {
        LayoutChecker(source, positions).run();
    }
}

AUDYN_INLINE std::optional<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t bits = 0;
    std::size_t count = 0;
    std::size_t padding = 0;
    for (const char character : text) {
        const auto digit = alphabet.find(character);
        if (character == '=') {
            ++padding;
        } else if (digit != std::string_view::npos) {
            bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
            if (++count % 4 != 1) {
                bytes += static_cast<char>(static_cast<unsigned char>((bits >> (2 * (3 - (count - 1) % 4))) & 0xFFU));
            }
        }
    }
    const std::size_t rest = count % 4;
    const bool complete = rest == 0 || (rest == 2 && padding >= 2) || (rest == 3 && padding >= 1);
    return complete ? std::optional<std::string>(bytes) : std::nullopt;
}

} // namespace audyn::config::detail
