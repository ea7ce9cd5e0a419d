#pragma once

#include <audyn/config/element.hpp>
#include <audyn/config/scalar.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/tokens.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The functions that a value on the command line may call: casts `int`, `float`, `str`, `bool`; sweeps `choice`,
/// `range`, `interval`, `glob`; and `sort`, `shuffle`, `tag`.
namespace audyn::config::grammar {

struct FunctionCall {
    std::string name;
    std::vector<Element> positional;
    std::vector<std::pair<std::string, Element>> named;

    void set(const std::string& argument, Element element);
};

struct FunctionError {
    std::string message;
};

namespace functions {

using Type = Element::Type;
using Elements = std::vector<Element>;

[[nodiscard]] inline bool is_null(const Element& element) {
    return element.type == Type::scalar && element.value.is_null();
}
[[nodiscard]] inline bool is_text(const Element& element) {
    return element.type == Type::scalar && element.value.is_string();
}
/// A boolean, an integer or a number: what Python's `int` and `float` annotations let pass.
[[nodiscard]] AUDYN_INLINE bool is_number(const Element& element);
/// What may stand in an override without being a sweep.
[[nodiscard]] inline bool is_plain(const Element& element) {
    return !element.is_sweep();
}

/// The number of a boolean, integer or floating element.
[[nodiscard]] AUDYN_INLINE double number_of(const Element& element);

[[nodiscard]] AUDYN_INLINE std::string_view stripped(std::string_view text);

/// Python's `int(text)`.
[[nodiscard]] AUDYN_INLINE Value integer_from_text(std::string_view text);

/// Python's `float(text)`.
[[nodiscard]] AUDYN_INLINE double number_from_text(std::string_view text);

[[nodiscard]] AUDYN_INLINE Value truncated(double number);

[[nodiscard]] AUDYN_INLINE Value cast_scalar(std::string_view to, const Value& value);

/// Casts a value, each item of a list, dictionary or choice, the bounds of a range or interval.
[[nodiscard]] AUDYN_INLINE Element cast(std::string_view to, const Element& element);

[[nodiscard]] AUDYN_INLINE Element simple_choice(const Elements& items);

/// Order of two values as Python's `<` sees it; only numbers, strings and lists can be compared, each with its like.
[[nodiscard]] AUDYN_INLINE bool less(const Element& left, const Element& right);

/// As Python's `sorted`: stable, also in reverse.
[[nodiscard]] AUDYN_INLINE Elements sorted(Elements items, bool reverse);

/// Arithmetic of a range's bounds keeps integers integers.
[[nodiscard]] AUDYN_INLINE Value add(const Element& left, const Element& right, int factor);

[[nodiscard]] AUDYN_INLINE Element sorted_sweep(Element sweep, bool reverse);

[[nodiscard]] AUDYN_INLINE Element shuffled(Elements items);

/// Arguments of a call by the names of its parameters, as Python binds them.
class Arguments {
public:
    /// `names` of the parameters in order; when `variadic`, positional arguments are kept apart and the names can only
    /// be given by name.
    Arguments(const FunctionCall& call, std::vector<std::string_view> names, bool variadic);

    Elements positional;

    [[nodiscard]] const std::optional<Element>& operator[](std::string_view name) const;
    [[nodiscard]] const Element& required(std::string_view name) const;
    /// The argument, unless it is absent or null.
    [[nodiscard]] const Element* given(std::string_view name) const;

private:
    std::optional<Element>& unknown(const std::string& name) const;

    std::vector<std::string_view> names_;
    std::vector<std::optional<Element>> values_;
};

template <class Predicate>
void require(const Element& element, Predicate allowed, const char* wanted) {
    if (!allowed(element)) {
        throw FunctionError{concat({std::string("needs "), wanted})};
    }
}

[[nodiscard]] inline bool is_castable(const Element& element) {
    return element.type != Type::glob;
}

[[nodiscard]] AUDYN_INLINE Element call_cast(const FunctionCall& call);

[[nodiscard]] AUDYN_INLINE Element call_choice(const FunctionCall& call);

[[nodiscard]] AUDYN_INLINE Element call_range(const FunctionCall& call);

[[nodiscard]] AUDYN_INLINE Element call_interval(const FunctionCall& call);

[[nodiscard]] AUDYN_INLINE Element call_glob(const FunctionCall& call);

[[nodiscard]] inline bool is_tagged(const Element& element) {
    return element.type == Type::choice || element.type == Type::range || element.type == Type::interval;
}

[[nodiscard]] AUDYN_INLINE Element call_tag(const FunctionCall& call);

[[nodiscard]] AUDYN_INLINE bool is_orderable_argument(const Element& element);
[[nodiscard]] inline bool is_choice_or_range(const Element& element) {
    return element.type == Type::choice || element.type == Type::range;
}

[[nodiscard]] AUDYN_INLINE Element call_shuffle(const FunctionCall& call);

[[nodiscard]] AUDYN_INLINE Element call_sort(const FunctionCall& call);

struct Entry {
    std::string_view name;
    Element (*function)(const FunctionCall&);
};

[[nodiscard]] inline const auto& table() {
    static constexpr std::array<Entry, 11> entries{{
        {"int", &call_cast},
        {"float", &call_cast},
        {"str", &call_cast},
        {"bool", &call_cast},
        {"choice", &call_choice},
        {"range", &call_range},
        {"interval", &call_interval},
        {"glob", &call_glob},
        {"tag", &call_tag},
        {"shuffle", &call_shuffle},
        {"sort", &call_sort},
    }};
    return entries;
}

} // namespace functions

/// The result of a call. Throws `FunctionError`.
[[nodiscard]] AUDYN_INLINE Element evaluate(const FunctionCall& call);

} // namespace audyn::config::grammar

#ifndef AUDYN_COMPILED
#    include <audyn/config/override_functions.ipp>
#endif
