#pragma once

#include <audyn/config/text.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace audyn::config {

/// What kind of text a value was written in.
enum class Origin {
    program,     ///< set by the program itself
    builtin,     ///< a built-in group, compiled into the program
    file,        ///< a file below a configuration folder
    command_line ///< an override such as `optimizer.lr=1e-3`
};

struct Inclusion;

/// One text that values come from: a file, a built-in group, an override.
struct Source {
    Origin origin = Origin::program;
    std::string name; ///< path of the file or group; empty for an override, whose text says it all
    std::string text; ///< the whole text, for showing the line of a mistake
    std::shared_ptr<const Inclusion> inclusion = nullptr; ///< why the file is part of the configuration
};

/// Where a value was written. Cheap to copy: the text is shared by all values of a file.
class Location {
public:
    Location() = default;

    /// `line` and `column` count from 1; the column counts bytes.
    Location(std::shared_ptr<const Source> source, int line, int column)
        : source_(std::move(source)), line_(line), column_(column) {}

    [[nodiscard]] bool is_known() const { return source_ != nullptr; }
    [[nodiscard]] bool is_builtin() const { return source_ && source_->origin == Origin::builtin; }
    [[nodiscard]] bool is_file() const { return source_ && source_->origin == Origin::file; }
    [[nodiscard]] bool is_override() const { return source_ && source_->origin == Origin::command_line; }

    [[nodiscard]] const std::shared_ptr<const Source>& source() const { return source_; }
    [[nodiscard]] int line() const { return line_; }
    [[nodiscard]] int column() const { return column_; }
    /// The same text at another column of the same line.
    [[nodiscard]] Location at_column(int column) const { return {source_, line_, column}; }

    /// True when the text continues with this piece at this place.
    [[nodiscard]] bool reads(std::string_view piece) const {
        return source_ && line_ > 0 && column_ > 0 &&
               line_text()
                   .substr(std::min(static_cast<std::size_t>(column_ - 1), line_text().size()))
                   .starts_with(piece);
    }

    /// For messages, the column in characters: `conf/train.yaml:3:5`, `built-in train/default.yaml:3:5`, `override
    /// 'train.steps.epochs=3'` or `the program`.
    [[nodiscard]] std::string to_string() const {
        if (!source_ || source_->origin == Origin::program) {
            return source_ && !source_->name.empty() ? source_->name : "the program";
        }
        if (source_->origin == Origin::command_line) {
            const std::string_view text = source_->text;
            const std::size_t end = text.size() > longest_line ? boundary(text, longest_line) : text.size();
            return concat({"override '", text.substr(0, end), end < text.size() ? "...'" : "'"});
        }
        const std::string name =
            source_->origin == Origin::builtin ? concat({"built-in ", source_->name}) : source_->name;
        return line_ > 0 ? concat({name, ":", std::to_string(line_), ":", std::to_string(character_column())}) : name;
    }

    /// The line of the text and a caret below the column, each indented and ended by no newline; empty when unknown. Of
    /// a long line only the part around the column is shown.
    [[nodiscard]] std::string excerpt() const {
        if (!source_ || line_ <= 0 || source_->text.empty()) {
            return "";
        }
        const std::string_view line = line_text();
        const auto offset = std::min(static_cast<std::size_t>(std::max(column_ - 1, 0)), line.size());
        std::size_t begin = offset > longest_line / 2 && line.size() > longest_line ? offset - longest_line / 2 : 0;
        begin = boundary(line, begin);
        const std::size_t end = boundary(line, std::min(line.size(), begin + longest_line));
        const std::string_view before = begin > 0 ? "..." : "";
        return concat({"    ", before, visible(line.substr(begin, end - begin)), end < line.size() ? "..." : "",
                       "\n    ", begin > 0 ? "   " : "", caret_padding(line.substr(begin, offset - begin)), "^"});
    }

    /// How it came that the text is read, a line for each step from inside out; empty where that needs no telling.
    [[nodiscard]] std::string chain() const;

private:
    /// The column as an editor counts it, by characters.
    [[nodiscard]] int character_column() const {
        const std::string_view before = line_text().substr(0, static_cast<std::size_t>(std::max(column_ - 1, 0)));
        const auto inner =
            std::ranges::count_if(before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; });
        return column_ - static_cast<int>(inner);
    }

    [[nodiscard]] std::string_view line_text() const {
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

    /// Tabs stay tabs in the padding, and a multi-byte character takes one place, so that the caret stands below its
    /// character.
    static std::string caret_padding(std::string_view before) {
        std::string padding;
        for (const char character : before) {
            if ((static_cast<unsigned char>(character) & 0xC0U) != 0x80U) {
                padding += character == '\t' ? '\t' : ' ';
            }
        }
        return padding;
    }

    /// The first position from `position` on at which a character begins.
    static std::size_t boundary(std::string_view line, std::size_t position) {
        while (position < line.size() && (static_cast<unsigned char>(line[position]) & 0xC0U) == 0x80U) {
            ++position;
        }
        return position;
    }

    /// Control characters and bytes that are no UTF-8 would disturb a terminal.
    static std::string visible(std::string_view line) {
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

    static constexpr std::size_t longest_line = 160;

    std::shared_ptr<const Source> source_;
    int line_ = 0;
    int column_ = 0;
};

/// Why a file is part of a configuration. What holds for the file that lists it stands in that file's own source.
struct Inclusion {
    Location listed; ///< the item of a defaults list; unknown for `+group=option`
    Location chosen; ///< what chose the option instead: an override, or an `override` item of another list
};

inline std::string Location::chain() const {
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
