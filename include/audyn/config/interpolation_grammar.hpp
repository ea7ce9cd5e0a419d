#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/tokens.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The language of interpolations: `${a.b}`, `${..a[0]}`, `${resolver:argument, [list], {key: value}}`, any of them in
/// a text.
namespace audyn::config::grammar {

/// What a parsed text means.
struct Expression {
    enum class Type {
        literal,       ///< `value`
        concatenation, ///< `parts` one after another, as one string
        reference,     ///< `${path}`: the parts give the path
        call,          ///< `${name:arguments}`: the parts give the name, `children` the arguments
        list,          ///< `children`
        dict           ///< `children`: key, value, key, value, ...
    };
    /// Fixed text, or one nested expression.
    struct Part {
        std::string text;
        std::vector<Expression> nested;
    };

    Type type = Type::literal;
    Value value;
    std::vector<Part> parts;
    std::vector<Expression> children;
    std::string source;            ///< the text of an interpolation, for error messages
    bool missing_elements = false; ///< a list of arguments has empty places, as in `${f:a,,b}`
};

/// Cuts a text into tokens. The kind of token depends on where it stands: outside, inside `${`, in arguments, in
/// quotes.
class InterpolationLexer {
public:
    enum class Mode { top, value, interpolation, single_quoted, double_quoted };

    InterpolationLexer(std::string_view text, Mode first) : text_(text), modes_{first} {}

    [[nodiscard]] std::vector<Token> run();

private:
    [[nodiscard]] std::string_view rest() const { return text_.substr(position_); }
    [[nodiscard]] std::size_t character_length() const;

    /// Plain text up to the next `$` (or quote), escapes before it, and what opens an interpolation.
    void offer_text(LongestToken& longest, char quote) const;

    void offer_value(LongestToken& longest) const;

    void offer_interpolation(LongestToken& longest) const;

    void change_mode(const Token& token, Mode mode);

    void push(Mode mode);

    std::string_view text_;
    std::size_t position_ = 0;
    std::vector<Mode> modes_;
};

/// Builds the meaning of a text from its tokens.
class InterpolationParser {
public:
    InterpolationParser(std::string_view text, InterpolationLexer::Mode mode);

    /// A whole text with interpolations in it.
    [[nodiscard]] Expression parse_text();

    /// One argument-like element, as `oc.decode` reads it.
    [[nodiscard]] Expression parse_element();

private:
    [[nodiscard]] const Token& peek() const { return tokens_[next_]; }
    [[nodiscard]] bool at(TokenType type) const { return peek().type == type; }

    const Token& take() { return tokens_[next_ < tokens_.size() - 1 ? next_++ : next_]; }

    bool accept(TokenType type);

    void expect(TokenType type);

    [[noreturn]] void fail() const;

    /// Text and interpolations up to `stop`. A single interpolation keeps its value's type.
    Expression text(TokenType stop);

    static void unescape(const Token& token, std::string& text, bool halve_backslashes);

    Expression interpolation();

    /// `name` or `[name]`; true when it may be a part of a resolver's name.
    bool key(Expression& result);

    bool plain_key(Expression& result);

    /// Elements between commas; an empty place is an empty string.
    std::vector<Expression> sequence(TokenType stop, bool& missing_elements);

    static Expression empty_text();

    Expression element();

    Expression dict();

    /// Always a string, even around a single interpolation.
    Expression quoted_text();

    [[nodiscard]] bool at_primitive(bool value) const;

    /// Words, numbers, interpolations side by side. A key of a dictionary has neither `:` nor `${`.
    Expression primitive(bool value);

    std::string_view text_;
    std::vector<Token> tokens_;
    std::size_t next_ = 0;
    int depth_ = 0;
};

/// Parses a text that contains `${`. Throws `SyntaxError`.
[[nodiscard]] inline Expression parse_interpolation(std::string_view text) {
    return InterpolationParser(text, InterpolationLexer::Mode::top).parse_text();
}

/// Parses one element: a number, word, list, dictionary or interpolation. Throws `SyntaxError`.
[[nodiscard]] inline Expression parse_element(std::string_view text) {
    return InterpolationParser(text, InterpolationLexer::Mode::value).parse_element();
}

/// What is wrong with a text that contains `${`; nothing when it is right.
[[nodiscard]] AUDYN_INLINE std::optional<SyntaxError> check(std::string_view text);

/// The place of a mistake in a text that begins at `begin`; `begin` itself where the source has it in another form.
[[nodiscard]] AUDYN_INLINE Location place_of(const SyntaxError& error, std::string_view text, const Location& begin);

} // namespace audyn::config::grammar

#ifndef AUDYN_COMPILED
#    include <audyn/config/interpolation_grammar.ipp>
#endif
