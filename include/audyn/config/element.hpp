#pragma once

#include <audyn/config/value.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

    static Element literal(Value value) {
        Element element;
        element.value = std::move(value);
        return element;
    }
    static Element text(std::string text) { return literal(Value(std::move(text))); }
    static Element quoted(std::string text, char quote = '\'') {
        Element element = Element::text(std::move(text));
        element.type = Type::quoted;
        element.quote = quote;
        return element;
    }
    static Element choice(std::vector<Element> items, bool simple) {
        Element element;
        element.type = Type::choice;
        element.items = std::move(items);
        element.simple = simple;
        return element;
    }

    [[nodiscard]] bool is_sweep() const {
        return type == Type::choice || type == Type::range || type == Type::interval || type == Type::glob;
    }

    /// Sets a key of a dictionary; an equal key keeps its place.
    void set(Element key, Element item) {
        for (std::size_t index = 0; index < keys.size(); ++index) {
            if (keys[index].same_key(key)) {
                items[index] = std::move(item);
                return;
            }
        }
        keys.push_back(std::move(key));
        items.push_back(std::move(item));
    }

    /// True when a dictionary in it has null as a key, which no configuration can have.
    [[nodiscard]] bool has_null_key() const {
        const auto is_null = [](const Element& key) { return key.value.is_null(); };
        return std::ranges::any_of(keys, is_null) ||
               std::ranges::any_of(items, [](const Element& item) { return item.has_null_key(); });
    }

    /// The configuration value; a sweep has none and gives null.
    [[nodiscard]] Value to_value() const {
        if (type == Type::list) {
            Value result = Value::list();
            for (const Element& item : items) {
                result.append(item.to_value());
            }
            return result;
        }
        if (type == Type::dict) {
            Value result = Value::dict();
            for (std::size_t index = 0; index < items.size(); ++index) {
                result.set(keys[index].to_key(), items[index].to_value());
            }
            return result;
        }
        return is_sweep() ? Value() : value;
    }

    /// The scalar as a key of a dictionary; null gives an empty one.
    [[nodiscard]] Key to_key() const { return Key::from(value).value_or(Key("")); }

private:
    [[nodiscard]] bool same_key(const Element& other) const {
        return value.is_null() || other.value.is_null() ? value.is_null() && other.value.is_null()
                                                        : to_key() == other.to_key();
    }
};

} // namespace audyn::config
