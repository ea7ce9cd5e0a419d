#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/interpolation_grammar.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <array>
#include <cstddef>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::config {

/// Cuts a path into keys: `a.b`, `a[b]` and `[a].b` all give two.
[[nodiscard]] AUDYN_INLINE std::vector<std::string> split_path(std::string_view path);

/// An index into a list from a key; nothing when it is not a number.
[[nodiscard]] AUDYN_INLINE std::optional<long long> list_index(std::string_view key);

/// String keys of a dictionary, for "did you mean".
[[nodiscard]] AUDYN_INLINE std::vector<std::string> key_names(const Value& value);

/// A value that was found. `owner` keeps it alive when it is the result of a resolver and not a part of the tree.
struct Found {
    const Value* node = nullptr;
    std::shared_ptr<const Value> owner = nullptr;
    explicit operator bool() const { return node != nullptr; }
};

/// An interpolation leads to a mandatory value that was not given.
class MissingValueError : public ConfigError {
public:
    using ConfigError::ConfigError;
};

/// What the built-in resolvers may know about the run.
struct Environment {
    Resolvers resolvers;
    Value hydra = Value::dict(); ///< a dictionary whose only key `hydra` holds the tree behind `${hydra:...}`
    std::vector<std::string> warnings;
    std::time_t start = std::time(nullptr);              ///< what `${now:...}` means, the same everywhere in a run
    std::function<Value(const std::string&)> parse_text; ///< reads YAML for `oc.create`
};

/// Follows interpolations. Cheap to make; made anew for each access.
class Evaluation {
public:
    explicit Evaluation(Environment& environment) : environment_(environment) {}

    /// The value that `node` stands for: itself unless it is an interpolation. Throws `ConfigError` when it cannot be
    /// resolved.
    Found dereference(const Value& node);

    /// True once a limit was met, after which nothing can be resolved.
    [[nodiscard]] bool is_exhausted() const { return followed_ > limits::interpolations; }

    enum class Status { found, absent, missing, not_container };
    struct Selection {
        Status status = Status::absent;
        Found found;
        std::string stopped_at; ///< the keys up to the one that is absent, missing or no container
        Found container;        ///< where the absent key was looked for
    };

    /// Follows keys from `start`, through interpolations. A `???` on the way gives `missing`; as the last value it is
    /// found.
    Selection select(const Found& start, const std::vector<std::string>& keys);

    /// A key as it stands in `${...}`, absolute or relative to the container `scope`.
    /// Nothing when a relative key climbs above the root.
    static std::optional<std::pair<const Value*, std::string_view>> resolve_scope(const Value* scope,
                                                                                  std::string_view key);

    /// A copy of a tree in which no interpolation is left. `budget` counts the values made.
    Value resolved_copy(const Value& node, std::size_t& budget);
    Value resolved_copy(const Value& node);

    /// Child of a container by a key of a path; nothing when there is none or the index of a list is no number in
    /// range.
    static Found child_of(const Found& container, const std::string& key);

private:
    static ConfigError failure(const Value& node, std::string_view reason, std::string_view hint = {});

    /// A cycle is told from the key that comes first in the alphabet, so that it reads the same wherever it was
    /// entered.
    [[nodiscard]] ConfigError cycle(const Value& node) const;

    Found evaluate_node(const Value& node);

    /// Wraps a computed value so that relative interpolations inside it start at the place of `node`.
    static Found wrap(Value value, const Value& node);

    Found evaluate(const grammar::Expression& expression, const Value& node);

    std::string concatenate(const std::vector<grammar::Expression::Part>& parts, const Value& node);

    Value container(const grammar::Expression& expression, const Value& node);

    static Key to_key(const Value& value, const Value& node);

    /// The text of a path or name whose parts may be interpolations themselves; those must be strings.
    std::string name_of(const grammar::Expression& expression, const Value& node);

    Found reference(const grammar::Expression& expression, const Value& node);

    /// `key` as it is written, `wanted` without the dots that make it relative.
    static std::string not_found(const std::string& key, const std::string& wanted, const Selection& selection);

    /// For a key that is not found: where keys of this name are.
    static std::string elsewhere(const Value& node, std::string_view wanted);

    static void find_key(const Value& node, const std::string& key, std::vector<std::string>& found,
                         std::size_t& visited);

    void warn_missing_elements(const Value& node);

    Found call(const grammar::Expression& expression, const Value& node);

    Found call_user(const Resolver& resolver, const std::string& name, const std::vector<Found>& arguments,
                    const Value& node);

    std::optional<Value> find_copy(std::string_view path, const Value& node);

    /// Selection as `oc.select` does it. A key that climbs above the root is an error.
    Selection select_for_resolver(std::string_view key, const Value& node);

    using Arguments = std::vector<Found>;
    using Builtin = Found (Evaluation::*)(const Arguments&, const Value&);
    struct BuiltinEntry {
        std::string_view name;
        Builtin function;
        std::size_t least;
        std::size_t most;
    };

    static const auto& builtins() {
        static constexpr std::array<BuiltinEntry, 10> table{{
            {"oc.env", &Evaluation::env, 1, 2},
            {"oc.select", &Evaluation::oc_select, 1, 2},
            {"oc.decode", &Evaluation::decode, 1, 1},
            {"oc.create", &Evaluation::create, 1, 1},
            {"oc.deprecated", &Evaluation::deprecated, 1, 2},
            {"oc.dict.keys", &Evaluation::dict_keys, 1, 1},
            {"oc.dict.values", &Evaluation::dict_values, 1, 1},
            {"now", &Evaluation::now, 1, 1},
            {"hydra", &Evaluation::hydra, 1, 2},
            {"const", &Evaluation::constant, 1, 1},
        }};
        return table;
    }

    Found call_builtin(const std::string& name, const Arguments& arguments, const Value& node);

    static const std::string& text_argument(const Arguments& arguments, std::size_t index, const char* name,
                                            const Value& node);

    Found env(const Arguments& arguments, const Value& node);

    Found oc_select(const Arguments& arguments, const Value& node);

    Found decode(const Arguments& arguments, const Value& node);

    Found create(const Arguments& arguments, const Value& node);

    static void unplace(Value& value);

    Found deprecated(const Arguments& arguments, const Value& node);

    static void substitute(std::string& message, std::string_view name, const std::string& text);

    Found dict_of(const Arguments& arguments, const char* name, const Value& node);

    Found dict_keys(const Arguments& arguments, const Value& node);

    Found dict_values(const Arguments& arguments, const Value& node);

    Found now(const Arguments& arguments, const Value& node);

    Found hydra(const Arguments& arguments, const Value& node);

    Found constant(const Arguments& arguments, const Value& node);

    Environment& environment_;
    std::vector<const Value*> active_;
    std::size_t followed_ = 0;
    int depth_ = 0;
    int copy_depth_ = 0;
};

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/interpolation.ipp>
#endif
