#pragma once

#include <audyn/adapter/argument.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/core/error.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/data/dataset.hpp>
#include <audyn/data/loader.hpp>
#include <audyn/trainer/callback.hpp>

#include <algorithm>
#include <any>
#include <array>
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
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
        static_assert(sizeof...(Specs) == sizeof...(Parameters),
                      "audyn: name each argument, in order, with audyn::arg");
    }

    struct Description {
        std::string name;
        std::string type;
        bool required;
    };
    [[nodiscard]] std::vector<Description> describe() const {
        return std::apply(
            [](const auto&... slots) {
                return std::vector<Description>{{slots.name, slots.type(), !slots.fallback.has_value()}...};
            },
            slots_);
    }

    /// Calls `function` with the arguments that `node` gives. \throws ConfigError
    template <class Function>
    auto call(const Function& function, const Config& node, const Targets& targets) const {
        return std::apply(
            [&](const auto&... slots) {
                // Braces evaluate in order, so errors come in the order of the arguments.
                std::tuple<Parameters...> arguments{slots.get(node, targets)...};
                return std::apply(function, std::move(arguments));
            },
            slots_);
    }

    /// \throws ConfigError for an argument that is missing or of the wrong type.
    void check(const Config& node, const Targets& targets) const {
        std::apply([&](const auto&... slots) { (slots.check(node, targets), ...); }, slots_);
    }

private:
    template <class T>
    struct Slot {
        using Value = T;
        std::string name;
        std::optional<T> fallback;

        static std::string type() { return type_name<T>(); }

        T get(const Config& node, const Targets& targets) const {
            if (const auto value = node.find(name)) {
                return convert_argument<T>(*value, targets);
            }
            return fallback_or_throw(node);
        }
        void check(const Config& node, const Targets& targets) const {
            if (const auto value = node.find(name)) {
                check_argument<T>(*value, targets);
            } else {
                static_cast<void>(fallback_or_throw(node));
            }
        }
        T fallback_or_throw(const Config& node) const {
            if (!fallback) {
                throw node.error("the argument '" + name + "' (" + type() + ") is missing");
            }
            return *fallback;
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

/// What `_target_` may name: the toolkit's own targets and those that a program adds; and the resolvers and constants
/// that the program adds to its configuration.
class Targets {
public:
    /// Makes `_target_: name` build a `T` from the named arguments. Classes derived from Dataset, Loader, Criterion and
    /// Callback serve wherever one of those is asked for; a module holder or any other class serves as itself.
    template <class T, class... Parameters>
    Targets& add(std::string name, Signature<Parameters...> signature) {
        if constexpr (std::derived_from<T, data::Dataset>) {
            return add_shared<T, data::Dataset>(std::move(name), std::move(signature));
        } else if constexpr (std::derived_from<T, data::Loader>) {
            return add_shared<T, data::Loader>(std::move(name), std::move(signature));
        } else if constexpr (std::derived_from<T, criterion::Criterion>) {
            return add_shared<T, criterion::Criterion>(std::move(name), std::move(signature));
        } else if constexpr (std::derived_from<T, trainer::Callback>) {
            return add_shared<T, trainer::Callback>(std::move(name), std::move(signature));
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
        Target target{typeid(Product), {}, {}, {}};
        for (const auto& argument : signature.describe()) {
            target.argument_names.push_back(argument.name);
            target.help += (target.help.empty() ? "" : ", ") + argument.name + ": " + argument.type +
                           (argument.required ? "" : " (optional)");
        }
        target.check = [signature](const Config& node, const Targets& targets) { signature.check(node, targets); };
        target.make = [signature, function](const Config& node, const Targets& targets) {
            return std::any(Product(signature.call(function, node, targets)));
        };
        targets_.insert_or_assign(std::move(name), std::move(target));
        return *this;
    }

    /// Makes `${const:name}` yield `value`.
    Targets& add_constant(const std::string& name, config::Value value) {
        resolvers_.add_constant(name, std::move(value));
        return *this;
    }
    /// Makes `${name:...}` call `function`.
    template <class Function>
    Targets& add_resolver(const std::string& name, Function function) {
        resolvers_.add(name, std::move(function));
        return *this;
    }
    [[nodiscard]] config::Resolvers& resolvers() { return resolvers_; }
    [[nodiscard]] const config::Resolvers& resolvers() const { return resolvers_; }

    /// Takes the targets of `other`, which win over those of the same name here, and its resolvers.
    void merge(Targets other) {
        other.targets_.merge(targets_);
        targets_ = std::move(other.targets_);
        resolvers_ = std::move(other.resolvers_);
    }

    /// Builds what `node` describes. \throws ConfigError for an unknown target, one that builds something else, and for
    /// arguments that are unknown, missing or of the wrong type. Keys in `reserved` are no arguments.
    template <class Product>
    [[nodiscard]] Product build(const Config& node, const std::vector<std::string>& reserved = {}) const {
        const Target& target = require<Product>(node, reserved);
        try {
            return std::any_cast<Product>(target.make(node, *this));
        } catch (const UsageError& error) {
            throw node.error(node.get<std::string>("_target_") + ": " + error.what());
        }
    }

    /// Checks what `build` would build, without building it. \throws ConfigError
    template <class Product>
    void check(const Config& node, const std::vector<std::string>& reserved = {}) const {
        require<Product>(node, reserved).check(node, *this);
    }

    /// Whether `node` names a target that builds a `Product`. \throws ConfigError when the target is unknown.
    template <class Product>
    [[nodiscard]] bool builds(const Config& node) const {
        return find(node).product == typeid(Product);
    }

    /// What `_target_` may be, for the shell's completion.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const auto& [name, target] : targets_) {
            result.push_back(name);
        }
        return result;
    }

    /// Each target with its arguments: for --help.
    [[nodiscard]] std::string help() const {
        std::string text;
        for (const auto& [name, target] : targets_) {
            text += "  " + name + "(" + target.help + ")\n";
        }
        return text;
    }

private:
    struct Target {
        std::type_index product;
        std::vector<std::string> argument_names;
        std::string help;
        std::function<std::any(const Config&, const Targets&)> make = {};
        std::function<void(const Config&, const Targets&)> check = {};
    };

    /// The target that `node` names.
    [[nodiscard]] const Target& find(const Config& node) const {
        const auto name_node = node.is_dict() ? node.find("_target_") : std::nullopt;
        if (!name_node) {
            throw node.error("a group with `_target_` is needed here");
        }
        const auto name = name_node->as<std::string>();
        const auto found = targets_.find(name);
        if (found == targets_.end()) {
            std::vector<std::string> known;
            for (const auto& [candidate, target] : targets_) {
                known.push_back(candidate);
            }
            throw name_node->error_unknown("target", name, known);
        }
        return found->second;
    }

    template <class Product>
    [[nodiscard]] const Target& require(const Config& node, const std::vector<std::string>& reserved) const {
        const Target& target = find(node);
        if (target.product != typeid(Product)) {
            std::string fitting;
            for (const auto& [name, candidate] : targets_) {
                if (candidate.product == typeid(Product)) {
                    fitting += (fitting.empty() ? "" : ", ") + name;
                }
            }
            throw node.at("_target_")
                .error("the target '" + node.get<std::string>("_target_") +
                       "' builds something else than is needed here; what fits: " +
                       (fitting.empty() ? "none is registered" : fitting));
        }
        check_names(node, target, reserved);
        return target;
    }

    static void check_names(const Config& node, const Target& target, const std::vector<std::string>& reserved) {
        for (const std::string& key : node.keys()) {
            // Hydra's own keys; how Python converts containers means nothing here.
            if (key == "_target_" || key == "_convert_" || key == "_recursive_" || contains(reserved, key)) {
                continue;
            }
            if (key == "_partial_" || key == "_args_") {
                throw node.at(key).error("`" + key + "` is not supported; give the arguments by name");
            }
            if (!contains(target.argument_names, key)) {
                throw node.at(key).error_unknown("argument of " + node.get<std::string>("_target_"), key,
                                                 target.argument_names);
            }
        }
    }

    static bool contains(const std::vector<std::string>& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    std::map<std::string, Target> targets_;
    config::Resolvers resolvers_;
};

} // namespace audyn::adapter

namespace audyn {
using adapter::constructor;
using adapter::Targets;
} // namespace audyn
