#pragma once

#include <audyn/config/scalar.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::config {

namespace detail {

/// Text as code points: widths and styles are decided by characters.
using Points = std::vector<char32_t>;

[[nodiscard]] AUDYN_INLINE Points code_points(std::string_view text);

[[nodiscard]] constexpr bool is_break(char32_t c) {
    return c == U'\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/// Which styles a text can be written in.
struct ScalarStyles {
    bool multiline = false;
    bool plain = true;
    bool single_quoted = true;
};

[[nodiscard]] constexpr bool is_space_or_break(char32_t c) {
    return c == 0 || c == U' ' || c == U'\t' || c == U'\r' || is_break(c);
}

/// The characters that may stand unescaped.
[[nodiscard]] constexpr bool is_printable(char32_t c) {
    const bool ascii = c == U'\n' || (c >= 0x20 && c <= 0x7E);
    const bool wide =
        c == 0x85 || (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c < 0x10FFFF);
    return ascii || (wide && c != 0xFEFF);
}

/// Indicators of YAML that would change the meaning of a plain scalar outside `[]` and `{}`.
[[nodiscard]] AUDYN_INLINE bool has_indicator(const Points& text);

[[nodiscard]] AUDYN_INLINE ScalarStyles styles_of(const Points& text);

/// True when Python's `int` or `float` would read the text, or YAML as a boolean: OmegaConf quotes those.
[[nodiscard]] AUDYN_INLINE bool reads_as_number_or_boolean(std::string_view text);

/// `YYYY-MM-DD` and longer forms, which YAML 1.1 reads as dates.
[[nodiscard]] AUDYN_INLINE bool reads_as_timestamp(std::string_view text);

[[nodiscard]] AUDYN_INLINE std::string encode_base64(std::string_view bytes);

/// Writes block style as PyYAML does with OmegaConf's settings: two spaces, 80 columns, lists not indented below their
/// key.
class YamlEmitter {
public:
    std::string run(const Value& value);

private:
    static constexpr std::size_t width = 80;

    void write(std::string_view text);
    void new_line(std::size_t indent);

    /// The cursor stands where the first entry begins; later entries go on lines of their own at `indent`.
    void container(const Value& value, std::size_t indent);

    void item(const Value& child, std::size_t indent);

    /// Whether it is a simple key, that is without "? ".
    bool key(const Value& name, std::size_t indent);

    /// PyYAML counts the length of the tag into that of the key.
    static std::size_t tag_length(const Value& name) { return name.is_string() ? 5 : 0; }

    void member(const Value& child, std::size_t indent, bool after_simple_key);

    void scalar_value(const Value& value, std::size_t indent, bool simple_key);

    static std::string number(double value);

    /// A block, as PyYAML writes all bytes.
    void binary(std::string_view bytes, std::size_t indent);

    /// For all places but after a simple key: yaml-cpp reads no block that has a tag there.
    static std::string binary_on_a_line(std::string_view bytes);

    void text(const std::string& content, std::size_t indent, bool simple_key);

    void write_points(const Points& text, std::size_t start, std::size_t end);

    /// Plain and single-quoted text: broken at single spaces beyond column 80; a line break is written as one more line
    /// break.
    void folded(const Points& text, std::size_t indent, bool split, bool single_quoted);

    static std::string escape(char32_t c);

    void double_quoted(const Points& text, std::size_t indent, bool split);

    std::string out_;
    std::size_t column_ = 0;
};

} // namespace detail

/// Prints a tree as OmegaConf's `to_yaml` does: block style, keys in order, strings quoted where YAML would read
/// something else.
[[nodiscard]] inline std::string emit_yaml(const Value& value) {
    return detail::YamlEmitter().run(value);
}

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/emit.ipp>
#endif
