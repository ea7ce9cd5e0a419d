#pragma once

#include <audyn/config/interpolation_grammar.hpp>
#include <audyn/core/inline.hpp>

#include <utility>

namespace audyn::config::grammar {

AUDYN_INLINE std::vector<Token> InterpolationLexer::run() {
    if (text_.size() > limits::expression) {
        throw SyntaxError{concat({"longer than ", std::to_string(limits::expression), " bytes"}), 0};
    }
    std::vector<Token> tokens;
    while (position_ < text_.size()) {
        const Mode mode = modes_.back();
        LongestToken longest;
        switch (mode) {
        case Mode::top:
            offer_text(longest, '\0');
            break;
        case Mode::single_quoted:
            offer_text(longest, '\'');
            break;
        case Mode::double_quoted:
            offer_text(longest, '"');
            break;
        case Mode::value:
            offer_value(longest);
            break;
        case Mode::interpolation:
            offer_interpolation(longest);
            break;
        }
        if (!longest.found()) {
            throw SyntaxError{concat({"unexpected ", repr(rest().substr(0, character_length()))}), position_};
        }
        tokens.push_back({longest.type(), rest().substr(0, longest.length()), position_});
        change_mode(tokens.back(), mode);
        position_ += longest.length();
    }
    tokens.push_back({TokenType::end, {}, position_});
    return tokens;
}

AUDYN_INLINE std::size_t InterpolationLexer::character_length() const {
    std::size_t position = position_;
    static_cast<void>(next_code_point(text_, position));
    return position - position_;
}

AUDYN_INLINE void InterpolationLexer::offer_text(LongestToken& longest, char quote) const {
    const std::string_view text = rest();
    if (text.starts_with("${")) {
        longest.offer(TokenType::interpolation_open, 2 + scalar::span_of(text.substr(2), is_blank));
    }
    if (quote != '\0' && text[0] == quote) {
        longest.offer(TokenType::quote_close, 1);
    }
    std::size_t plain = scalar::span_of(text, [quote](char c) { return c != '$' && (quote == '\0' || c != quote); });
    const std::size_t slashes = scalar::span_of(text, [](char c) { return c == '\\'; });
    while (plain > 0 && text[plain - 1] == '\\') {
        --plain;
    }
    longest.offer(TokenType::any_text, plain);
    if (slashes % 2 == 1 && text.substr(slashes).starts_with("${")) {
        longest.offer(TokenType::escaped_interpolation, slashes + 2);
    }
    if (quote != '\0' && slashes % 2 == 1 && slashes < text.size() && text[slashes] == quote) {
        longest.offer(TokenType::escape, slashes + 1);
    }
    longest.offer(TokenType::backslashes, slashes - slashes % 2);
    longest.offer(TokenType::any_text, slashes);
    longest.offer(TokenType::any_text, text[0] == '$' ? 1 : 0);
}

AUDYN_INLINE void InterpolationLexer::offer_value(LongestToken& longest) const {
    const std::string_view text = rest();
    if (text.starts_with("${")) {
        longest.offer(TokenType::interpolation_open, 2 + scalar::span_of(text.substr(2), is_blank));
    }
    offer_structure(text, longest, TokenType::brace_open, '{', false, true);
    offer_structure(text, longest, TokenType::brace_close, '}', true, false);
    offer_structure(text, longest, TokenType::quote_open, '\'', false, false);
    offer_structure(text, longest, TokenType::quote_open, '"', false, false);
    offer_structure(text, longest, TokenType::comma, ',', true, true);
    offer_structure(text, longest, TokenType::bracket_open, '[', false, true);
    offer_structure(text, longest, TokenType::bracket_close, ']', true, false);
    offer_structure(text, longest, TokenType::colon, ':', true, true);
    offer_primitives(text, longest);
}

AUDYN_INLINE void InterpolationLexer::offer_interpolation(LongestToken& longest) const {
    const std::string_view text = rest();
    if (text.starts_with("${")) {
        longest.offer(TokenType::interpolation_open, 2 + scalar::span_of(text.substr(2), is_blank));
    }
    offer_structure(text, longest, TokenType::colon, ':', true, true);
    offer_structure(text, longest, TokenType::interpolation_close, '}', true, false);
    offer_structure(text, longest, TokenType::dot, '.', false, false);
    offer_structure(text, longest, TokenType::bracket_open, '[', false, false);
    offer_structure(text, longest, TokenType::bracket_close, ']', false, false);
    longest.offer(TokenType::identifier, identifier_length(text));
    constexpr std::string_view special = "\\{}()[]:. \t'\"";
    longest.offer(TokenType::interpolation_key,
                  scalar::span_of(text, [special](char c) { return special.find(c) == std::string_view::npos; }));
}

AUDYN_INLINE void InterpolationLexer::change_mode(const Token& token, Mode mode) {
    if (token.type == TokenType::interpolation_open) {
        push(Mode::interpolation);
    } else if (token.type == TokenType::brace_open) {
        push(Mode::value);
    } else if (token.type == TokenType::quote_open) {
        push(token.text[0] == '"' ? Mode::double_quoted : Mode::single_quoted);
    } else if (token.type == TokenType::brace_close || token.type == TokenType::interpolation_close ||
               token.type == TokenType::quote_close) {
        if (modes_.size() == 1) {
            throw SyntaxError{concat({"unexpected ", repr(token.text)}), token.position};
        }
        modes_.pop_back();
    } else if (token.type == TokenType::colon && mode == Mode::interpolation) {
        modes_.back() = Mode::value;
    }
}

AUDYN_INLINE void InterpolationLexer::push(Mode mode) {
    if (modes_.size() > static_cast<std::size_t>(limits::depth)) {
        throw SyntaxError{"nested too deeply", position_};
    }
    modes_.push_back(mode);
}

AUDYN_INLINE InterpolationParser::InterpolationParser(std::string_view text, InterpolationLexer::Mode mode)
    : text_(text), tokens_(InterpolationLexer(text, mode).run()) {}

AUDYN_INLINE Expression InterpolationParser::parse_text() {
    Expression result = text(TokenType::end);
    expect(TokenType::end);
    return result;
}

AUDYN_INLINE Expression InterpolationParser::parse_element() {
    Expression result = element();
    expect(TokenType::end);
    return result;
}

AUDYN_INLINE bool InterpolationParser::accept(TokenType type) {
    if (!at(type)) {
        return false;
    }
    take();
    return true;
}

AUDYN_INLINE void InterpolationParser::expect(TokenType type) {
    if (!accept(type)) {
        fail();
    }
}

AUDYN_INLINE void InterpolationParser::fail() const {
    if (at(TokenType::end)) {
        throw SyntaxError{"it ends too early; is a '}', ']' or quote missing?", peek().position};
    }
    throw SyntaxError{concat({"unexpected ", repr(peek().text)}), peek().position};
}

AUDYN_INLINE Expression InterpolationParser::text(TokenType stop) {
    Expression result;
    result.type = Expression::Type::concatenation;
    std::vector<Token> tokens;
    std::size_t interpolations = 0;
    while (!at(stop) && !at(TokenType::end)) {
        if (at(TokenType::interpolation_open)) {
            tokens.push_back(peek());
            result.parts.push_back({"", {interpolation()}});
            ++interpolations;
        } else if (at(TokenType::any_text) || at(TokenType::escape) || at(TokenType::escaped_interpolation) ||
                   at(TokenType::backslashes)) {
            tokens.push_back(peek());
            result.parts.push_back({std::string(take().text), {}});
        } else {
            fail();
        }
    }
    if (result.parts.empty()) {
        fail();
    }
    if (result.parts.size() == 1 && interpolations == 1) {
        return std::move(result.parts[0].nested[0]);
    }
    for (std::size_t index = 0; index < tokens.size(); ++index) {
        const bool last = index + 1 == tokens.size();
        const bool before_interpolation = !last && tokens[index + 1].type == TokenType::interpolation_open;
        const bool ends_quoted = last && stop == TokenType::quote_close;
        unescape(tokens[index], result.parts[index].text, before_interpolation || ends_quoted);
    }
    return result;
}

AUDYN_INLINE void InterpolationParser::unescape(const Token& token, std::string& text, bool halve_backslashes) {
    if (token.type == TokenType::escaped_interpolation) {
        text = text.substr(text.size() - (text.size() / 2 + 1));
    } else if (token.type == TokenType::escape || (token.type == TokenType::backslashes && halve_backslashes)) {
        text = unescaped(text);
    }
}

AUDYN_INLINE Expression InterpolationParser::interpolation() {
    const std::size_t begin = peek().position;
    expect(TokenType::interpolation_open);
    Expression result;
    result.type = Expression::Type::reference;
    bool only_name = !at(TokenType::dot);
    while (at(TokenType::dot)) {
        result.parts.push_back({std::string(take().text), {}});
    }
    only_name = key(result) && only_name;
    while (!at(TokenType::interpolation_close) && !(only_name && at(TokenType::colon))) {
        if (accept(TokenType::dot)) {
            result.parts.push_back({".", {}});
            only_name = plain_key(result) && only_name;
        } else if (at(TokenType::bracket_open)) {
            only_name = false;
            key(result);
        } else {
            fail();
        }
    }
    if (accept(TokenType::colon)) {
        result.type = Expression::Type::call;
        if (!at(TokenType::brace_close)) {
            result.children = sequence(TokenType::brace_close, result.missing_elements);
        }
        expect(TokenType::brace_close);
    } else {
        expect(TokenType::interpolation_close);
    }
    result.source = text_.substr(begin, peek().position - begin);
    return result;
}

AUDYN_INLINE bool InterpolationParser::key(Expression& result) {
    if (!accept(TokenType::bracket_open)) {
        return plain_key(result);
    }
    result.parts.push_back({"[", {}});
    plain_key(result);
    expect(TokenType::bracket_close);
    result.parts.push_back({"]", {}});
    return false;
}

AUDYN_INLINE bool InterpolationParser::plain_key(Expression& result) {
    if (at(TokenType::interpolation_open)) {
        result.parts.push_back({"", {interpolation()}});
        return true;
    }
    const bool identifier = at(TokenType::identifier);
    if (!identifier && !at(TokenType::interpolation_key)) {
        fail();
    }
    result.parts.push_back({std::string(take().text), {}});
    return identifier;
}

AUDYN_INLINE std::vector<Expression> InterpolationParser::sequence(TokenType stop, bool& missing_elements) {
    std::vector<Expression> elements;
    bool wants_element = true;
    while (!at(stop)) {
        if (accept(TokenType::comma)) {
            if (wants_element) {
                elements.push_back(empty_text());
                missing_elements = true;
            }
            wants_element = true;
        } else if (wants_element) {
            elements.push_back(element());
            wants_element = false;
        } else {
            fail();
        }
    }
    if (wants_element) {
        elements.push_back(empty_text());
        missing_elements = true;
    }
    return elements;
}

AUDYN_INLINE Expression InterpolationParser::empty_text() {
    Expression result;
    result.value = Value("");
    return result;
}

AUDYN_INLINE Expression InterpolationParser::element() {
    if (++depth_ > limits::depth) {
        throw SyntaxError{"nested too deeply", peek().position};
    }
    Expression result;
    if (at(TokenType::quote_open)) {
        result = quoted_text();
    } else if (accept(TokenType::bracket_open)) {
        result.type = Expression::Type::list;
        if (!at(TokenType::bracket_close)) {
            result.children = sequence(TokenType::bracket_close, result.missing_elements);
        }
        expect(TokenType::bracket_close);
    } else if (accept(TokenType::brace_open)) {
        result = dict();
    } else {
        result = primitive(true);
    }
    --depth_;
    return result;
}

AUDYN_INLINE Expression InterpolationParser::dict() {
    Expression result;
    result.type = Expression::Type::dict;
    if (!at(TokenType::brace_close)) {
        do {
            result.children.push_back(primitive(false));
            expect(TokenType::colon);
            result.children.push_back(element());
        } while (accept(TokenType::comma));
    }
    expect(TokenType::brace_close);
    return result;
}

AUDYN_INLINE Expression InterpolationParser::quoted_text() {
    take();
    if (accept(TokenType::quote_close)) {
        return empty_text();
    }
    Expression inner = text(TokenType::quote_close);
    expect(TokenType::quote_close);
    if (inner.type == Expression::Type::concatenation) {
        return inner;
    }
    Expression result;
    result.type = Expression::Type::concatenation;
    result.parts.push_back({"", {std::move(inner)}});
    return result;
}

AUDYN_INLINE bool InterpolationParser::at_primitive(bool value) const {
    switch (peek().type) {
    case TokenType::identifier:
    case TokenType::null:
    case TokenType::integer:
    case TokenType::floating:
    case TokenType::boolean:
    case TokenType::unquoted_character:
    case TokenType::escape:
    case TokenType::blank:
        return true;
    case TokenType::colon:
    case TokenType::interpolation_open:
        return value;
    default:
        return false;
    }
}

AUDYN_INLINE Expression InterpolationParser::primitive(bool value) {
    Expression result;
    result.type = Expression::Type::concatenation;
    Token only;
    while (at_primitive(value)) {
        if (at(TokenType::interpolation_open)) {
            result.parts.push_back({"", {interpolation()}});
            continue;
        }
        only = take();
        result.parts.push_back({only.type == TokenType::escape ? unescaped(only.text) : std::string(only.text), {}});
    }
    if (result.parts.empty()) {
        fail();
    }
    if (result.parts.size() > 1) {
        return result;
    }
    if (!result.parts[0].nested.empty()) {
        return std::move(result.parts[0].nested[0]);
    }
    Expression literal;
    literal.value = primitive_value(only);
    return literal;
}

AUDYN_INLINE std::optional<SyntaxError> check(std::string_view text) {
    try {
        static_cast<void>(parse_interpolation(text));
        return std::nullopt;
    } catch (const SyntaxError& error) {
        return error;
    }
}

AUDYN_INLINE Location place_of(const SyntaxError& error, std::string_view text, const Location& begin) {
    return begin.reads(text) ? begin.at_column(begin.column() + static_cast<int>(error.position)) : begin;
}

} // namespace audyn::config::grammar
