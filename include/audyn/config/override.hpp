#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/element.hpp>
#include <audyn/config/override_functions.hpp>
#include <audyn/config/tokens.hpp>
#include <audyn/config/value.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::config {

/// One override of the command line: `key=value`, `+key=value`, `++key=value`, `~key`, `group@package=option`.
struct Override {
    enum class Type { change, add, force_add, remove };

    Type type = Type::change;
    std::string key; ///< key or group, without prefix and package
    std::optional<std::string> package;
    std::optional<Element> element; ///< nothing for `~key` without a value
    std::string text;               ///< as it was given
    std::size_t value_position = 0; ///< where the value begins in `text`

    [[nodiscard]] bool is_sweep() const { return element && element->is_sweep(); }
    [[nodiscard]] bool is_hydra() const { return key.starts_with("hydra.") || key.starts_with("hydra/"); }

    /// `key` or `key@package`.
    [[nodiscard]] std::string key_element() const { return package ? concat({key, "@", *package}) : key; }

    /// Where the value stands.
    [[nodiscard]] Location location() const { return location_at(value_position); }
    /// Where the key stands.
    [[nodiscard]] Location key_location() const { return location_at(key_position()); }
    /// A place in the text, from 0.
    [[nodiscard]] Location location_at(std::size_t position) const {
        const auto source = std::make_shared<const Source>(Source{Origin::command_line, "", text});
        return {source, 1, static_cast<int>(position) + 1};
    }
    /// Where the key begins, after `+`, `++` or `~`.
    [[nodiscard]] std::size_t key_position() const { return std::min(text.find_first_not_of("+~"), text.size()); }

    /// The value for the configuration; null for `~key`. Not for sweeps.
    [[nodiscard]] Value value() const {
        Value result = element ? element->to_value() : Value();
        const Location place = location();
        mark(result, place, element ? &*element : nullptr);
        result.set_key_place(1, static_cast<int>(key_position()) + 1);
        return result;
    }

private:
    /// Gives every value in it the place of its element; what a function computed has the place of the whole.
    static void mark(Value& value, const Location& place, const Element* element) {
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
};

namespace grammar {

/// Cuts an override into tokens: first its key, then, after the `=`, its value.
class OverrideLexer {
public:
    explicit OverrideLexer(std::string_view text) : text_(text) {}

    [[nodiscard]] std::vector<Token> run() {
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

private:
    [[noreturn]] void fail(bool in_value) const {
        if (!in_value && position_ > 0 && text_[position_ - 1] == ':') {
            throw SyntaxError{"a '=' is needed after the key, not a ':'", position_ - 1};
        }
        throw SyntaxError{unexpected(in_value), position_};
    }

    [[nodiscard]] std::string unexpected(bool in_value) const {
        std::size_t end = position_;
        static_cast<void>(next_code_point(text_, end));
        const std::string_view character = text_.substr(position_, end - position_);
        if (character == "\"" || character == "'") {
            return "the quote is not closed";
        }
        return concat({repr(character), " is not allowed in ", in_value ? "a value without quotes" : "a key"});
    }

    static bool is_key_start(char c) { return is_identifier_start(c) || c == '$'; }
    static bool is_key_part(char c) { return is_identifier_part(c) || c == '$'; }

    static std::size_t path_length(std::string_view text) {
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

    void offer_key(LongestToken& longest) const {
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

    void offer_value(LongestToken& longest) const {
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

    /// Up to the first quote of the same kind that an even number of backslashes precedes.
    static std::size_t quoted_length(std::string_view text) {
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

    std::string_view text_;
    std::size_t position_ = 0;
};

/// Builds an `Override` from its tokens; functions are computed on the way.
class OverrideParser {
public:
    explicit OverrideParser(std::string_view text) : tokens_(OverrideLexer(text).run()), text_(text) {}

    [[nodiscard]] Override parse() {
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

private:
    [[nodiscard]] const Token& peek() const { return tokens_[next_]; }
    [[nodiscard]] bool at(TokenType type) const { return peek().type == type; }
    const Token& take() { return tokens_[next_ < tokens_.size() - 1 ? next_++ : next_]; }
    bool accept(TokenType type) {
        if (!at(type)) {
            return false;
        }
        take();
        return true;
    }
    void expect(TokenType type) {
        if (!accept(type)) {
            fail();
        }
    }
    [[noreturn]] void fail(std::string reason = "") const {
        const bool closes =
            at(TokenType::bracket_close) || at(TokenType::brace_close) || at(TokenType::parenthesis_close);
        if (reason.empty()) {
            reason = at(TokenType::end) ? "it ends too early" : concat({"unexpected ", repr(peek().text)});
            reason += closes && open_.empty() ? ", which closes nothing" : "";
        }
        if (at(TokenType::end) && !open_.empty()) {
            throw SyntaxError{concat({"the '", text_.substr(open_.back(), 1), "' is not closed"}), open_.back()};
        }
        throw SyntaxError{std::move(reason), peek().position};
    }

    /// `db`, `db/engine`, `a.b`, or nothing.
    std::string key_or_group() {
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

    std::string package() {
        const bool named = at(TokenType::identifier) || at(TokenType::special_key) || at(TokenType::dot_path);
        return named ? std::string(take().text) : std::string();
    }

    Element value() {
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

    Element element() {
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

    Element list() {
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

    Element dict() {
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

    Element function() {
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

    void argument(FunctionCall& call) {
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

    [[nodiscard]] bool at_primitive(bool value) const {
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

    /// Words and numbers side by side; blanks at both ends do not count. A key of a dictionary has neither `:` nor
    /// `${...}`.
    Element primitive(bool value) {
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
            text +=
                parts[index].type == TokenType::escape ? unescaped(parts[index].text) : std::string(parts[index].text);
        }
        return Element::text(std::move(text));
    }

    /// Takes off the quotes, and the backslashes that escape quotes or precede the end.
    static std::string unquoted(std::string_view text) {
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

    std::vector<Token> tokens_;
    std::string_view text_;
    std::size_t next_ = 0;
    std::vector<std::size_t> open_; ///< where the brackets that are not closed yet stand
    int depth_ = 0;
};

} // namespace grammar

/// Parses one override. Throws `ConfigError` that shows the override with a caret.
[[nodiscard]] inline Override parse_override(const std::string& text) {
    try {
        return grammar::OverrideParser(text).parse();
    } catch (const grammar::SyntaxError& error) {
        const auto source = std::make_shared<const Source>(Source{Origin::command_line, "", text});
        throw error_at(Location(source, 1, static_cast<int>(error.position) + 1), error.message);
    }
}

} // namespace audyn::config
