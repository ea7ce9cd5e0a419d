#pragma once

#include <audyn/config/config.hpp>
#include <audyn/config/defaults.hpp>
#include <audyn/config/diagnostic.hpp>
#include <audyn/config/merge.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/config/override.hpp>
#include <audyn/config/repository.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/value.hpp>
#include <audyn/config/yaml.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::config {

/// How a configuration came together.
struct CompositionDetails {
    std::vector<ResultItem> items; ///< what was merged, in order
    DefaultsNode tree;             ///< its children are Hydra's own configuration and the primary one
    SearchPath search_path;        ///< with Hydra's own groups and `hydra.searchpath`
};

struct ComposeOptions {
    /// For the configuration of a sweep as a whole: overrides with several values are allowed and not applied.
    bool sweep = false;
    CompositionDetails* details = nullptr; ///< filled in when given
    std::optional<std::time_t> start;      ///< what `${now:...}` means; nothing for the present
};

namespace detail {

/// What `oc.create` makes of a text.
[[nodiscard]] inline Value parse_created_text(const std::string& text) {
    return parse_yaml(std::make_shared<const Source>(Source{Origin::program, "oc.create", text}));
}

/// Composes one configuration; made for one composition.
class Composer {
public:
    Composer(const SearchPath& search_path, std::optional<std::string> config_name, const ComposeOptions& options,
             Environment& environment);

    /// The tree with `hydra` in it.
    [[nodiscard]] Value run(const std::vector<std::string>& override_texts);

private:
    static SearchPath with_hydra(const SearchPath& search_path);

    /// `hydra.searchpath` of the command line or the primary configuration adds places at the end.
    void extend_search_path(const std::vector<Override>& overrides);

    void add_places(const Value& places, const std::string& provider);

    [[nodiscard]] std::vector<Override> parse(const std::vector<std::string>& texts) const;

    /// `a = 3` or `a =3` reach the program as several arguments.
    static std::string detached_equal(const std::vector<std::string>& texts, std::size_t index);

    [[nodiscard]] Value merge_all(const std::vector<ResultItem>& items, Mistakes& mistakes);

    void merge(const ResultItem& item, Value& root);

    static void embed(Value& root, const std::string& package, Value content);

    /// Files may set Hydra's own keys, and only `searchpath` of the primary configuration is heeded.
    static void check_hydra(const ResultItem& item, const Value& content, const Value& root);

    static void check_keys(const Value& given, const Value& known, const std::string& config_path);

    AUDYN_INLINE static void refuse_sweep_of_hydra(const Override& override);

    AUDYN_INLINE static void refuse_sweep(const Override& override);

    /// Where the first comma between the values of a simple choice stands.
    AUDYN_INLINE static std::size_t comma_before(const Override& override);

    AUDYN_INLINE void apply(const Override& override, Value& root);

    AUDYN_INLINE static void check_value(const Override& override);

    static void check_interpolations(const Value& value);

    AUDYN_INLINE void change(const Override& override, Value& root);

    /// The part of the override that names the unknown key.
    AUDYN_INLINE static Location place_of(const UnknownKey& error, const Override& override);

    [[nodiscard]] AUDYN_INLINE std::string unknown_key(const Override& override, const UnknownKey& error) const;

    [[nodiscard]] AUDYN_INLINE static std::string hint_for(const Override& override, const UnknownKey& error);

    /// Names of all groups, `train/dataset` for one that is in another.
    [[nodiscard]] std::vector<std::string> group_names() const;

    AUDYN_INLINE void add(const Override& override, Value& root);

    AUDYN_INLINE void remove(const Override& override, Value& root);

    /// Equal as in Python: 1, 1.0 and true are; the order of keys does not matter.
    static bool python_equal(const Value& left, const Value& right);

    /// Fills in what `hydra` says about this run.
    void describe_run(Value& root, const std::vector<Override>& overrides, const GroupChoices& choices);

    [[nodiscard]] Value config_sources() const;

    /// The node at `path` as it is written; null when there is none.
    [[nodiscard]] Value setting(const Value& root, std::string_view path) const;

    /// The program's own overrides in the form that names a folder; `hydra.job.config.override_dirname` gives the form.
    [[nodiscard]] std::string override_dirname(const Value& root, const std::vector<Override>& overrides) const;

    /// `hydra.job.env_copy` names variables whose present values go to `hydra.job.env_set`.
    void copy_environment(Value& root);

    std::optional<std::string> config_name_;
    ComposeOptions options_;
    Environment& environment_;
    Repository repository_;
};

} // namespace detail

/// Composes a configuration as Hydra 1.3 does: the primary configuration `config_name` with what its defaults list
/// brings, then the overrides, in order. Without a name only the overrides make it. Throws `ConfigError`.
///
/// The result has no node `hydra`; `Config::hydra()` gives it.
[[nodiscard]] AUDYN_INLINE Config compose(const SearchPath& search_path, const std::optional<std::string>& config_name,
                                          const std::vector<std::string>& overrides = {}, Resolvers resolvers = {},
                                          const ComposeOptions& options = {});

/// A configuration from a text. `name` stands for it in error messages.
[[nodiscard]] AUDYN_INLINE Config config_from_yaml(std::string text, std::string name = "<text>",
                                                   Resolvers resolvers = {});

/// A configuration from one file, without a defaults list.
[[nodiscard]] AUDYN_INLINE Config config_from_file(const std::filesystem::path& file, Resolvers resolvers = {});

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/compose.ipp>
#endif
