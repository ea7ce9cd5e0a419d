#pragma once

#include <audyn/config/element.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>

namespace audyn::config {

AUDYN_INLINE Element Element::literal(Value value) {
    Element element;
    element.value = std::move(value);
    return element;
}

AUDYN_INLINE Element Element::quoted(std::string text, char quote) {
    Element element = Element::text(std::move(text));
    element.type = Type::quoted;
    element.quote = quote;
    return element;
}

AUDYN_INLINE Element Element::choice(std::vector<Element> items, bool simple) {
    Element element;
    element.type = Type::choice;
    element.items = std::move(items);
    element.simple = simple;
    return element;
}

AUDYN_INLINE bool Element::is_sweep() const {
    return type == Type::choice || type == Type::range || type == Type::interval || type == Type::glob;
}

AUDYN_INLINE void Element::set(Element key, Element item) {
    for (std::size_t index = 0; index < keys.size(); ++index) {
        if (keys[index].same_key(key)) {
            items[index] = std::move(item);
            return;
        }
    }
    keys.push_back(std::move(key));
    items.push_back(std::move(item));
}

AUDYN_INLINE bool Element::has_null_key() const {
    const auto is_null = [](const Element& key) { return key.value.is_null(); };
    return std::ranges::any_of(keys, is_null) ||
           std::ranges::any_of(items, [](const Element& item) { return item.has_null_key(); });
}

AUDYN_INLINE Value Element::to_value() const {
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

AUDYN_INLINE bool Element::same_key(const Element& other) const {
    return value.is_null() || other.value.is_null() ? value.is_null() && other.value.is_null()
                                                    : to_key() == other.to_key();
}

} // namespace audyn::config
