#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/scalar.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
    [[nodiscard]] Value select(std::string_view path) const;

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
    Resolvers& add(std::string name, Resolver resolver);

    /// Makes `${const:NAME}` yield a `Constant`, whose meaning the reader knows.
    Resolvers& add_constant(std::string name);
    /// Makes `${const:NAME}` yield this value, and `${const:NAME + 1}` one more.
    Resolvers& add_constant(std::string name, Value value);

    [[nodiscard]] const Resolver* find(std::string_view name) const;

    /// The value of `NAME` or `NAME + NUMBER + ...`. Throws `ConfigError` when the name is unknown or the number is
    /// none.
    [[nodiscard]] Value constant(std::string_view expression) const;

    /// Names of the program's own resolvers.
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] std::vector<std::string> constant_names() const;

private:
    std::map<std::string, Resolver, std::less<>> resolvers_;
    std::map<std::string, std::optional<Value>, std::less<>> constants_;
};

namespace detail {

[[nodiscard]] AUDYN_INLINE std::string_view trimmed(std::string_view text);

using Number = std::variant<std::int64_t, double>;

[[nodiscard]] AUDYN_INLINE Number sum(const Number& left, const Number& right);

/// A number without a sign: digits, or a decimal number.
[[nodiscard]] AUDYN_INLINE std::optional<Number> unsigned_number(std::string_view text);

} // namespace detail

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/resolvers.ipp>
#endif
