#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/scalar.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What PyYAML refuses and yaml-cpp does not notice.
namespace audyn::config::detail {

/// Line and column, from 1, of a position in the text.
[[nodiscard]] AUDYN_INLINE Location location_of(const std::shared_ptr<const Source>& source, std::size_t position);

/// Malformed UTF-8, characters that YAML forbids, and texts that would take too much memory.
AUDYN_INLINE void check_characters(const std::shared_ptr<const Source>& source);

/// A tab in the indentation of a line that the scanner refused is the mistake itself.
AUDYN_INLINE void check_indentation(const Location& place);

/// Finds what the user did wrong where yaml-cpp refuses a text: its own words tell what its scanner missed.
class LayoutMistake {
public:
    /// `place` is where the scanner stopped.
    LayoutMistake(const std::shared_ptr<const Source>& source, Location place);

    /// `open_bracket` is the innermost `[` or `{` that is not closed, `anchors` the names that an alias may have.
    [[nodiscard]] ConfigError explain(const std::string& message, const std::optional<Location>& open_bracket,
                                      const std::vector<std::string>& anchors) const;

private:
    [[nodiscard]] Location location(std::size_t line, std::size_t column) const;
    [[nodiscard]] std::size_t indent(std::size_t line) const;
    [[nodiscard]] std::string_view content(std::size_t line) const;
    [[nodiscard]] bool is_content(std::size_t line) const;
    [[nodiscard]] std::string_view rest_of_line() const;
    /// The line itself when there is none before it.
    [[nodiscard]] std::size_t content_line_before(std::size_t line) const;
    /// `key: value` or `- value`.
    [[nodiscard]] bool has_value(std::size_t line) const;

    /// The column at which `key:value` or `-value` lacks a space.
    [[nodiscard]] std::optional<std::size_t> missing_space(std::size_t line) const;

    [[nodiscard]] ConfigError wrong_indentation(std::size_t here) const;

    const std::shared_ptr<const Source>& source_;
    Location place_;
    std::vector<std::string_view> lines_; ///< up to the place
};

/// The position past `!tag`, `&anchor` and the blanks after them.
[[nodiscard]] AUDYN_INLINE std::size_t skip_properties(std::string_view text, std::size_t position);

/// Walks over a text next to the scanner: knows quoted scalars, block scalars and comments.
class LayoutChecker {
public:
    LayoutChecker(const std::shared_ptr<const Source>& source, const std::vector<std::size_t>& positions);

    /// A quote that is not closed takes the rest of the text, so it can only be the last one.
    void check_last_quote() const;

    void run();

private:
    [[nodiscard]] char at(std::size_t position) const { return position < text_.size() ? text_[position] : '\0'; }
    [[nodiscard]] std::size_t line_end(std::size_t position) const;

    [[nodiscard]] bool is_comment(std::size_t position) const;

    void check(std::size_t position) const;

    /// Inside `[...]` and `{...}`: every comma must follow an item.
    void follow_flow(std::size_t position);

    [[nodiscard]] std::size_t skip_properties(std::size_t position) const;

    /// The end of the quoted or block scalar that begins here; the same position when it is a plain one.
    [[nodiscard]] std::size_t scalar_end(std::size_t position) const;

    [[nodiscard]] std::size_t block_end(std::size_t position) const;

    const std::shared_ptr<const Source>& source_;
    std::string_view text_;
    const std::vector<std::size_t>& positions_;
    int flow_depth_ = 0;
    char last_ = ' '; ///< the last character in a flow collection that is no blank
};

/// True when a comma stands where an item should: after `[`, `{` or another comma. Also true for such text in quotes.
[[nodiscard]] AUDYN_INLINE bool may_lack_items(std::string_view text);

AUDYN_INLINE void check_layout(const std::shared_ptr<const Source>& source, const std::vector<std::size_t>& positions);

/// Bytes of a base64 text; characters outside the alphabet are skipped, as Python does; nothing when the padding is
/// wrong.
[[nodiscard]] AUDYN_INLINE std::optional<std::string> decode_base64(std::string_view text);

} // namespace audyn::config::detail

#ifndef AUDYN_COMPILED
#    include <audyn/config/yaml_checks.ipp>
#endif
