#pragma once

#include <audyn/config/location.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <utility>

namespace audyn::config {

AUDYN_INLINE Location::Location(std::shared_ptr<const Source> source, int line, int column)
    : source_(std::move(source)), line_(line), column_(column) {}

AUDYN_INLINE bool Location::reads(std::string_view piece) const {
    return source_ && line_ > 0 && column_ > 0 &&
           line_text().substr(std::min(static_cast<std::size_t>(column_ - 1), line_text().size())).starts_with(piece);
}

AUDYN_INLINE std::string Location::to_string() const {
    if (!source_ || source_->origin == Origin::program) {
        return source_ && !source_->name.empty() ? source_->name : "the program";
    }
    if (source_->origin == Origin::command_line) {
        const std::string_view text = source_->text;
        const std::size_t end = text.size() > longest_line ? boundary(text, longest_line) : text.size();
        return concat({"override '", text.substr(0, end), end < text.size() ? "...'" : "'"});
    }
    const std::string name = source_->origin == Origin::builtin ? concat({"built-in ", source_->name}) : source_->name;
    return line_ > 0 ? concat({name, ":", std::to_string(line_), ":", std::to_string(character_column())}) : name;
}

AUDYN_INLINE std::string Location::excerpt() const {
    if (!source_ || line_ <= 0 || source_->text.empty()) {
        return "";
    }
    const std::string_view line = line_text();
    const auto offset = std::min(static_cast<std::size_t>(std::max(column_ - 1, 0)), line.size());
    std::size_t begin = offset > longest_line / 2 && line.size() > longest_line ? offset - longest_line / 2 : 0;
    begin = boundary(line, begin);
    const std::size_t end = boundary(line, std::min(line.size(), begin + longest_line));
    const std::string_view before = begin > 0 ? "..." : "";
    return concat({"    ", before, visible(line.substr(begin, end - begin)), end < line.size() ? "..." : "", "\n    ",
                   begin > 0 ? "   " : "", caret_padding(line.substr(begin, offset - begin)), "^"});
}

AUDYN_INLINE int Location::character_column() const {
    const std::string_view before = line_text().substr(0, static_cast<std::size_t>(std::max(column_ - 1, 0)));
    const auto inner =
        std::ranges::count_if(before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; });
    return column_ - static_cast<int>(inner);
}

AUDYN_INLINE std::string_view Location::line_text() const {
    std::string_view rest = source_->text;
    if (rest.starts_with("\xEF\xBB\xBF")) {
        rest.remove_prefix(3);
    }
    for (int skipped = 1; skipped < line_; ++skipped) {
        const auto end = rest.find('\n');
        if (end == std::string_view::npos) {
            return {};
        }
        rest.remove_prefix(end + 1);
    }
    rest = rest.substr(0, rest.find('\n'));
    return rest.ends_with('\r') ? rest.substr(0, rest.size() - 1) : rest;
}

AUDYN_INLINE std::string Location::caret_padding(std::string_view before) {
    std::string padding;
    for (const char character : before) {
        if ((static_cast<unsigned char>(character) & 0xC0U) != 0x80U) {
            padding += character == '\t' ? '\t' : ' ';
        }
    }
    return padding;
}

AUDYN_INLINE std::size_t Location::boundary(std::string_view line, std::size_t position) {
    while (position < line.size() && (static_cast<unsigned char>(line[position]) & 0xC0U) == 0x80U) {
        ++position;
    }
    return position;
}

AUDYN_INLINE std::string Location::visible(std::string_view line) {
    std::string shown;
    for (std::size_t position = 0; position < line.size();) {
        const std::size_t start = position;
        const char32_t point = next_code_point(line, position);
        const bool control = (point < 0x20 && point != U'\t') || (point >= 0x7F && point < 0xA0);
        const bool malformed = point == 0xFFFD && position == start + 1;
        shown += control || malformed ? "?" : line.substr(start, position - start);
    }
    return shown;
}

AUDYN_INLINE std::string Location::chain() const {
    constexpr int most = 8;
    std::string text;
    const Source* source = source_.get();
    for (int step = 0; source != nullptr && source->inclusion != nullptr; ++step) {
        const Inclusion& inclusion = *source->inclusion;
        if (step == most) {
            return text + "\n  ...";
        }
        if (inclusion.chosen.is_override()) {
            text += concat({"\n  asked for by ", inclusion.chosen.to_string()});
        } else if (inclusion.chosen.is_known()) {
            text += concat({"\n  chosen by the 'override' at ", inclusion.chosen.to_string()});
        }
        if (inclusion.listed.is_known() && !inclusion.listed.is_builtin()) {
            text += concat({"\n  in the defaults list of ", inclusion.listed.to_string()});
        }
        source = inclusion.listed.source().get();
    }
    return text.empty() ? text : text.substr(1);
}

} // namespace audyn::config
