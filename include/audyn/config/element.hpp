#pragma once

#include <audyn/config/value.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace audyn::config {

/// The value of an override as it was written: a plain value, a quoted string, a list or dictionary of them, or a
/// sweep.
struct Element {
    enum class Type {
        scalar,   ///< `value`: null, a boolean, a number or an unquoted string
        quoted,   ///< `value`: a string that was in quotes
        list,     ///< `items`
        dict,     ///< `keys` and `items`
        choice,   ///< `items`: `a,b` (simple) or `choice(a,b)`
        range,    ///< `items`: start, stop, step
        interval, ///< `items`: start, end
        glob      ///< `items`: two lists of strings, what to include and what to exclude
    };

    Type type = Type::scalar;
    Value value;
    std::vector<Element> keys;
    std::vector<Element> items;
    std::size_t position = 0; ///< in the override's text; 0 for what a function computed
    char quote = '\'';        ///< of a quoted string
    bool simple = false;      ///< a choice written with commas only
    bool shuffle = false;     ///< a choice or range in random order

    static Element literal(Value value);
    static Element text(std::string text) { return literal(Value(std::move(text))); }
    static Element quoted(std::string text, char quote = '\'');
    static Element choice(std::vector<Element> items, bool simple);

    [[nodiscard]] bool is_sweep() const;

    /// Sets a key of a dictionary; an equal key keeps its place.
    void set(Element key, Element item);

    /// True when a dictionary in it has null as a key, which no configuration can have.
    [[nodiscard]] bool has_null_key() const;

    /// The configuration value; a sweep has none and gives null.
    [[nodiscard]] Value to_value() const;

    /// The scalar as a key of a dictionary; null gives an empty one.
    [[nodiscard]] Key to_key() const { return Key::from(value).value_or(Key("")); }

private:
    [[nodiscard]] bool same_key(const Element& other) const;
};

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/element.ipp>
#endif
