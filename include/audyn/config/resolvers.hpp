#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/scalar.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/value.hpp>

#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::config {

/// What a resolver may know about the place where `${name:...}` stands. Valid during the call only.
class ResolverContext {
public:
    struct Services {
        std::function<std::optional<Value>(std::string_view path)> find;
        std::function<void(std::string message)> warn;
    };

    ResolverContext(const Value& node, Services services) : node_(node), services_(std::move(services)) {}

    /// Full key of the value that holds the interpolation.
    [[nodiscard]] std::string key() const { return node_.path(); }
    [[nodiscard]] const Location& location() const { return node_.location(); }

    /// A copy of another key's value with its interpolations resolved; a path that begins with `.` is relative, as in
    /// `${.key}`. Nothing when there is no such key.
    [[nodiscard]] std::optional<Value> find(std::string_view path) const { return services_.find(path); }

    /// As `find`, but an absent key is an error.
    [[nodiscard]] Value select(std::string_view path) const {
        if (auto value = find(path)) {
            return std::move(*value);
        }
        throw error_at(location(), concat({"'", key(), "' needs the key '", path, "', which does not exist"}));
    }

    /// Adds to the configuration's warnings.
    void warn(std::string message) { services_.warn(std::move(message)); }

private:
    const Value& node_;
    Services services_;
};

/// Computes the value of `${name:arguments}`. A container among the arguments is a resolved copy. Anything thrown
/// becomes a `ConfigError` that names the key.
using Resolver = std::function<Value(std::span<const Value> arguments, ResolverContext& context)>;

/// The resolvers of one configuration: the program's own and its constants, beside the built-in `oc.env`, `oc.select`,
/// `oc.decode`, `oc.create`, `oc.dict.keys`, `oc.dict.values`, `oc.deprecated`, `now`, `hydra` and `const`.
class Resolvers {
public:
    /// Adds a resolver; one of the same name, also a built-in one, is replaced.
    Resolvers& add(std::string name, Resolver resolver) {
        resolvers_.insert_or_assign(std::move(name), std::move(resolver));
        return *this;
    }

    /// Makes `${const:NAME}` yield a `Constant`, whose meaning the reader knows.
    Resolvers& add_constant(std::string name) {
        constants_.insert_or_assign(std::move(name), std::nullopt);
        return *this;
    }
    /// Makes `${const:NAME}` yield this value, and `${const:NAME + 1}` one more.
    Resolvers& add_constant(std::string name, Value value) {
        constants_.insert_or_assign(std::move(name), std::move(value));
        return *this;
    }

    [[nodiscard]] const Resolver* find(std::string_view name) const {
        const auto found = resolvers_.find(name);
        return found == resolvers_.end() ? nullptr : &found->second;
    }

    /// The value of `NAME` or `NAME + NUMBER + ...`. Throws `ConfigError` when the name is unknown or the number is
    /// none.
    [[nodiscard]] Value constant(std::string_view expression) const;

    /// Names of the program's own resolvers.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const auto& [name, resolver] : resolvers_) {
            result.push_back(name);
        }
        return result;
    }
    [[nodiscard]] std::vector<std::string> constant_names() const {
        std::vector<std::string> result;
        for (const auto& [name, value] : constants_) {
            result.push_back(name);
        }
        return result;
    }

private:
    std::map<std::string, Resolver, std::less<>> resolvers_;
    std::map<std::string, std::optional<Value>, std::less<>> constants_;
};

namespace detail {

[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\n\r");
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(" \t\n\r") - begin + 1);
}

using Number = std::variant<std::int64_t, double>;

[[nodiscard]] inline Number sum(const Number& left, const Number& right) {
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

/// A number without a sign: digits, or a decimal number.
[[nodiscard]] inline std::optional<Number> unsigned_number(std::string_view text) {
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

} // namespace detail

inline Value Resolvers::constant(std::string_view expression) const {
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
