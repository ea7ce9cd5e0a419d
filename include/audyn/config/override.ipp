#pragma once

#include <audyn/config/override.hpp>
#include <audyn/core/inline.hpp>

#include <memory>
#include <utility>

namespace audyn::config {

AUDYN_INLINE Location Override::location_at(std::size_t position) const {
    const auto source = std::make_shared<const Source>(Source{Origin::command_line, "", text});
    return {source, 1, static_cast<int>(position) + 1};
}

AUDYN_INLINE Value Override::value() const {
    Value result = element ? element->to_value() : Value();
    const Location place = location();
    mark(result, place, element ? &*element : nullptr);
    result.set_key_place(1, static_cast<int>(key_position()) + 1);
    return result;
}

AUDYN_INLINE void Override::mark(Value& value, const Location& place, const Element* element) {
    const bool known = element != nullptr && element->position > 0;
    value.set_location(known ? place.at_column(static_cast<int>(element->position) + 1) : place);
    const bool same_shape = element != nullptr && element->items.size() == value.size();
    for (std::size_t index = 0; index < value.size(); ++index) {
        mark(value.child(index), value.location(), same_shape ? &element->items[index] : nullptr);
        if (same_shape && value.is_dict() && element->keys[index].position > 0) {
            value.child(index).set_key_place(1, static_cast<int>(element->keys[index].position) + 1);
        }
    }
}

} // namespace audyn::config

namespace audyn::config::grammar {

AUDYN_INLINE std::vector<Token> OverrideLexer::run() {
    if (text_.size() > limits::expression) {
        throw SyntaxError{concat({"longer than ", std::to_string(limits::expression), " bytes"}), 0};
    }
    std::vector<Token> tokens;
    bool in_value = false;
    while (position_ < text_.size()) {
        LongestToken longest;
        in_value ? offer_value(longest) : offer_key(longest);
        if (!longest.found()) {
            fail(in_value);
        }
        tokens.push_back({longest.type(), text_.substr(position_, longest.length()), position_});
        in_value = in_value || longest.type() == TokenType::equal;
        position_ += longest.length();
    }
    tokens.push_back({TokenType::end, {}, position_});
    return tokens;
}

AUDYN_INLINE void OverrideLexer::fail(bool in_value) const {
    if (!in_value && position_ > 0 && text_[position_ - 1] == ':') {
        throw SyntaxError{"a '=' is needed after the key, not a ':'", position_ - 1};
    }
    throw SyntaxError{unexpected(in_value), position_};
}

AUDYN_INLINE std::string OverrideLexer::unexpected(bool in_value) const {
    std::size_t end = position_;
    static_cast<void>(next_code_point(text_, end));
    const std::string_view character = text_.substr(position_, end - position_);
    if (character == "\"" || character == "'") {
        return "the quote is not closed";
    }
    return concat({repr(character), " is not allowed in ", in_value ? "a value without quotes" : "a key"});
}

AUDYN_INLINE std::size_t OverrideLexer::path_length(std::string_view text) {
    std::size_t length = 0;
    std::size_t parts = 0;
    std::size_t complete = 0;
    while (true) {
        const std::string_view rest = text.substr(length);
        const std::size_t part =
            !rest.empty() && is_key_start(rest[0]) ? scalar::span_of(rest, is_key_part) : unsigned_integer(rest);
        if (part == 0) {
            return complete;
        }
        length += part;
        complete = ++parts > 1 ? length : 0;
        if (length >= text.size() || text[length] != '.') {
            return complete;
        }
        ++length;
    }
}

AUDYN_INLINE void OverrideLexer::offer_key(LongestToken& longest) const {
    const std::string_view text = text_.substr(position_);
    offer_structure(text, longest, TokenType::equal, '=', false, true);
    offer_structure(text, longest, TokenType::tilde, '~', false, false);
    offer_structure(text, longest, TokenType::plus, '+', false, false);
    offer_structure(text, longest, TokenType::at, '@', false, false);
    offer_structure(text, longest, TokenType::colon, ':', false, false);
    offer_structure(text, longest, TokenType::slash, '/', false, false);
    longest.offer(TokenType::identifier, identifier_length(text));
    longest.offer(TokenType::special_key, is_key_start(text[0]) ? scalar::span_of(text, is_key_part) : 0);
    longest.offer(TokenType::dot_path, path_length(text));
}

AUDYN_INLINE void OverrideLexer::offer_value(LongestToken& longest) const {
    const std::string_view text = text_.substr(position_);
    offer_structure(text, longest, TokenType::parenthesis_open, '(', true, true);
    offer_structure(text, longest, TokenType::comma, ',', true, true);
    offer_structure(text, longest, TokenType::parenthesis_close, ')', true, false);
    offer_structure(text, longest, TokenType::bracket_open, '[', false, true);
    offer_structure(text, longest, TokenType::bracket_close, ']', true, false);
    offer_structure(text, longest, TokenType::brace_open, '{', false, true);
    offer_structure(text, longest, TokenType::brace_close, '}', true, false);
    offer_structure(text, longest, TokenType::colon, ':', true, true);
    offer_structure(text, longest, TokenType::equal, '=', true, true);
    offer_primitives(text, longest);
    longest.offer(TokenType::quoted, quoted_length(text));
    if (text.starts_with("${")) {
        const auto close = text.find('}');
        longest.offer(TokenType::interpolation, close != std::string_view::npos && close > 2 ? close + 1 : 0);
    }
}

AUDYN_INLINE std::size_t OverrideLexer::quoted_length(std::string_view text) {
    if (text[0] != '"' && text[0] != '\'') {
        return 0;
    }
    std::size_t slashes = 0;
    for (std::size_t index = 1; index < text.size(); ++index) {
        if (text[index] == text[0] && slashes % 2 == 0) {
            return index + 1;
        }
        slashes = text[index] == '\\' ? slashes + 1 : 0;
    }
    return 0;
}

AUDYN_INLINE Override OverrideParser::parse() {
    Override result;
    result.text = text_;
    if (accept(TokenType::tilde)) {
        result.type = Override::Type::remove;
    } else if (accept(TokenType::plus)) {
        result.type = accept(TokenType::plus) ? Override::Type::force_add : Override::Type::add;
    }
    result.key = key_or_group();
    if (accept(TokenType::at)) {
        result.package = package();
    }
    if (result.type == Override::Type::remove && at(TokenType::end)) {
        return result;
    }
    if (!accept(TokenType::equal)) {
        fail(at(TokenType::end)     ? "a '=' and a value are missing"
             : at(TokenType::colon) ? "a '=' is needed after the key, not a ':'"
                                    : "");
    }
    result.value_position = peek().position;
    result.element = at(TokenType::end) ? Element::text("") : value();
    if (!at(TokenType::end)) {
        fail(at(TokenType::equal) ? "a second '=': quote the value, or write '\\='" : "");
    }
    return result;
}

AUDYN_INLINE bool OverrideParser::accept(TokenType type) {
    if (!at(type)) {
        return false;
    }
    take();
    return true;
}

AUDYN_INLINE void OverrideParser::expect(TokenType type) {
    if (!accept(type)) {
        fail();
    }
}

AUDYN_INLINE void OverrideParser::fail(std::string reason) const {
    const bool closes = at(TokenType::bracket_close) || at(TokenType::brace_close) || at(TokenType::parenthesis_close);
    if (reason.empty()) {
        reason = at(TokenType::end) ? "it ends too early" : concat({"unexpected ", repr(peek().text)});
        reason += closes && open_.empty() ? ", which closes nothing" : "";
    }
    if (at(TokenType::end) && !open_.empty()) {
        throw SyntaxError{concat({"the '", text_.substr(open_.back(), 1), "' is not closed"}), open_.back()};
    }
    throw SyntaxError{std::move(reason), peek().position};
}

AUDYN_INLINE std::string OverrideParser::key_or_group() {
    if (!at(TokenType::identifier)) {
        return package();
    }
    std::string name(take().text);
    while (accept(TokenType::slash)) {
        if (!at(TokenType::identifier)) {
            fail();
        }
        name += concat({"/", take().text});
    }
    return name;
}

AUDYN_INLINE std::string OverrideParser::package() {
    const bool named = at(TokenType::identifier) || at(TokenType::special_key) || at(TokenType::dot_path);
    return named ? std::string(take().text) : std::string();
}

AUDYN_INLINE Element OverrideParser::value() {
    Element first = element();
    if (!at(TokenType::comma)) {
        return first;
    }
    Element sweep = Element::choice({}, true);
    sweep.items.push_back(std::move(first));
    while (accept(TokenType::comma)) {
        sweep.items.push_back(element());
    }
    return sweep;
}

AUDYN_INLINE Element OverrideParser::element() {
    if (++depth_ > limits::depth) {
        throw SyntaxError{"nested too deeply", peek().position};
    }
    Element result;
    const std::size_t position = peek().position;
    if (accept(TokenType::bracket_open)) {
        open_.push_back(position);
        result = list();
        open_.pop_back();
    } else if (accept(TokenType::brace_open)) {
        open_.push_back(position);
        result = dict();
        open_.pop_back();
    } else if (at(TokenType::identifier) && tokens_[next_ + 1].type == TokenType::parenthesis_open) {
        result = function();
    } else if (at(TokenType::quoted)) {
        const std::string_view text = take().text;
        result = Element::quoted(unquoted(text), text[0]);
    } else {
        result = primitive(true);
    }
    result.position = position;
    --depth_;
    return result;
}

AUDYN_INLINE Element OverrideParser::list() {
    Element result;
    result.type = Element::Type::list;
    if (!at(TokenType::bracket_close)) {
        do {
            result.items.push_back(element());
        } while (accept(TokenType::comma));
    }
    expect(TokenType::bracket_close);
    return result;
}

AUDYN_INLINE Element OverrideParser::dict() {
    Element result;
    result.type = Element::Type::dict;
    if (!at(TokenType::brace_close)) {
        do {
            const std::size_t position = peek().position;
            Element key = primitive(false);
            key.position = position;
            expect(TokenType::colon);
            result.set(std::move(key), element());
        } while (accept(TokenType::comma));
    }
    expect(TokenType::brace_close);
    return result;
}

AUDYN_INLINE Element OverrideParser::function() {
    const Token name = take();
    FunctionCall call{std::string(name.text), {}, {}};
    open_.push_back(text_.find('(', name.position));
    expect(TokenType::parenthesis_open);
    if (!at(TokenType::parenthesis_close)) {
        do {
            argument(call);
        } while (accept(TokenType::comma));
    }
    expect(TokenType::parenthesis_close);
    open_.pop_back();
    try {
        return evaluate(call);
    } catch (const FunctionError& error) {
        throw SyntaxError{concat({call.name, "(): ", error.message}), name.position};
    }
}

AUDYN_INLINE void OverrideParser::argument(FunctionCall& call) {
    if (at(TokenType::identifier) && tokens_[next_ + 1].type == TokenType::equal) {
        const std::string name(take().text);
        take();
        call.set(name, element());
    } else if (!call.named.empty()) {
        fail("an argument without a name follows one with a name");
    } else {
        call.positional.push_back(element());
    }
}

AUDYN_INLINE bool OverrideParser::at_primitive(bool value) const {
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
    case TokenType::interpolation:
        return value;
    default:
        return false;
    }
}

AUDYN_INLINE Element OverrideParser::primitive(bool value) {
    std::vector<Token> parts;
    while (at_primitive(value)) {
        parts.push_back(take());
    }
    if (parts.empty()) {
        fail();
    }
    const std::size_t begin = parts.front().type == TokenType::blank ? 1 : 0;
    if (begin == parts.size()) {
        fail("a value of blanks must be quoted");
    }
    const std::size_t end = parts.size() - (parts.back().type == TokenType::blank ? 1 : 0);
    if (end - begin == 1) {
        const Token& only = parts[begin];
        return Element::literal(primitive_value(only));
    }
    std::string text;
    for (std::size_t index = begin; index < end; ++index) {
        text += parts[index].type == TokenType::escape ? unescaped(parts[index].text) : std::string(parts[index].text);
    }
    return Element::text(std::move(text));
}

AUDYN_INLINE std::string OverrideParser::unquoted(std::string_view text) {
    const char quote = text[0];
    const std::string_view body = text.substr(1);
    std::string result;
    for (std::size_t index = 0; index < body.size();) {
        const std::size_t slashes = scalar::span_of(body.substr(index), [](char c) { return c == '\\'; });
        const bool before_quote = index + slashes < body.size() && body[index + slashes] == quote;
        if (slashes > 0 && before_quote) {
            result += unescaped(body.substr(index, slashes + 1));
            index += slashes + 1;
            const bool closing = slashes % 2 == 0;
            if (closing) {
                return result;
            }
        } else if (slashes > 0) {
            result.append(slashes, '\\');
            index += slashes;
        } else if (body[index] == quote) {
            return result;
        } else {
            result += body[index++];
        }
    }
    return result;
}

} // namespace audyn::config::grammar

namespace audyn::config {

AUDYN_INLINE Override parse_override(const std::string& text) {
    try {
        return grammar::OverrideParser(text).parse();
    } catch (const grammar::SyntaxError& error) {
        const auto source = std::make_shared<const Source>(Source{Origin::command_line, "", text});
        throw error_at(Location(source, 1, static_cast<int>(error.position) + 1), error.message);
    }
}

} // namespace audyn::config
