#pragma once

#include <audyn/config/defaults_item.hpp>
#include <audyn/config/diagnostic.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/config/override.hpp>
#include <audyn/config/repository.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace audyn::config {

/// One configuration of the final list, in the order of merging.
struct ResultItem {
    std::string config_path;
    std::string package;
    std::string parent; ///< configuration whose defaults list asked for it; empty for the primary one
    bool is_self = false;
    bool is_primary = false;
    std::optional<std::string> override_key; ///< of a group
};

/// An item of a defaults list with the items of its own list, for showing how a configuration comes together.
struct DefaultsNode {
    DefaultsItem item;
    std::vector<DefaultsNode> children;
    std::size_t position = 0; ///< in the list that holds the item
};

/// What the command line says about groups, and what the defaults lists override.
class GroupChoices {
public:
    struct Choice {
        std::optional<std::string> option;
        std::optional<std::vector<std::string>> options;
        Location location;
        Location option_location;
        bool from_command_line = false;
        std::string containing_config;
        bool used = false;
    };
    struct Deletion {
        std::optional<std::string> option;
        Location location;
        bool used = false;
    };

    /// Sorts the overrides into choices of groups and changes of keys.
    GroupChoices(const SearchPath& search_path, const std::vector<Override>& overrides);

    std::vector<Override> config_overrides;
    std::vector<DefaultsItem> appended;
    /// What was chosen, by override key, in the order in which it was met.
    std::vector<std::pair<std::string, std::optional<std::string>>> known_choices;

    void add_override(const std::string& containing_config, const DefaultsItem& item);

    void apply_override(DefaultsItem& item);

    /// Throws when the same group was chosen differently before.
    void remember(const DefaultsItem& item);

    [[nodiscard]] bool is_deleted(const DefaultsItem& item) const;
    void mark_deleted(DefaultsItem& item);

    [[nodiscard]] std::vector<std::string> known_groups() const;

    /// Tells each override and deletion that met nothing.
    void check_all_used(Mistakes& mistakes) const;

private:
    AUDYN_INLINE void add_group_override(const Override& override, const Value& value);

    [[nodiscard]] Choice* find(const std::string& key);

    [[nodiscard]] ConfigError unused(const std::string& key, const Choice& choice) const;

    [[nodiscard]] ConfigError unused(const std::string& key, const Deletion& deletion) const;

    std::vector<std::pair<std::string, Choice>> choices_;
    std::map<std::string, Deletion> deletions_;
    std::map<std::string, std::set<std::string>> keys_of_group_;
    std::map<std::string, Location> places_of_choices_;
};

/// Expands defaults lists, depth first, into the list of what is merged.
class DefaultsExpander {
public:
    DefaultsExpander(Repository& repository, GroupChoices& choices, Environment& environment);

    /// Records how items hang together, below `root`.
    void record_into(DefaultsNode& root) { node_ = &root; }
    /// A group that must be chosen and was not (`???`) is left out, as for a sweep that chooses it.
    void skip_missing() { skip_missing_ = true; }

    /// The list for a program: Hydra's own configuration first, then the primary one.
    [[nodiscard]] std::vector<ResultItem> run(const std::optional<std::string>& config_name);

private:
    using Results = std::vector<ResultItem>;

    /// A mistake after which it is not possible to go on and look for others.
    class Endless : public ConfigError {
    public:
        explicit Endless(const ConfigError& error) : ConfigError(error) {}
    };

    /// Runs `action` and keeps its mistakes.
    template <class Action>
    Mistakes mistakes_of(const Action& action) {
        try {
            action();
        } catch (const Endless&) {
            throw;
        } catch (const ConfigError& error) {
            mistakes_.add(error.what());
        }
        return std::exchange(mistakes_, {});
    }

    /// What an item and all that it brings contribute.
    Results expand(DefaultsItem& item, bool in_interpolation);

    void record(const DefaultsItem& item, DefaultsNode node);

    Results expand_children(DefaultsItem& item, const std::string& path, bool in_interpolation);

    /// `_self_` goes last where it is not written.
    bool add_self(const DefaultsItem& item, std::vector<DefaultsItem>& defaults, bool has_content);

    void collect_overrides(const DefaultsItem& parent, std::vector<DefaultsItem>& defaults, bool in_interpolation);

    Results expand_list(DefaultsItem& parent, std::vector<DefaultsItem>& defaults, bool self_added,
                        bool in_interpolation);

    /// Each option of `group: [a, b]` is a configuration of its own.
    Results expand_options(const DefaultsItem& group, const DefaultsItem& parent, bool in_interpolation);

    static Results joined(std::vector<Results> parts);

    [[nodiscard]] ResultItem self_of(const DefaultsItem& owner) const;

    [[nodiscard]] ResultItem result_of(const DefaultsItem& item) const;

    /// The configuration whose list holds the item that is being expanded; empty for the primary one.
    [[nodiscard]] std::string parent_path() const { return active_.size() > 1 ? active_[active_.size() - 2] : ""; }

    /// What `${...}` in a defaults list may refer to: the choices made so far.
    [[nodiscard]] Value interpolation_scope(const std::vector<DefaultsItem>& defaults, bool self_added) const;

    void resolve(DefaultsItem& item, const Value& known);

    static void check_unique(const Results& results);

    [[nodiscard]] std::string places() const;

    /// A file of this name that is none of ours, because it ends in `.yml`; as a line of a hint.
    [[nodiscard]] std::string near_miss(const std::string& path) const;

    [[nodiscard]] ConfigError primary_not_found(const DefaultsItem& item) const;

    [[nodiscard]] ConfigError in_a_circle(const DefaultsItem& item) const;

    /// An error about an item; of a choice that an override makes it tells the list too.
    [[nodiscard]] ConfigError error_about(const DefaultsItem& item, const Location& place, const std::string& reason,
                                          const std::string& hint) const;

    /// The caret stands under the option when the group is right, and under the group when it does not exist.
    [[nodiscard]] ConfigError not_found(const DefaultsItem& item) const;

    [[nodiscard]] ConfigError must_choose(const DefaultsItem& item) const;

    Repository& repository_;
    GroupChoices& choices_;
    Environment& environment_;
    static constexpr std::size_t positions_of_one_item = 1U << 20U; ///< a list of options has as many

    Mistakes mistakes_;
    std::vector<std::string> active_; ///< paths of the configurations whose lists are being expanded
    int expanded_ = 0;
    DefaultsNode* node_ = nullptr; ///< the one whose children are being expanded, when the tree is wanted
    std::size_t position_ = 0;     ///< of the item to be expanded next
    bool skip_missing_ = false;
};

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/defaults.ipp>
#endif
