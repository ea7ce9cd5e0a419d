#pragma once

#include <audyn/config/override_functions.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>

namespace audyn::config::grammar {

AUDYN_INLINE void FunctionCall::set(const std::string& argument, Element element) {
    for (auto& [known, value] : named) {
        if (known == argument) {
            value = std::move(element);
            return;
        }
    }
    named.emplace_back(argument, std::move(element));
}

} // namespace audyn::config::grammar

namespace audyn::config::grammar::functions {

AUDYN_INLINE bool is_number(const Element& element) {
    const Kind kind = element.value.kind();
    return element.type == Type::scalar &&
           (kind == Kind::boolean || kind == Kind::integer || kind == Kind::big_integer || kind == Kind::floating);
}

AUDYN_INLINE double number_of(const Element& element) {
    if (const auto* boolean = element.value.get_if<bool>()) {
        return *boolean ? 1.0 : 0.0;
    }
    if (const auto* integer = element.value.get_if<std::int64_t>()) {
        return static_cast<double>(*integer);
    }
    if (const auto* big = element.value.get_if<BigInteger>()) {
        const bool negative = big->digits.starts_with('-');
        const double magnitude = scalar::decimal_number(std::string_view(big->digits).substr(negative ? 1 : 0));
        return negative ? -magnitude : magnitude;
    }
    return *element.value.get_if<double>();
}

AUDYN_INLINE std::string_view stripped(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\v\f\r";
    const auto begin = text.find_first_not_of(blanks);
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

AUDYN_INLINE Value integer_from_text(std::string_view text) {
    const std::string_view body = stripped(text);
    const std::size_t signs = sign(body);
    if (body.size() == signs || digit_groups(body.substr(signs)) != body.size() - signs) {
        throw FunctionError{concat({repr(text), " is not an integer"})};
    }
    return integer_literal(body);
}

AUDYN_INLINE double number_from_text(std::string_view text) {
    const std::string lower = lower_case(stripped(text));
    const std::string_view body = std::string_view(lower).substr(sign(lower));
    const bool named = body == "inf" || body == "infinity" || body == "nan";
    std::string_view rest = body.substr(digit_groups(body));
    const bool has_digits =
        rest.size() < body.size() || (rest.size() > 1 && rest[0] == '.' && scalar::is_digit(rest[1]));
    if (rest.starts_with('.')) {
        rest.remove_prefix(1 + digit_groups(rest.substr(1)));
    }
    if (rest.starts_with('e')) {
        const std::size_t skip = 1 + sign(rest.substr(1));
        const std::size_t digits = digit_groups(rest.substr(skip));
        rest.remove_prefix(digits > 0 ? skip + digits : 0);
    }
    if (!named && (!has_digits || !rest.empty())) {
        throw FunctionError{concat({repr(text), " is not a number"})};
    }
    return floating_literal(lower);
}

AUDYN_INLINE Value truncated(double number) {
    if (!std::isfinite(number)) {
        throw FunctionError{concat({float_text(number), " has no integer"})};
    }
    const double whole = std::trunc(number);
    if (std::abs(whole) < 9.0e18) {
        return static_cast<std::int64_t>(whole);
    }
    std::array<char, 400> buffer{};
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(whole), std::chars_format::fixed).ptr;
    return scalar::integer_value(std::string_view(buffer.data(), static_cast<std::size_t>(end - buffer.data())), 10,
                                 whole < 0);
}

AUDYN_INLINE Value cast_scalar(std::string_view to, const Value& value) {
    const auto* text = value.get_if<std::string>();
    const Element element = Element::literal(value);
    if (value.is_null()) {
        if (to == "bool") {
            return false;
        }
        throw FunctionError{"null cannot be cast"};
    }
    if (to == "int") {
        if (text != nullptr) {
            return integer_from_text(*text);
        }
        return value.kind() == Kind::floating  ? truncated(*value.get_if<double>())
               : value.kind() == Kind::boolean ? Value(*value.get_if<bool>() ? 1 : 0)
                                               : value;
    }
    if (to == "float") {
        return text != nullptr ? number_from_text(*text) : number_of(element);
    }
    if (to == "str") {
        return value.kind() == Kind::boolean ? Value(*value.get_if<bool>() ? "true" : "false")
                                             : Value(python_text(value));
    }
    if (text == nullptr) {
        return number_of(element) != 0.0;
    }
    const std::string lower = lower_case(*text);
    if (lower != "true" && lower != "false") {
        throw FunctionError{concat({repr(*text), " is not a boolean"})};
    }
    return lower == "true";
}

AUDYN_INLINE Element cast(std::string_view to, const Element& element) {
    const bool numeric = to == "int" || to == "float";
    switch (element.type) {
    case Type::scalar:
    case Type::quoted:
        return Element::literal(cast_scalar(to, element.value));
    case Type::glob:
        throw FunctionError{"a glob cannot be cast"};
    case Type::range:
    case Type::interval:
        if (!numeric) {
            throw FunctionError{"a range or an interval can be cast to int and float only"};
        }
        break;
    default:
        break;
    }
    Element result;
    result.type = element.type;
    result.keys = element.keys;
    result.simple = element.simple;
    for (const Element& item : element.items) {
        result.items.push_back(cast(to, item));
        if (element.type == Type::choice && result.items.back().is_sweep()) {
            throw FunctionError{"a choice of sweeps cannot be cast"};
        }
    }
    return result;
}

AUDYN_INLINE Element simple_choice(const Elements& items) {
    if (!std::ranges::all_of(items, is_plain)) {
        throw FunctionError{"a sweep cannot be one of several values"};
    }
    return Element::choice(items, true);
}

AUDYN_INLINE bool less(const Element& left, const Element& right) {
    if (is_number(left) && is_number(right)) {
        const auto* first = left.value.get_if<std::int64_t>();
        const auto* second = right.value.get_if<std::int64_t>();
        return first != nullptr && second != nullptr ? *first < *second : number_of(left) < number_of(right);
    }
    if (is_text(left) && is_text(right)) {
        return *left.value.get_if<std::string>() < *right.value.get_if<std::string>();
    }
    if (left.type == Type::list && right.type == Type::list) {
        for (std::size_t index = 0; index < std::min(left.items.size(), right.items.size()); ++index) {
            const bool equal = left.items[index].to_value() == right.items[index].to_value();
            if (!equal) {
                return less(left.items[index], right.items[index]);
            }
        }
        return left.items.size() < right.items.size();
    }
    throw FunctionError{"values of these types cannot be sorted together"};
}

AUDYN_INLINE Elements sorted(Elements items, bool reverse) {
    const auto before = [reverse](const Element& left, const Element& right) {
        return reverse ? less(right, left) : less(left, right);
    };
    for (std::size_t index = 1; index < items.size(); ++index) {
        static_cast<void>(
            less(items[index], items[0])); // refuses what cannot be compared, whatever the algorithm looks at
        static_cast<void>(less(items[index], items[index - 1]));
    }
    std::ranges::stable_sort(items, before);
    return items;
}

AUDYN_INLINE Value add(const Element& left, const Element& right, int factor) {
    const auto* first = left.value.get_if<std::int64_t>();
    const auto* second = right.value.get_if<std::int64_t>();
    const bool left_whole = first != nullptr || left.value.kind() == Kind::boolean;
    const bool right_whole = second != nullptr || right.value.kind() == Kind::boolean;
    if (left_whole && right_whole) {
        return static_cast<std::int64_t>(number_of(left)) + factor * static_cast<std::int64_t>(number_of(right));
    }
    return number_of(left) + factor * number_of(right);
}

AUDYN_INLINE Element sorted_sweep(Element sweep, bool reverse) {
    if (sweep.type == Type::choice) {
        sweep.items = sorted(std::move(sweep.items), reverse);
        return sweep;
    }
    const double start = number_of(sweep.items[0]);
    const double stop = number_of(sweep.items[1]);
    if (reverse ? start < stop : start > stop) {
        const Element step = sweep.items[2];
        const int away = (number_of(step) < 0 ? -1 : 1) * (reverse ? -1 : 1);
        const Value first = add(sweep.items[1], step, away);
        const Value last = add(sweep.items[0], step, away);
        const Value turned = add(Element::literal(Value(0)), step, -1);
        sweep.items = {Element::literal(first), Element::literal(last), Element::literal(turned)};
    }
    return sweep;
}

AUDYN_INLINE Element shuffled(Elements items) {
    if (items.size() == 1 && (items[0].type == Type::choice || items[0].type == Type::range)) {
        items[0].shuffle = true;
        return items[0];
    }
    if (items.size() == 1) {
        Element list;
        list.type = Type::list;
        list.items = items[0].type == Type::list ? items[0].items : items;
        std::shuffle(list.items.begin(), list.items.end(), std::random_device());
        return list;
    }
    Element choice = simple_choice(items);
    choice.shuffle = true;
    return choice;
}

AUDYN_INLINE Arguments::Arguments(const FunctionCall& call, std::vector<std::string_view> names, bool variadic)
    : names_(std::move(names)) {
    values_.resize(names_.size());
    if (variadic) {
        positional = call.positional;
    } else if (call.positional.size() > names_.size()) {
        throw FunctionError{concat({"takes at most ", std::to_string(names_.size()), " arguments"})};
    } else {
        std::copy(call.positional.begin(), call.positional.end(), values_.begin());
    }
    for (const auto& [name, element] : call.named) {
        const auto found = std::ranges::find(names_, std::string_view(name));
        auto& slot = found == names_.end() ? unknown(name) : values_[static_cast<std::size_t>(found - names_.begin())];
        if (slot) {
            throw FunctionError{concat({"the argument '", name, "' is given twice"})};
        }
        slot = element;
    }
}

AUDYN_INLINE const std::optional<Element>& Arguments::operator[](std::string_view name) const {
    return values_[static_cast<std::size_t>(std::ranges::find(names_, name) - names_.begin())];
}

AUDYN_INLINE const Element& Arguments::required(std::string_view name) const {
    const auto& value = (*this)[name];
    if (!value) {
        throw FunctionError{concat({"the argument '", name, "' is missing"})};
    }
    return *value;
}

AUDYN_INLINE const Element* Arguments::given(std::string_view name) const {
    const auto& value = (*this)[name];
    return value && !is_null(*value) ? &*value : nullptr;
}

AUDYN_INLINE std::optional<Element>& Arguments::unknown(const std::string& name) const {
    std::vector<std::string> known(names_.begin(), names_.end());
    throw FunctionError{concat({"there is no argument '", name, "'", did_you_mean(name, known)})};
}

AUDYN_INLINE Element call_cast(const FunctionCall& call) {
    const Arguments arguments(call, {"value"}, true);
    const Element* value = arguments.given("value");
    for (const Element& element : arguments.positional) {
        require(element, is_castable, "values that can be cast");
    }
    if (value != nullptr) {
        if (!arguments.positional.empty()) {
            throw FunctionError{"takes either positional arguments or 'value'"};
        }
        require(*value, is_castable, "a value that can be cast");
        return cast(call.name, *value);
    }
    if (arguments.positional.empty()) {
        throw FunctionError{"needs a value"};
    }
    return cast(call.name,
                arguments.positional.size() == 1 ? arguments.positional[0] : simple_choice(arguments.positional));
}

AUDYN_INLINE Element call_choice(const FunctionCall& call) {
    const Arguments arguments(call, {}, true);
    for (const Element& element : arguments.positional) {
        const bool allowed = !is_null(element) && (is_plain(element) || element.type == Type::choice);
        require(
            element, [allowed](const Element&) { return allowed; }, "values, not null, ranges or globs");
    }
    if (arguments.positional.empty()) {
        throw FunctionError{"needs at least one value"};
    }
    const Element& first = arguments.positional[0];
    if (arguments.positional.size() == 1 && first.type == Type::choice) {
        if (!first.simple) {
            throw FunctionError{"a choice in a choice is not supported"};
        }
        Element result = first;
        result.simple = false;
        return result;
    }
    return Element::choice(arguments.positional, false);
}

AUDYN_INLINE Element call_range(const FunctionCall& call) {
    const Arguments arguments(call, {"start", "stop", "step"}, false);
    const Element start = arguments.required("start");
    const Element* stop = arguments.given("stop");
    const Element step = arguments["step"] ? *arguments["step"] : Element::literal(Value(1));
    require(start, is_number, "numbers");
    require(step, is_number, "numbers");
    if (stop != nullptr) {
        require(*stop, is_number, "numbers");
    }
    Element result;
    result.type = Type::range;
    result.items = stop != nullptr ? Elements{start, *stop, step} : Elements{Element::literal(Value(0)), start, step};
    return result;
}

AUDYN_INLINE Element call_interval(const FunctionCall& call) {
    const Arguments arguments(call, {"start", "end"}, false);
    Element result;
    result.type = Type::interval;
    for (const std::string_view name : {"start", "end"}) {
        require(arguments.required(name), is_number, "two numbers");
        result.items.push_back(Element::literal(Value(number_of(arguments.required(name)))));
    }
    return result;
}

AUDYN_INLINE Element call_glob(const FunctionCall& call) {
    const Arguments arguments(call, {"include", "exclude"}, false);
    const auto patterns = [](const Element* element) {
        Element list;
        list.type = Type::list;
        if (element != nullptr) {
            require(
                *element, [](const Element& e) { return is_text(e) || e.type == Type::list; },
                "a pattern or a list of patterns");
            list.items = element->type == Type::list ? element->items : Elements{*element};
        }
        return list;
    };
    Element result;
    result.type = Type::glob;
    const Element& include = arguments.required("include");
    result.items = {patterns(&include), patterns(arguments.given("exclude"))};
    return result;
}

AUDYN_INLINE Element call_tag(const FunctionCall& call) {
    const Arguments arguments(call, {"sweep"}, true);
    Elements all = arguments.positional;
    if (all.empty()) {
        throw FunctionError{"needs a sweep"};
    }
    if (const Element* sweep = arguments.given("sweep")) {
        all.push_back(*sweep);
    }
    for (const Element& element : all) {
        require(
            element, [](const Element& e) { return is_text(e) || is_tagged(e); }, "names and a sweep");
    }
    if (!is_tagged(all.back()) || !std::all_of(all.begin(), all.end() - 1, is_text)) {
        throw FunctionError{"needs names, then one choice, range or interval"};
    }
    return all.back();
}

AUDYN_INLINE bool is_orderable_argument(const Element& element) {
    return !is_null(element) && element.type != Type::interval && element.type != Type::glob &&
           element.type != Type::quoted;
}

AUDYN_INLINE Element call_shuffle(const FunctionCall& call) {
    const Arguments arguments(call, {"sweep", "list"}, true);
    for (const Element& element : arguments.positional) {
        require(element, is_orderable_argument, "values, a choice or a range");
    }
    const Element* list = arguments.given("list");
    const Element* sweep = arguments.given("sweep");
    if (list != nullptr) {
        require(
            *list, [](const Element& e) { return e.type == Type::list; }, "a list");
    }
    if (sweep != nullptr) {
        require(*sweep, is_choice_or_range, "a choice or a range");
    }
    return shuffled(list != nullptr ? Elements{*list} : sweep != nullptr ? Elements{*sweep} : arguments.positional);
}

AUDYN_INLINE Element call_sort(const FunctionCall& call) {
    const Arguments arguments(call, {"sweep", "list", "reverse"}, true);
    for (const Element& element : arguments.positional) {
        require(element, is_orderable_argument, "values, a choice or a range");
    }
    bool reverse = false;
    if (arguments["reverse"]) {
        require(
            *arguments["reverse"],
            [](const Element& e) { return e.type == Type::scalar && e.value.kind() == Kind::boolean; },
            "'reverse' to be true or false");
        reverse = *arguments["reverse"]->value.get_if<bool>();
    }
    Elements all = arguments.positional;
    if (const Element* list = arguments.given("list")) {
        require(
            *list, [](const Element& e) { return e.type == Type::list; }, "a list");
        all = {*list};
    } else if (const Element* sweep = arguments.given("sweep")) {
        require(*sweep, is_choice_or_range, "a choice or a range");
        all = {*sweep};
    }
    if (all.empty()) {
        throw FunctionError{"needs something to sort"};
    }
    if (all.size() == 1) {
        Element only = all[0];
        if (only.type == Type::list) {
            only.items = sorted(std::move(only.items), reverse);
            return only;
        }
        return is_choice_or_range(only) ? sorted_sweep(std::move(only), reverse) : only;
    }
    for (const Element& element : all) {
        require(
            element, [](const Element& e) { return is_number(e) || is_text(e); }, "numbers or strings");
    }
    return sorted_sweep(simple_choice(all), reverse);
}

} // namespace audyn::config::grammar::functions

namespace audyn::config::grammar {

AUDYN_INLINE Element evaluate(const FunctionCall& call) {
    FunctionCall unquoted = call;
    const auto unquote = [](Element& element) {
        element.type = element.type == Element::Type::quoted ? Element::Type::scalar : element.type;
    };
    std::ranges::for_each(unquoted.positional, unquote);
    std::ranges::for_each(unquoted.named, [&](auto& argument) { unquote(argument.second); });
    std::vector<std::string> names;
    for (const auto& entry : functions::table()) {
        if (entry.name == call.name) {
            return entry.function(unquoted);
        }
        names.emplace_back(entry.name);
    }
    throw FunctionError{concat(
        {"there is no such function; quote the value if no function is meant. The functions are: ", join(names)})};
}

} // namespace audyn::config::grammar
