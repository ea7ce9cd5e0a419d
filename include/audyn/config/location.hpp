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

/// One text that values come from: a file, a built-in group, an override.
struct Source {
    Origin origin = Origin::program;
    std::string name; ///< path of the file or group; empty for an override, whose text says it all
    std::string text; ///< the whole text, for showing the line of a mistake
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

    /// For messages, the column in characters: `conf/train.yaml:3:5`, `built-in train/default.yaml:3:5`, `override
    /// 'train.steps.epochs=3'` or `the program`.
    [[nodiscard]] std::string to_string() const {
        if (!source_ || source_->origin == Origin::program) {
            return source_ && !source_->name.empty() ? source_->name : "the program";
        }
        if (source_->origin == Origin::command_line) {
            return concat({"override '", source_->text, "'"});
        }
        const std::string name =
            source_->origin == Origin::builtin ? concat({"built-in ", source_->name}) : source_->name;
        return line_ > 0 ? concat({name, ":", std::to_string(line_), ":", std::to_string(character_column())}) : name;
    }

    /// The line of the text and a caret below the column, each indented and ended by no newline; empty when unknown.
    [[nodiscard]] std::string excerpt() const {
        if (!source_ || line_ <= 0 || source_->text.empty()) {
            return "";
        }
        const std::string_view line = line_text();
        const auto offset = std::min(static_cast<std::size_t>(std::max(column_ - 1, 0)), line.size());
        return concat({"    ", visible(line), "\n    ", caret_padding(line.substr(0, offset)), "^"});
    }

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

    /// Control characters would disturb a terminal.
    static std::string visible(std::string_view line) {
        std::string shown(line);
        std::ranges::replace_if(
            shown, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; }, '?');
        return shown;
    }

    std::shared_ptr<const Source> source_;
    int line_ = 0;
    int column_ = 0;
};

} // namespace audyn::config
