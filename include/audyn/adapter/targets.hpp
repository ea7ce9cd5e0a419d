#pragma once

#include <audyn/adapter/argument.hpp>
#include <audyn/adapter/arguments.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/data/dataset.hpp>
#include <audyn/data/loader.hpp>
#include <audyn/metrics/stateful_metric.hpp>
#include <audyn/trainer/callback.hpp>

#include <any>
#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

namespace audyn::adapter {

class Targets;

/// Types, names and defaults of the arguments that a target takes.
template <class... Parameters>
class Signature {
public:
    template <class... Specs>
    explicit Signature(Specs... specs) : slots_{slot<Parameters>(std::move(specs))...} {
        std::size_t index = 0;
        std::apply([&](auto&... slots) { ((slots.index = index++), ...); }, slots_);
        static_assert(sizeof...(Specs) == sizeof...(Parameters),
                      "audyn: name each argument, in order, with audyn::arg");
    }

    [[nodiscard]] std::vector<std::string> names() const {
        return std::apply([](const auto&... slots) { return std::vector<std::string>{slots.name...}; }, slots_);
    }
    /// `channels: int, dropout: float = 0.1`.
    [[nodiscard]] std::string describe() const {
        return std::apply([](const auto&... slots) { return config::join({slots.describe()...}); }, slots_);
    }

    /// Calls `function` with the arguments that are given. \throws ConfigError
    template <class Function>
    auto call(const Function& function, const Arguments& given, const Targets& targets) const {
        return std::apply(
            [&](const auto&... slots) {
                // Braces evaluate in order.
                std::tuple<Parameters...> arguments{slots.get(given, targets)...};
                return std::apply(function, std::move(arguments));
            },
            slots_);
    }

    /// Adds each argument that is missing or of the wrong type.
    void check(const Arguments& given, const Targets& targets, config::Mistakes& mistakes) const {
        std::apply([&](const auto&... slots) { (mistakes.attempt([&] { slots.check(given, targets); }), ...); },
                   slots_);
    }

private:
    template <class T>
    struct Slot {
        std::string name;
        std::optional<T> fallback;
        std::size_t index = 0;

        [[nodiscard]] std::string describe() const {
            const std::string text = name + ": " + type_name<T>();
            const std::string value = fallback ? default_text(*fallback) : "";
            return text + (!fallback ? "" : value.empty() ? " (optional)" : " = " + value);
        }

        T get(const Arguments& given, const Targets& targets) const {
            if (const auto value = given.find(index)) {
                return explained(given, [&] { return convert_argument<T>(*value, targets); });
            }
            return fallback ? *fallback : (given.throw_missing(name, type_name<T>()), *fallback);
        }
        void check(const Arguments& given, const Targets& targets) const {
            const auto value = given.find(index);
            if (!value && !fallback) {
                given.throw_missing(name, type_name<T>());
            }
            if (value && is_part<T> && !given.recursive()) {
                throw value->error(
                    "must be built, but `_recursive_: false` leaves it as it is; leave `_recursive_` out");
            }
            if (value) {
                explained(given, [&] { check_argument<T>(*value, targets); });
            }
        }

        /// A part explains its own mistakes; a plain value is explained by the signature.
        template <class Function>
        static auto explained(const Arguments& given, const Function& function) {
            if constexpr (is_part<T> || is_factory<T>) {
                return function();
            } else {
                try {
                    return function();
                } catch (const ConfigError& error) {
                    throw ConfigError(error.what() + ("\n" + given.hint()));
                }
            }
        }
    };

    template <class T>
    static Slot<T> slot(Arg spec) {
        return {std::move(spec.name), std::nullopt};
    }
    template <class T, class Default>
    static Slot<T> slot(ArgWithDefault<Default> spec) {
        return {std::move(spec.name), T(std::move(spec.value))};
    }

    std::tuple<Slot<Parameters>...> slots_;
};

/// The arguments of a constructor, named in order: `constructor<int64_t, double>(arg("channels"), arg("dropout") =
/// 0.1)`.
template <class... Parameters, class... Specs>
[[nodiscard]] Signature<Parameters...> constructor(Specs... specs) {
    return Signature<Parameters...>(std::move(specs)...);
}

namespace detail {

/// Result and parameters of a function or of a callable that is not overloaded.
template <class Function>
struct FunctionTraits {};
template <class Function>
requires requires {
    &Function::operator();
}
struct FunctionTraits<Function> : FunctionTraits<decltype(&Function::operator())> {};
template <class Result, class... Parameters>
struct FunctionTraits<Result (*)(Parameters...)> {
    using Product = std::decay_t<Result>;
    using Arguments = Signature<std::decay_t<Parameters>...>;
};
template <class Class, class Result, class... Parameters>
struct FunctionTraits<Result (Class::*)(Parameters...) const> : FunctionTraits<Result (*)(Parameters...)> {};
template <class Class, class Result, class... Parameters>
struct FunctionTraits<Result (Class::*)(Parameters...)> : FunctionTraits<Result (*)(Parameters...)> {};

/// Products that are completed later, by whoever calls them.
template <class T>
inline constexpr bool is_function = false;
template <class Result, class... Parameters>
inline constexpr bool is_function<std::function<Result(Parameters...)>> = true;

/// The classes in whose place a program's own serve.
template <class T>
struct Base {
    using type = std::conditional_t<
        std::derived_from<T, data::Dataset>, data::Dataset,
        std::conditional_t<
            std::derived_from<T, data::Loader>, data::Loader,
            std::conditional_t<
                std::derived_from<T, criterion::Criterion>, criterion::Criterion,
                std::conditional_t<
                    std::derived_from<T, metrics::StatefulMetric>, metrics::StatefulMetric,
                    std::conditional_t<std::derived_from<T, trainer::Callback>, trainer::Callback, void>>>>>;
};

/// What a function's result serves as.
template <class T>
struct Served {
    using type = T;
};
template <class T>
requires(!std::is_void_v<typename Base<T>::type>) struct Served<std::shared_ptr<T>> {
    using type = std::shared_ptr<typename Base<T>::type>;
};

} // namespace detail

/// What `_target_` may name: the toolkit's own targets and those that a program adds; and the resolvers and constants
/// that the program adds to its configuration.
class Targets {
public:
    /// Makes `_target_: name` build a `T` from the named arguments. Classes derived from Dataset, Loader, Criterion,
    /// StatefulMetric and Callback serve wherever one of those is asked for; a module holder or any other class serves
    /// as itself.
    template <class T, class... Parameters>
    Targets& add(std::string name, Signature<Parameters...> signature) {
        using Base = typename detail::Base<T>::type;
        if constexpr (!std::is_void_v<Base>) {
            return add_shared<T, Base>(std::move(name), std::move(signature));
        } else {
            return add_function<T>(std::move(name), std::move(signature),
                                   [](Parameters... arguments) { return T(std::move(arguments)...); });
        }
    }
    /// The same for a class without arguments.
    template <class T>
    Targets& add(std::string name) {
        return add<T>(std::move(name), Signature<>());
    }

    /// Makes `_target_: name` build a `T` that serves as `std::shared_ptr<Base>`, for a program's own base classes.
    template <class T, class Base, class... Parameters>
    Targets& add_shared(std::string name, Signature<Parameters...> signature) {
        return add_function<std::shared_ptr<Base>>(std::move(name), std::move(signature),
                                                   [](Parameters... arguments) -> std::shared_ptr<Base> {
                                                       return std::make_shared<T>(std::move(arguments)...);
                                                   });
    }

    /// Makes `_target_: name` call `function` with the named arguments; it returns a `Product`.
    template <class Product, class... Parameters, class Function>
    Targets& add_function(std::string name, Signature<Parameters...> signature, Function function) {
        Target target{typeid(Product), name, signature.names(), signature.describe()};
        target.check = [signature](const Arguments& given, const Targets& targets, config::Mistakes& mistakes) {
            signature.check(given, targets, mistakes);
        };
        target.make = [signature, function](const Arguments& given, const Targets& targets) {
            return std::any(Product(signature.call(function, given, targets)));
        };
        targets_.insert_or_assign(std::move(name), std::move(target));
        return *this;
    }
    /// The same with types and result as the function declares them: `add_function("Speech", speech, arg("root"))`.
    template <class Function, class... Specs>
    requires requires { typename detail::FunctionTraits<Function>::Product; }
    Targets& add_function(std::string name, Function function, Specs... specs) {
        using Traits = detail::FunctionTraits<Function>;
        return add_function<typename detail::Served<typename Traits::Product>::type>(
            std::move(name), typename Traits::Arguments(std::move(specs)...), std::move(function));
    }

    /// Makes `${const:name}` yield `value`.
    Targets& add_constant(const std::string& name, config::Value value);
    /// Makes `${name:...}` call `function`.
    template <class Function>
    Targets& add_resolver(const std::string& name, Function function) {
        resolvers_.add(name, std::move(function));
        return *this;
    }
    [[nodiscard]] config::Resolvers& resolvers() { return resolvers_; }
    [[nodiscard]] const config::Resolvers& resolvers() const { return resolvers_; }

    /// Takes the targets of `other`, which win over those of the same name here, and its resolvers.
    void merge(Targets other);

    /// Builds what `node` describes. \throws ConfigError for an unknown target, one that builds something else, and for
    /// arguments that are unknown, missing or of the wrong type. Keys in `reserved` are no arguments.
    template <class Product>
    [[nodiscard]] Product build(const Config& node, const std::vector<std::string>& reserved = {}) const {
        return build_target<Product>(node, reserved, detail::is_function<Product>);
    }

    /// Checks what `build` would build, without building it. \throws ConfigError that tells every mistake.
    template <class Product>
    void check(const Config& node, const std::vector<std::string>& reserved = {}) const {
        check_target<Product>(node, reserved, detail::is_function<Product>);
    }

    /// A function that builds what `node` describes, with `_partial_: true`, each time it is called. It refers to these
    /// targets. \throws ConfigError
    template <class Product>
    [[nodiscard]] std::function<Product()> factory(const Config& node) const {
        check_factory<Product>(node);
        return [this, node] { return build_target<Product>(node, {}, true); };
    }
    /// Checks what `factory` would build. \throws ConfigError
    template <class Product>
    void check_factory(const Config& node) const {
        check_target<Product>(node, {}, true);
        if (!node.get_optional<bool>("_partial_").value_or(false)) {
            throw node.error("must say `_partial_: true`: it is built later, as often as it is needed");
        }
    }

    /// Whether `node` names a target that builds a `Product`. \throws ConfigError when the target is unknown.
    template <class Product>
    [[nodiscard]] bool builds(const Config& node) const {
        return find(node).product == typeid(Product);
    }

    /// What `_target_` may be, for the shell's completion.
    [[nodiscard]] std::vector<std::string> names() const;

    /// Those that build a `Product`.
    template <class Product>
    [[nodiscard]] std::vector<std::string> names_of() const {
        std::vector<std::string> result;
        for (const auto& [name, target] : targets_) {
            if (target.product == typeid(Product)) {
                result.push_back(name);
            }
        }
        return result;
    }

    /// Each target with its arguments: for --help.
    [[nodiscard]] std::string help() const;

private:
    struct Target {
        std::type_index product;
        std::string name;
        std::vector<std::string> parameters;
        std::string help;
        std::function<std::any(const Arguments&, const Targets&)> make = {};
        std::function<void(const Arguments&, const Targets&, config::Mistakes&)> check = {};

        [[nodiscard]] std::string signature() const { return name + "(" + help + ")"; }
    };

    template <class Product>
    [[nodiscard]] Product build_target(const Config& node, const std::vector<std::string>& reserved,
                                       bool may_be_partial) const {
        const Target& target = require<Product>(node);
        const Arguments given(node, target.parameters, target.signature());
        given.check_names(reserved);
        check_partial(node, target, may_be_partial);
        try {
            return std::any_cast<Product>(target.make(given, *this));
        } catch (const UsageError& error) {
            throw node.error(target.name + ": " + error.what());
        }
    }

    template <class Product>
    void check_target(const Config& node, const std::vector<std::string>& reserved, bool may_be_partial) const {
        const Target& target = require<Product>(node);
        const Arguments given(node, target.parameters, target.signature());
        config::Mistakes mistakes;
        mistakes.attempt([&] { given.check_names(reserved); });
        mistakes.attempt([&] { check_partial(node, target, may_be_partial); });
        target.check(given, *this, mistakes);
        mistakes.throw_if_any();
    }

    static void check_partial(const Config& node, const Target& target, bool may_be_partial);

    /// The target that `node` names.
    [[nodiscard]] const Target& find(const Config& node, const std::vector<std::string>& fitting = {}) const;
    [[noreturn]] static void throw_missing(const Config& node, const std::vector<std::string>& fitting);
    [[noreturn]] void throw_unknown(const Config& node, const std::string& name,
                                    const std::vector<std::string>& fitting) const;

    template <class Product>
    [[nodiscard]] const Target& require(const Config& node) const {
        const std::vector<std::string> fitting = names_of<Product>();
        const Target& target = find(node, fitting);
        if (target.product != typeid(Product)) {
            throw node.at("_target_")
                .error("names '" + target.name + "', which builds something else than is needed here; what fits: " +
                       (fitting.empty() ? "none is registered" : config::join(fitting)));
        }
        return target;
    }

    std::map<std::string, Target> targets_;
    config::Resolvers resolvers_;
};

/// The targets that `audyn::main` attached to the configuration. \throws UsageError when there are none.
[[nodiscard]] AUDYN_INLINE std::shared_ptr<Targets> require_targets(const Config& config);

} // namespace audyn::adapter

namespace audyn {
using adapter::constructor;
using adapter::Targets;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/targets.ipp>
#endif
