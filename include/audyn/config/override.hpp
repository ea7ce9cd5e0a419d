#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/element.hpp>
#include <audyn/config/override_functions.hpp>
#include <audyn/config/tokens.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
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
    [[nodiscard]] Location location_at(std::size_t position) const;
    /// Where the key begins, after `+`, `++` or `~`.
    [[nodiscard]] std::size_t key_position() const { return std::min(text.find_first_not_of("+~"), text.size()); }

    /// The value for the configuration; null for `~key`. Not for sweeps.
    [[nodiscard]] Value value() const;

private:
    /// Gives every value in it the place of its element; what a function computed has the place of the whole.
    static void mark(Value& value, const Location& place, const Element* element);
};

namespace grammar {

/// Cuts an override into tokens: first its key, then, after the `=`, its value.
class OverrideLexer {
public:
    explicit OverrideLexer(std::string_view text) : text_(text) {}

    [[nodiscard]] std::vector<Token> run();

private:
    [[noreturn]] void fail(bool in_value) const;

    [[nodiscard]] std::string unexpected(bool in_value) const;

    static bool is_key_start(char c) { return is_identifier_start(c) || c == '$'; }
    static bool is_key_part(char c) { return is_identifier_part(c) || c == '$'; }

    static std::size_t path_length(std::string_view text);

    void offer_key(LongestToken& longest) const;

    void offer_value(LongestToken& longest) const;

    /// Up to the first quote of the same kind that an even number of backslashes precedes.
    static std::size_t quoted_length(std::string_view text);

    std::string_view text_;
    std::size_t position_ = 0;
};

/// Builds an `Override` from its tokens; functions are computed on the way.
class OverrideParser {
public:
    explicit OverrideParser(std::string_view text) : tokens_(OverrideLexer(text).run()), text_(text) {}

    [[nodiscard]] Override parse();

private:
    [[nodiscard]] const Token& peek() const { return tokens_[next_]; }
    [[nodiscard]] bool at(TokenType type) const { return peek().type == type; }
    const Token& take() { return tokens_[next_ < tokens_.size() - 1 ? next_++ : next_]; }
    bool accept(TokenType type);
    void expect(TokenType type);
    [[noreturn]] void fail(std::string reason = "") const;

    /// `db`, `db/engine`, `a.b`, or nothing.
    std::string key_or_group();

    std::string package();

    Element value();

    Element element();

    Element list();

    Element dict();

    Element function();

    void argument(FunctionCall& call);

    [[nodiscard]] bool at_primitive(bool value) const;

    /// Words and numbers side by side; blanks at both ends do not count. A key of a dictionary has neither `:` nor
    /// `${...}`.
    Element primitive(bool value);

    /// Takes off the quotes, and the backslashes that escape quotes or precede the end.
    static std::string unquoted(std::string_view text);

    std::vector<Token> tokens_;
    std::string_view text_;
    std::size_t next_ = 0;
    std::vector<std::size_t> open_; ///< where the brackets that are not closed yet stand
    int depth_ = 0;
};

} // namespace grammar

/// Parses one override. Throws `ConfigError` that shows the override with a caret.
[[nodiscard]] AUDYN_INLINE Override parse_override(const std::string& text);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/override.ipp>
#endif
