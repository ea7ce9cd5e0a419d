#pragma once

#include <audyn/config/resolvers.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <charconv>
#include <system_error>

namespace audyn::config {

AUDYN_INLINE Value ResolverContext::select(std::string_view path) const {
    if (auto value = find(path)) {
        return std::move(*value);
    }
    throw error_at(location(), concat({"'", key(), "' needs the key '", path, "', which does not exist"}));
}

AUDYN_INLINE Resolvers& Resolvers::add(std::string name, Resolver resolver) {
    resolvers_.insert_or_assign(std::move(name), std::move(resolver));
    return *this;
}

AUDYN_INLINE Resolvers& Resolvers::add_constant(std::string name) {
    constants_.insert_or_assign(std::move(name), std::nullopt);
    return *this;
}

AUDYN_INLINE Resolvers& Resolvers::add_constant(std::string name, Value value) {
    constants_.insert_or_assign(std::move(name), std::move(value));
    return *this;
}

AUDYN_INLINE const Resolver* Resolvers::find(std::string_view name) const {
    const auto found = resolvers_.find(name);
    return found == resolvers_.end() ? nullptr : &found->second;
}

AUDYN_INLINE std::vector<std::string> Resolvers::names() const {
    std::vector<std::string> result;
    for (const auto& [name, resolver] : resolvers_) {
        result.push_back(name);
    }
    return result;
}

AUDYN_INLINE std::vector<std::string> Resolvers::constant_names() const {
    std::vector<std::string> result;
    for (const auto& [name, value] : constants_) {
        result.push_back(name);
    }
    return result;
}

} // namespace audyn::config

namespace audyn::config::detail {

AUDYN_INLINE std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\n\r");
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(" \t\n\r") - begin + 1);
}

AUDYN_INLINE Number sum(const Number& left, const Number& right) {
    if (const auto* first = std::get_if<std::int64_t>(&left)) {
        if (const auto* second = std::get_if<std::int64_t>(&right)) {
            std::int64_t total = 0;
            if (!__builtin_add_overflow(*first, *second, &total)) {
                return total;
            }
        }
    }
    const auto as_double = [](const Number& number) {
        return std::visit([](auto part) { return static_cast<double>(part); }, number);
    };
    return as_double(left) + as_double(right);
}

AUDYN_INLINE std::optional<Number> unsigned_number(std::string_view text) {
    if (!text.empty() && scalar::span_of(text, scalar::is_digit) == text.size()) {
        const Value value = scalar::integer_value(text, 10, false);
        if (const auto* integer = value.get_if<std::int64_t>()) {
            return *integer;
        }
    }
    double number = 0.0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool complete = !text.empty() && (scalar::is_digit(text[0]) || text[0] == '.') && code == std::errc{} &&
                          end == text.data() + text.size();
    return complete ? std::optional<Number>(number) : std::nullopt;
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE Value Resolvers::constant(std::string_view expression) const {
    const auto plus = expression.find('+');
    const std::string name(detail::trimmed(expression.substr(0, plus)));
    detail::Number offset = std::int64_t{0};
    for (auto rest = plus; rest != std::string_view::npos;) {
        const auto next = expression.find('+', rest + 1);
        const std::string_view text = detail::trimmed(expression.substr(rest + 1, next - rest - 1));
        const auto number = detail::unsigned_number(text);
        if (!number) {
            throw ConfigError(concat({"'", text, "' in the constant '", expression, "' is not a number"}));
        }
        offset = detail::sum(offset, *number);
        rest = next;
    }
    const auto found = constants_.find(name);
    if (found == constants_.end()) {
        throw ConfigError(concat({"unknown constant '", name, "'", did_you_mean(name, constant_names())}));
    }
    if (!found->second) {
        return Constant{name, offset};
    }
    const Value& value = *found->second;
    if (plus == std::string_view::npos) {
        return value;
    }
    if (const auto* integer = value.get_if<std::int64_t>()) {
        return std::visit([](auto number) { return Value(number); }, detail::sum(*integer, offset));
    }
    if (const auto* number = value.get_if<double>()) {
        return std::visit([](auto total) { return Value(total); }, detail::sum(*number, offset));
    }
    throw ConfigError(
        concat({"the constant '", name, "' is ", describe(value.kind()), ": no number can be added to it"}));
}

} // namespace audyn::config
