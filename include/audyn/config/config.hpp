#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/emit.hpp>
#include <audyn/config/interpolation.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace audyn::config {

class Config;

/// How `Config::as<T>` makes a `T`. Specialise it for own types: `static T convert(const Config& config)`, throwing
/// `config.error(...)`.
template <class T>
struct Converter;

template <class T>
concept Convertible = requires(const Config& config) {
    { Converter<T>::convert(config) } -> std::convertible_to<T>;
};

/// A handle to a node of a composed configuration. Copies share the tree; a node knows its full key and the place that
/// set it. Reading follows interpolations. Every failure is a `ConfigError` that names the key, the place and the
/// reason.
///
/// A handle stays valid when the tree is edited; it then shows the node as it was. Not thread-safe.
class Config {
public:
    /// An empty dictionary.
    Config() : Config(Value::dict()) {}

    /// A configuration of this tree. Resolvers and constants of `environment` serve its interpolations.
    explicit Config(Value root, Environment environment = {});

    /// Member of a dictionary. Throws when it is absent.
    [[nodiscard]] Config operator[](std::string_view key) const;
    [[nodiscard]] Config operator[](const char* key) const { return (*this)[std::string_view(key)]; }

    /// Item of a list. Throws when it is absent.
    template <std::integral Index>
    [[nodiscard]] Config operator[](Index index) const {
        const Config here = resolved();
        here.require(Kind::list, "has no items");
        if (!std::in_range<std::size_t>(index) || static_cast<std::size_t>(index) >= here.node_->size()) {
            throw here.error(concat(
                {"has ", std::to_string(here.node_->size()), " items; there is no item ", std::to_string(index)}));
        }
        return here.at_node(&here.node_->child(static_cast<std::size_t>(index)));
    }

    /// The node at a path such as `optimizer.lr` or `betas.0`; empty is this node. Throws when it is absent.
    [[nodiscard]] Config at(std::string_view path) const;

    /// The node at a path; nothing when it is absent. A value of null or `???` is present.
    [[nodiscard]] std::optional<Config> find(std::string_view path) const;

    /// The member of a dictionary with this very key, which is no path; nothing when it is absent.
    [[nodiscard]] std::optional<Config> find_key(std::string_view key) const;

    [[nodiscard]] bool contains(std::string_view path) const { return find(path).has_value(); }

    /// The value as a `T`: `bool`, an integer (its range is checked), `float`, `double`, `std::string`,
    /// `std::filesystem::path`, `Constant`, `Value`, vectors, maps and optionals of those, or a type with a
    /// `Converter`. An integer may be read as a number and a whole number as an integer; nothing else is converted.
    template <class T>
    requires Convertible<T>
    [[nodiscard]] T as() const { return Converter<T>::convert(*this); }

    /// `at(path).as<T>()`.
    template <class T>
    requires Convertible<T>
    [[nodiscard]] T get(std::string_view path) const { return at(path).template as<T>(); }

    /// As `get`, but `otherwise` when the key is absent. A null is not absent.
    template <class T>
    requires Convertible<T>
    [[nodiscard]] T get(std::string_view path, T otherwise) const {
        const auto found = find(path);
        return found ? found->template as<T>() : std::move(otherwise);
    }

    /// Nothing when the key is absent or null.
    template <class T>
    requires Convertible<T>
    [[nodiscard]] std::optional<T> get_optional(std::string_view path) const {
        const auto found = find(path);
        return found && !found->is_null() ? std::optional<T>(found->template as<T>()) : std::nullopt;
    }

    /// What kind of value this is, after interpolation.
    [[nodiscard]] Kind kind() const { return resolved().node_->kind(); }
    [[nodiscard]] bool is_null() const { return kind() == Kind::null; }
    [[nodiscard]] bool is_dict() const { return kind() == Kind::dict; }
    [[nodiscard]] bool is_list() const { return kind() == Kind::list; }
    [[nodiscard]] bool is_string() const { return kind() == Kind::string; }
    [[nodiscard]] bool is_bool() const { return kind() == Kind::boolean; }
    [[nodiscard]] bool is_integer() const;
    [[nodiscard]] bool is_number() const;
    [[nodiscard]] bool is_constant() const { return kind() == Kind::constant; }
    /// True for a mandatory value that was not given, `???`.
    [[nodiscard]] bool is_missing() const { return node_->is_missing(); }
    /// True when this very node is written as an interpolation.
    [[nodiscard]] bool is_interpolation() const { return node_->is_interpolation(); }

    /// Number of members of a dictionary or items of a list.
    [[nodiscard]] std::size_t size() const;

    /// Keys of a dictionary, in order.
    [[nodiscard]] std::vector<std::string> keys() const;

    /// Members of a dictionary, in order.
    [[nodiscard]] std::vector<std::pair<std::string, Config>> items() const;

    /// Items of a list, in order.
    [[nodiscard]] std::vector<Config> elements() const;

    /// Full keys below this node whose value is still `???`.
    [[nodiscard]] std::vector<std::string> missing_keys() const;

    /// Full key such as `optimizer.lr` or `train.stages[1]`; empty at the root.
    [[nodiscard]] std::string path() const { return node_->path(); }
    /// The last part of the full key.
    [[nodiscard]] std::string key() const { return node_->key(); }
    /// The place that set this node's value.
    [[nodiscard]] const Location& location() const { return node_->location(); }
    [[nodiscard]] Config root() const { return {document_, document_->root.get(), nullptr}; }

    /// Throws all that is wrong with the values below this node at once: interpolations that cannot be resolved and
    /// mandatory values that were not given.
    void check_values() const { check_values(true); }

    /// A copy of the tree below this node. Where interpolations cannot be resolved the error tells all of them.
    [[nodiscard]] Value to_value(bool resolve = false) const;
    /// YAML as OmegaConf writes it.
    [[nodiscard]] std::string to_yaml(bool resolve = false) const { return emit_yaml(to_value(resolve)); }

    /// Sets the value at a path; dictionaries on the way are made. A list on the way needs an index that exists.
    void set(std::string_view path, Value value);

    /// Removes a member. Throws when it is absent.
    void erase(std::string_view path);

    /// Replaces every interpolation below this node by its value.
    void resolve_all();

    /// An error about this node: place, full key, `reason`, the line with a caret. `reason` continues the sentence that
    /// the key begins: `throw config["lr"].error("must be positive, not " + ...)` reads `conf/x.yaml:3:5:
    /// 'optimizer.lr' must be positive, not ...`.
    [[nodiscard]] ConfigError error(std::string_view reason, std::string_view hint = {}) const;

    /// As `error`, about the key and not its value: the caret stands below the key.
    [[nodiscard]] ConfigError key_error(std::string_view reason, std::string_view hint = {}) const;

    /// An error about an unknown name, with the nearest of those that exist: `'optimizer._target_' names an unknown
    /// target 'X'; did you ...`.
    [[nodiscard]] ConfigError error_unknown(std::string_view thing, std::string_view name,
                                            const std::vector<std::string>& known) const;

    /// Attaches an object of the program to the whole tree; one of each type.
    template <class T>
    void attach(std::shared_ptr<T> object) {
        document_->attachments.insert_or_assign(std::type_index(typeid(T)), std::move(object));
    }
    /// The attached object of this type; null when there is none.
    template <class T>
    [[nodiscard]] std::shared_ptr<T> attachment() const {
        const auto found = document_->attachments.find(std::type_index(typeid(T)));
        return found == document_->attachments.end() ? nullptr : std::static_pointer_cast<T>(found->second);
    }

    /// The run's own tree: `run.dir`, `job.name`, `overrides.task`, `runtime.choices`, ... Empty when the configuration
    /// was not composed.
    [[nodiscard]] Config hydra() const;
    /// Resolvers, constants and warnings of this tree.
    [[nodiscard]] Environment& environment() const { return document_->environment; }
    /// What composition and resolvers had to remark; grows as values are read.
    [[nodiscard]] const std::vector<std::string>& warnings() const { return document_->environment.warnings; }

    /// The node that this one stands for after interpolation. Throws when it is `???`.
    [[nodiscard]] Config resolved() const;

    /// The scalar of exactly this type, after interpolation; null when the value is of another type.
    template <class T>
    [[nodiscard]] std::optional<T> scalar() const {
        const Config here = resolved();
        const T* value = here.node_->get_if<T>();
        return value != nullptr ? std::optional<T>(*value) : std::nullopt;
    }

    /// An error that says what was wanted and what is there: `'a.b' must be an integer, not a string ('ten')`.
    [[nodiscard]] ConfigError mismatch(std::string_view wanted, std::string_view hint = {}) const;

    /// For a hint: what to do about a number or boolean that was written as a string; empty when it was not.
    [[nodiscard]] std::string quoting_hint() const;

private:
    struct Document {
        Document(Value tree, Environment surroundings);

        void retire(std::unique_ptr<Value> removed);

        std::unique_ptr<Value> root;
        Environment environment;
        std::unordered_map<std::type_index, std::shared_ptr<void>> attachments;
        std::vector<std::unique_ptr<Value>> graveyard; ///< replaced nodes, which handles may still show
    };

    Config(std::shared_ptr<Document> document, const Value* node, std::shared_ptr<const Value> owner);

    [[nodiscard]] Config at_node(const Value* node) const { return {document_, node, owner_}; }

    /// The tree is the document's own and not constant; handles hold it as constant so that only `set` and its like
    /// change it.
    static Value* editable(const Value* node) { return const_cast<Value*>(node); }

    void assign(Value& container, const std::string& key, Value value);

    void require(Kind kind, const std::string& reason) const;
    void require_container() const;

    [[nodiscard]] ConfigError absent(std::string_view key) const;

    void check_values(bool missing_too) const;

    /// What an interpolation refers to is visited at its own place; only what a resolver made is looked into here.
    void collect_mistakes(const Value& node, bool missing_too, Evaluation& evaluation, std::size_t& budget,
                          Mistakes& mistakes) const;

    static void collect_missing(const Value& node, std::vector<std::string>& result);

    std::shared_ptr<Document> document_;
    const Value* node_;
    std::shared_ptr<const Value> owner_; ///< keeps a resolver's result alive
};

template <>
struct Converter<Config> {
    static Config convert(const Config& config) { return config.resolved(); }
};

template <>
struct Converter<Value> {
    static Value convert(const Config& config) { return config.to_value(true); }
};

template <>
struct Converter<bool> {
    static bool convert(const Config& config) {
        if (const auto value = config.scalar<bool>()) {
            return *value;
        }
        throw config.mismatch("a boolean (true or false)", config.quoting_hint());
    }
};

template <std::integral Integer>
requires(!std::same_as<Integer, bool>) struct Converter<Integer> {
    static Integer convert(const Config& config) {
        const Config here = config.resolved();
        std::optional<std::int64_t> value = here.scalar<std::int64_t>();
        if (const auto number = here.scalar<double>()) {
            constexpr double exact = 9007199254740992.0; // 2^53
            if (std::floor(*number) != *number || std::abs(*number) > exact) {
                throw config.mismatch("an integer");
            }
            value = static_cast<std::int64_t>(*number);
        }
        if (const auto big = here.scalar<BigInteger>(); big || (value && !std::in_range<Integer>(*value))) {
            throw config.error(concat({"is ", big ? big->digits : std::to_string(*value), ", outside the range of ",
                                       std::to_string(std::numeric_limits<Integer>::min()), " to ",
                                       std::to_string(std::numeric_limits<Integer>::max())}));
        }
        if (!value) {
            throw config.mismatch("an integer", config.quoting_hint());
        }
        return static_cast<Integer>(*value);
    }
};

template <std::floating_point Number>
struct Converter<Number> {
    static Number convert(const Config& config) {
        const Config here = config.resolved();
        if (const auto value = here.scalar<double>()) {
            return static_cast<Number>(*value);
        }
        if (const auto value = here.scalar<std::int64_t>()) {
            return static_cast<Number>(*value);
        }
        if (const auto value = here.scalar<BigInteger>()) {
            const bool negative = value->digits.starts_with('-');
            const double magnitude = scalar::decimal_number(std::string_view(value->digits).substr(negative ? 1 : 0));
            return static_cast<Number>(negative ? -magnitude : magnitude);
        }
        throw config.mismatch("a number", config.quoting_hint());
    }
};

template <>
struct Converter<std::string> {
    static std::string convert(const Config& config) {
        if (const auto value = config.scalar<std::string>()) {
            return *value;
        }
        const bool quoting_helps = config.is_number() || config.is_bool();
        throw config.mismatch("a string", quoting_helps ? "Write it in quotes if it is meant as a text." : "");
    }
};

template <>
struct Converter<std::filesystem::path> {
    static std::filesystem::path convert(const Config& config) { return config.as<std::string>(); }
};

template <>
struct Converter<Constant> {
    static Constant convert(const Config& config) {
        if (const auto value = config.scalar<Constant>()) {
            return *value;
        }
        throw config.mismatch("a constant such as ${const:torch.bfloat16}");
    }
};

template <class T>
struct Converter<std::optional<T>> {
    static std::optional<T> convert(const Config& config) {
        const Config here = config.resolved();
        return here.is_null() ? std::nullopt : std::optional<T>(here.as<T>());
    }
};

template <class T>
struct Converter<std::vector<T>> {
    static std::vector<T> convert(const Config& config) {
        const Config here = config.resolved();
        if (!here.is_list()) {
            throw config.mismatch("a list");
        }
        std::vector<T> result;
        Mistakes mistakes;
        for (const Config& element : here.elements()) {
            mistakes.attempt([&] { result.push_back(element.as<T>()); });
        }
        mistakes.throw_if_any();
        return result;
    }
};

template <class T>
struct Converter<std::map<std::string, T>> {
    static std::map<std::string, T> convert(const Config& config) {
        const Config here = config.resolved();
        if (!here.is_dict()) {
            throw config.mismatch("a dictionary");
        }
        std::map<std::string, T> result;
        Mistakes mistakes;
        for (const auto& item : here.items()) {
            mistakes.attempt([&] { result.emplace(item.first, item.second.template as<T>()); });
        }
        mistakes.throw_if_any();
        return result;
    }
};

} // namespace audyn::config

namespace audyn {
using config::Config;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/config/config.ipp>
#endif
