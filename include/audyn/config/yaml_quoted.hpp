#pragma once

#include <audyn/config/scalar.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace audyn::config::detail {

/// Reads quoted scalars as PyYAML does where yaml-cpp does not: over several lines it loses empty lines at the end and
/// does not know Unicode's line separators; of the escapes `\N` and `\_` it makes single bytes instead of UTF-8.
class QuotedScalar {
public:
    /// `text` from the opening quote on; it goes on after the closing one.
    explicit QuotedScalar(std::string_view text) : text_(text), quote_(text.empty() ? '\0' : text[0]) {}

    /// Nothing when the scalar is not quoted or not closed, has an unknown escape, or yaml-cpp reads it well.
    [[nodiscard]] std::optional<std::string> read();

private:
    [[nodiscard]] char at(std::size_t position) const { return position < text_.size() ? text_[position] : '\0'; }

    /// Bytes of the line break at this place; 0 when there is none.
    [[nodiscard]] std::size_t break_length() const;

    /// What a break stands for: itself for Unicode's separators, else a line feed.
    std::string take_break();

    /// Empty lines, and the blanks that the next one begins with.
    std::string take_breaks();

    /// Blanks and line breaks; false when there are none.
    bool read_spaces();

    bool read_character();

    bool read_escape();

    std::string_view text_;
    char quote_;
    std::size_t position_ = 0;
    std::string result_;
    bool is_needed_ = false;
};

} // namespace audyn::config::detail

#ifndef AUDYN_COMPILED
#    include <audyn/config/yaml_quoted.ipp>
#endif
