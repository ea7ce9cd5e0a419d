#pragma once

#include <audyn/adapter/constants.hpp>
#include <audyn/config/config.hpp>

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::adapter {

/// An argument of a target with a default value, made by `arg("dropout") = 0.1`.
template <class T>
struct ArgWithDefault {
    std::string name;
    T value;
};

/// The name of an argument of a target: `arg("channels")`, or `arg("dropout") = 0.1` where it has a default.
struct Arg {
    std::string name;

    template <class T>
    ArgWithDefault<std::decay_t<T>> operator=(T&& value) && {
        return {std::move(name), std::forward<T>(value)};
    }
};

[[nodiscard]] inline Arg arg(std::string name) {
    return {std::move(name)};
}

/// Type of an argument that Python's class has and that means nothing here: null or false is accepted, any other value
/// is an error.
struct Unsupported {};

/// A part that another target builds: a class held by std::shared_ptr, or a module holder.
template <class T>
inline constexpr bool is_part = requires {
    typename T::ContainedType;
};
template <class T>
inline constexpr bool is_part<std::shared_ptr<T>> = true;
/// Or a function that whoever calls it completes.
template <class Product, class Parameter, class... Parameters>
inline constexpr bool is_part<std::function<Product(Parameter, Parameters...)>> = true;

/// An argument that is one value for all, or a list.
template <class T>
struct OneOrMore {
    OneOrMore() = default;
    OneOrMore(T value) : values{std::move(value)} {}

    std::vector<T> values;
};
template <class T>
inline constexpr bool is_one_or_more = false;
template <class T>
inline constexpr bool is_one_or_more<OneOrMore<T>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_optional_argument = false;
template <class T>
inline constexpr bool is_optional_argument<std::optional<T>> = true;

/// A part that is built later, as often as it is asked for: the node says `_partial_: true`.
template <class T>
inline constexpr bool is_factory = false;
template <class Product>
inline constexpr bool is_factory<std::function<Product()>> = true;

/// How the type of an argument is called in help and errors.
template <class T>
[[nodiscard]] std::string type_name() {
    if constexpr (is_optional_argument<T>) {
        return type_name<typename T::value_type>() + " or null";
    } else if constexpr (is_vector<T>) {
        return "list of " + type_name<typename T::value_type>();
    } else if constexpr (is_one_or_more<T>) {
        using Values = decltype(T::values);
        return type_name<typename Values::value_type>() + " or " + type_name<Values>();
    } else if constexpr (std::is_same_v<T, bool>) {
        return "bool";
    } else if constexpr (std::is_integral_v<T>) {
        return "int";
    } else if constexpr (std::is_floating_point_v<T>) {
        return "float";
    } else if constexpr (std::is_same_v<T, at::ScalarType>) {
        return "dtype";
    } else if constexpr (std::is_same_v<T, std::pair<double, double>>) {
        return "two floats";
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::filesystem::path>) {
        return "string";
    } else if constexpr (std::is_same_v<T, Config>) {
        return "any";
    } else if constexpr (std::is_same_v<T, Unsupported>) {
        return "unused";
    } else if constexpr (is_factory<T>) {
        return "_target_ with _partial_: true";
    } else {
        return "_target_";
    }
}

/// How a default value is shown in help and errors; empty where it has no short text.
template <class T>
[[nodiscard]] std::string default_text(const T& value) {
    if constexpr (is_optional_argument<T>) {
        return value ? default_text(*value) : "null";
    } else if constexpr (std::is_same_v<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::is_integral_v<T>) {
        return std::to_string(value);
    } else if constexpr (std::is_floating_point_v<T>) {
        return config::float_text(static_cast<double>(value));
    } else if constexpr (std::is_same_v<T, std::string>) {
        return "'" + value + "'";
    } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
        return "'" + value.string() + "'";
    } else if constexpr (std::is_same_v<T, at::ScalarType>) {
        return dtype_name(value);
    } else if constexpr (std::is_same_v<T, std::pair<double, double>>) {
        return "[" + default_text(value.first) + ", " + default_text(value.second) + "]";
    } else if constexpr (is_vector<T>) {
        std::string text;
        for (const auto& item : value) {
            text += (text.empty() ? "" : ", ") + default_text(typename T::value_type(item));
        }
        return "[" + text + "]";
    } else if constexpr (is_one_or_more<T>) {
        return value.values.size() == 1 ? default_text(value.values.front()) : default_text(value.values);
    } else {
        return "";
    }
}

/// A value of a configuration as an argument of type T; parts are built through `targets`. \throws ConfigError
template <class T, class Targets>
[[nodiscard]] T convert_argument(const Config& node, const Targets& targets) {
    if constexpr (is_optional_argument<T>) {
        return node.is_null() ? T() : T(convert_argument<typename T::value_type>(node, targets));
    } else if constexpr (is_part<T>) {
        return targets.template build<T>(node);
    } else if constexpr (is_factory<T>) {
        return targets.template factory<typename T::result_type>(node);
    } else if constexpr (is_vector<T>) {
        T items;
        for (const Config& element : node.elements()) {
            items.push_back(convert_argument<typename T::value_type>(element, targets));
        }
        return items;
    } else if constexpr (is_one_or_more<T>) {
        using Values = decltype(T::values);
        T argument;
        argument.values = node.is_list() ? convert_argument<Values>(node, targets)
                                         : Values{convert_argument<typename Values::value_type>(node, targets)};
        return argument;
    } else if constexpr (std::is_same_v<T, at::ScalarType>) {
        return as_dtype(node);
    } else if constexpr (std::is_same_v<T, std::pair<double, double>>) {
        const auto values = node.as<std::vector<double>>();
        if (values.size() != 2) {
            throw node.error("two numbers are needed, this list has " + std::to_string(values.size()));
        }
        return {values[0], values[1]};
    } else if constexpr (std::is_same_v<T, Unsupported>) {
        if (!node.is_null() && !(node.is_bool() && !node.as<bool>())) {
            throw node.error("'" + node.key() + "' has no meaning here; leave it out, or set it to null");
        }
        return {};
    } else {
        return node.as<T>();
    }
}

/// Checks what `convert_argument` would convert, without building any part.
template <class T, class Targets>
void check_argument(const Config& node, const Targets& targets) {
    if constexpr (is_optional_argument<T>) {
        if (!node.is_null()) {
            check_argument<typename T::value_type>(node, targets);
        }
    } else if constexpr (is_part<T>) {
        targets.template check<T>(node);
    } else if constexpr (is_factory<T>) {
        targets.template check_factory<typename T::result_type>(node);
    } else if constexpr (is_vector<T>) {
        for (const Config& element : node.elements()) {
            check_argument<typename T::value_type>(element, targets);
        }
    } else if constexpr (is_one_or_more<T>) {
        using Values = decltype(T::values);
        if (node.is_list()) {
            check_argument<Values>(node, targets);
        } else {
            check_argument<typename Values::value_type>(node, targets);
        }
    } else {
        static_cast<void>(convert_argument<T>(node, targets));
    }
}

} // namespace audyn::adapter

namespace audyn {
using adapter::arg;
} // namespace audyn
