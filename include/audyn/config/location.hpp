#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

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
    Location(std::shared_ptr<const Source> source, int line, int column);

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
    [[nodiscard]] bool reads(std::string_view piece) const;

    /// For messages, the column in characters: `conf/train.yaml:3:5`, `built-in train/default.yaml:3:5`, `override
    /// 'train.steps.epochs=3'` or `the program`.
    [[nodiscard]] std::string to_string() const;

    /// The line of the text and a caret below the column, each indented and ended by no newline; empty when unknown. Of
    /// a long line only the part around the column is shown.
    [[nodiscard]] std::string excerpt() const;

    /// How it came that the text is read, a line for each step from inside out; empty where that needs no telling.
    [[nodiscard]] std::string chain() const;

private:
    /// The column as an editor counts it, by characters.
    [[nodiscard]] int character_column() const;

    [[nodiscard]] std::string_view line_text() const;

    /// Tabs stay tabs in the padding, and a multi-byte character takes one place, so that the caret stands below its
    /// character.
    static std::string caret_padding(std::string_view before);

    /// The first position from `position` on at which a character begins.
    static std::size_t boundary(std::string_view line, std::size_t position);

    /// Control characters and bytes that are no UTF-8 would disturb a terminal.
    static std::string visible(std::string_view line);

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

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/location.ipp>
#endif
