#pragma once

#include <audyn/config/defaults_item.hpp>
#include <audyn/config/diagnostic.hpp>
#include <audyn/config/override.hpp>
#include <audyn/config/repository.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/value.hpp>

#include <algorithm>
#include <map>
#include <memory>
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
    GroupChoices(const SearchPath& search_path, const std::vector<Override>& overrides) {
        for (const Override& override : overrides) {
            if (override.is_sweep()) {
                continue;
            }
            const Value value = override.value();
            if (value.is_dict() || !search_path.has_group(override.key)) {
                config_overrides.push_back(override);
            } else {
                add_group_override(override, value);
            }
        }
    }

    std::vector<Override> config_overrides;
    std::vector<DefaultsItem> appended;
    /// What was chosen, by override key, in the order in which it was met.
    std::vector<std::pair<std::string, std::optional<std::string>>> known_choices;

    void add_override(const std::string& containing_config, const DefaultsItem& item) {
        const std::string key = item.override_key();
        if (find(key) == nullptr) {
            choices_.emplace_back(key,
                                  Choice{item.option, item.options, item.location, false, containing_config, false});
        }
    }

    void apply_override(DefaultsItem& item) {
        if (!item.is_group) {
            return;
        }
        if (Choice* choice = find(item.override_key())) {
            item.option = choice->option;
            item.options = choice->options;
            item.location = choice->location;
            choice->used = true;
        }
    }

    /// Throws when the same group was chosen differently before.
    void remember(const DefaultsItem& item) {
        if (!item.is_group) {
            return;
        }
        const std::string key = item.override_key();
        const auto known =
            std::ranges::find(known_choices, key, &std::pair<std::string, std::optional<std::string>>::first);
        if (known == known_choices.end()) {
            known_choices.emplace_back(key, item.name());
        } else if (known->second != item.name()) {
            throw error_at(
                item.location, concat({"multiple values for '", key, "'"}),
                concat({"To override a value, write 'override ", key, ": ", known->second.value_or("null"), "'."}));
        }
        keys_of_group_[item.group_path()].insert(key);
    }

    [[nodiscard]] bool is_deleted(const DefaultsItem& item) const {
        const auto found = item.is_group ? deletions_.find(item.override_key()) : deletions_.end();
        return found != deletions_.end() && (!found->second.option || found->second.option == item.name());
    }
    void mark_deleted(DefaultsItem& item) {
        item.is_deleted = true;
        deletions_.find(item.override_key())->second.used = true;
    }

    /// Throws for an override or deletion that met nothing.
    void check_all_used() const {
        for (const auto& [key, choice] : choices_) {
            if (!choice.used) {
                throw unused(key, choice);
            }
        }
        for (const auto& [key, deletion] : deletions_) {
            if (!deletion.used) {
                throw error_at(deletion.location, concat({"could not delete '", key,
                                                          deletion.option ? concat({"=", *deletion.option}) : "",
                                                          "': no match in the defaults list"}));
            }
        }
    }

private:
    void add_group_override(const Override& override, const Value& value) {
        const auto* text = value.get_if<std::string>();
        if (override.type == Override::Type::force_add) {
            throw error_at(override.location(),
                           concat({"force-add of a group is not supported: '", override.text, "'; use one '+'"}));
        }
        if (override.type == Override::Type::remove) {
            if (!value.is_null() && text == nullptr) {
                throw error_at(override.location(),
                               concat({"the option to delete must be a name, not ", describe(value.kind())}));
            }
            deletions_[override.key_element()] = {text != nullptr ? std::optional(*text) : std::nullopt,
                                                  override.location(), false};
            return;
        }
        std::optional<std::vector<std::string>> options;
        if (value.is_list()) {
            options.emplace();
            for (std::size_t index = 0; index < value.size(); ++index) {
                const auto* option = value.child(index).get_if<std::string>();
                if (option == nullptr) {
                    throw error_at(override.location(), concat({"the options of a group must be names, not ",
                                                                describe(value.child(index).kind())}));
                }
                options->push_back(*option);
            }
        } else if (text == nullptr) {
            throw error_at(override.location(), concat({"a group is overridden by a name or a list of names, not by ",
                                                        describe(value.kind())}));
        }
        const auto option = text != nullptr ? std::optional(*text) : std::nullopt;
        if (override.type == Override::Type::add) {
            if (override.key.empty()) {
                throw error_at(override.location(), "the name of a group is missing");
            }
            DefaultsItem item = DefaultsItem::group(override.key, option);
            item.options = std::move(options);
            item.package = override.package == "_here_" ? std::optional<std::string>("") : override.package;
            item.is_appended = true;
            item.location = override.location();
            appended.push_back(std::move(item));
            return;
        }
        Choice choice{option, std::move(options), override.location(), true, "", false};
        if (Choice* known = find(override.key_element())) {
            *known = std::move(choice);
        } else {
            choices_.emplace_back(override.key_element(), std::move(choice));
        }
    }

    [[nodiscard]] Choice* find(const std::string& key) {
        const auto found = std::ranges::find(choices_, key, &std::pair<std::string, Choice>::first);
        return found == choices_.end() ? nullptr : &found->second;
    }

    [[nodiscard]] ConfigError unused(const std::string& key, const Choice& choice) const {
        std::string reason = choice.containing_config.empty() ? "" : concat({"in '", choice.containing_config, "': "});
        reason += concat({"could not override '", key, "'"});
        const auto keys = keys_of_group_.find(key.substr(0, key.find('@')));
        if (keys == keys_of_group_.end()) {
            std::vector<std::string> all;
            for (const auto& [known, option] : known_choices) {
                all.push_back(known);
            }
            reason += concat({": no match in the defaults list", did_you_mean(key, all)});
        } else {
            reason += concat({"; did you mean to override ", keys->second.size() > 1 ? "one of " : "",
                              join({keys->second.begin(), keys->second.end()}), "?"});
        }
        const std::string hint =
            choice.from_command_line
                ? concat({"To append to the defaults list, use +", key, "=", choice.option.value_or("OPTION")})
                : "";
        return error_at(choice.location, reason, hint);
    }

    std::vector<std::pair<std::string, Choice>> choices_;
    std::map<std::string, Deletion> deletions_;
    std::map<std::string, std::set<std::string>> keys_of_group_;
};

/// Expands defaults lists, depth first, into the list of what is merged.
class DefaultsExpander {
public:
    DefaultsExpander(Repository& repository, GroupChoices& choices, Environment& environment)
        : repository_(repository), choices_(choices), environment_(environment) {}

    /// Records how items hang together, below `root`.
    void record_into(DefaultsNode& root) { node_ = &root; }
    /// A group that must be chosen and was not (`???`) is left out, as for a sweep that chooses it.
    void skip_missing() { skip_missing_ = true; }

    /// The list for a program: Hydra's own configuration first, then the primary one.
    [[nodiscard]] std::vector<ResultItem> run(const std::optional<std::string>& config_name) {
        DefaultsItem primary = DefaultsItem::config(config_name.value_or("_dummy_empty_config_"));
        primary.is_primary = true;
        DefaultsItem hydra = DefaultsItem::config("hydra/config");
        Results of_primary = expand(primary, nullptr, false);
        Results result = expand(hydra, nullptr, false);
        std::ranges::move(of_primary, std::back_inserter(result));
        std::erase_if(result, [](const ResultItem& item) { return item.config_path == "_dummy_empty_config_"; });
        check_unique(result);
        choices_.check_all_used();
        return result;
    }

private:
    using Results = std::vector<ResultItem>;

    /// What an item and all that it brings contribute. `parent` is the item whose defaults list holds it.
    Results expand(DefaultsItem& item, const DefaultsItem* parent, bool in_interpolation) {
        if (++depth_ > limits::depth) {
            throw error_at(item.location,
                           concat({"the defaults lists refer to each other in a circle: '", item.config_path(), "'"}));
        }
        DefaultsNode* const outer = node_;
        DefaultsNode own{{}, {}, position_};
        node_ = outer != nullptr ? &own : nullptr;
        Results results = expand_children(item, parent, in_interpolation);
        node_ = outer;
        record(item, std::move(own));
        --depth_;
        return results;
    }

    void record(const DefaultsItem& item, DefaultsNode node) {
        if (node_ != nullptr && !item.is_deleted) {
            node.item = item;
            std::ranges::stable_sort(node.children, {}, &DefaultsNode::position);
            node_->children.push_back(std::move(node));
        }
    }

    Results expand_children(DefaultsItem& item, const DefaultsItem* parent, bool in_interpolation) {
        if (item.is_primary && !repository_.search_path().has_config(item.config_path())) {
            throw primary_not_found(item);
        }
        const std::shared_ptr<const LoadedConfig> loaded =
            item.is_missing() ? nullptr : repository_.load(item.config_path());
        if (loaded) {
            item.set_package_header(loaded->package);
        }
        if (choices_.is_deleted(item)) {
            choices_.mark_deleted(item);
            return {};
        }
        choices_.remember(item);
        if (!item.name()) {
            return {};
        }
        if (item.config_path().ends_with("\?\?\?")) {
            if (skip_missing_) {
                return {};
            }
            throw must_choose(item);
        }
        if (!loaded) {
            if (item.is_optional) {
                return {};
            }
            throw not_found(item, parent);
        }
        std::vector<DefaultsItem> defaults = loaded->defaults;
        bool self_added = false;
        if (!defaults.empty() || (item.is_primary && !choices_.appended.empty())) {
            self_added = add_self(item, defaults, loaded->has_content);
        }
        if (item.is_primary) {
            defaults.insert(defaults.end(), choices_.appended.begin(), choices_.appended.end());
        }
        collect_overrides(item, defaults, in_interpolation);
        Results results = expand_list(item, parent, defaults, self_added, in_interpolation);
        const bool has_children =
            std::ranges::any_of(defaults, [](const DefaultsItem& d) { return d.is_self() || !d.is_override; });
        return has_children ? results : Results{result_of(item, parent)};
    }

    /// `_self_` goes last where it is not written.
    bool add_self(const DefaultsItem& item, std::vector<DefaultsItem>& defaults, bool has_content) {
        const auto selves = std::ranges::count_if(defaults, &DefaultsItem::is_self);
        if (selves > 1) {
            throw error_at(defaults.back().location,
                           concat({"duplicate '_self_' in the defaults list of '", item.config_path(), "'"}));
        }
        const bool only_overrides = std::ranges::all_of(defaults, &DefaultsItem::is_override);
        if (selves > 0 || (only_overrides && !defaults.empty())) {
            return selves == 0;
        }
        if (item.is_primary && has_content && !only_overrides) {
            environment_.warnings.push_back(
                concat({"in '", item.config_path(),
                        "': the defaults list is missing '_self_'; without it the file's own values win over the list. "
                        "Write '- _self_' where they belong."}));
        }
        defaults.push_back(DefaultsItem::config("_self_"));
        return true;
    }

    void collect_overrides(const DefaultsItem& parent, std::vector<DefaultsItem>& defaults, bool in_interpolation) {
        const DefaultsItem* last_override = nullptr;
        for (DefaultsItem& item : defaults) {
            if (item.is_self()) {
                continue;
            }
            item.set_parent(parent.group_path(), parent.final_package());
            if (last_override != nullptr && !item.is_override && !item.is_appended) {
                throw error_at(item.location,
                               concat({"in '", parent.config_path(), "': override '", last_override->override_key(),
                                       " : ", last_override->option.value_or("null"), "' is defined before '",
                                       item.is_group ? concat({item.override_key(), ": ", item.option.value_or("null")})
                                                     : item.path,
                                       "': overrides must be at the end of the defaults list"}));
            }
            if (item.is_group && item.is_override) {
                last_override = &item;
                if (in_interpolation) {
                    throw error_at(item.location,
                                   concat({"in '", parent.config_path(),
                                           "': overrides are not allowed in a group that an interpolation chooses"}));
                }
                choices_.add_override(parent.config_path(), item);
            }
        }
    }

    Results expand_list(DefaultsItem& parent, const DefaultsItem* grandparent, std::vector<DefaultsItem>& defaults,
                        bool self_added, bool in_interpolation) {
        std::vector<Results> parts(defaults.size());
        std::vector<std::size_t> deferred;
        for (std::size_t index = defaults.size(); index-- > 0;) {
            DefaultsItem& item = defaults[index];
            position_ = index * positions_of_one_item;
            if (item.is_self()) {
                parts[index].push_back(self_of(parent, grandparent));
                record(item, {{}, {}, position_});
                continue;
            }
            if (item.is_override) {
                continue;
            }
            choices_.apply_override(item);
            if (item.options) {
                parts[index] = expand_options(item, parent, in_interpolation);
            } else if (item.is_interpolation()) {
                deferred.push_back(index);
            } else {
                parts[index] = expand(item, &parent, in_interpolation);
            }
        }
        if (!deferred.empty()) {
            const Value known = interpolation_scope(defaults, self_added);
            for (const std::size_t index : deferred) {
                resolve(defaults[index], known);
                position_ = index * positions_of_one_item;
                parts[index] = expand(defaults[index], &parent, true);
            }
        }
        Results results;
        for (Results& part : parts) {
            std::ranges::move(part, std::back_inserter(results));
        }
        return results;
    }

    /// Each option of `group: [a, b]` is a configuration of its own.
    Results expand_options(const DefaultsItem& group, const DefaultsItem& parent, bool in_interpolation) {
        std::vector<Results> parts(group.options->size());
        const std::size_t position = position_;
        for (std::size_t index = parts.size(); index-- > 0;) {
            const std::string& option = (*group.options)[index];
            if (option.find("${") != std::string::npos) {
                throw error_at(group.location, concat({"in '", parent.config_path(),
                                                       "': interpolation is not supported in a list of options"}));
            }
            DefaultsItem item = DefaultsItem::config(concat({group.path, "/", option}));
            item.package = group.package;
            item.is_optional = group.is_optional;
            item.location = group.location;
            item.set_parent(parent.group_path(), parent.final_package());
            position_ = position + index;
            parts[index] = expand(item, &parent, in_interpolation);
        }
        Results results;
        for (Results& part : parts) {
            std::ranges::move(part, std::back_inserter(results));
        }
        return results;
    }

    static ResultItem self_of(const DefaultsItem& owner, const DefaultsItem* above) {
        return {owner.config_path(), owner.final_package(), above != nullptr ? above->config_path() : "", true,
                owner.is_primary,    std::nullopt};
    }

    static ResultItem result_of(const DefaultsItem& item, const DefaultsItem* parent) {
        return {item.config_path(),
                item.final_package(),
                parent != nullptr ? parent->config_path() : "",
                false,
                item.is_primary,
                item.is_group ? std::optional(item.override_key()) : std::nullopt};
    }

    /// What `${...}` in a defaults list may refer to: the choices made so far.
    [[nodiscard]] Value interpolation_scope(const std::vector<DefaultsItem>& defaults, bool self_added) const {
        Value scope = Value::dict();
        for (const auto& [key, option] : choices_.known_choices) {
            scope.set(Key(key), option ? Value(*option) : Value());
        }
        Value list = Value::list();
        for (const DefaultsItem& item : defaults) {
            if (self_added && item.is_self()) {
                continue;
            }
            if (!item.is_group) {
                list.append(Value(item.config_path()));
                continue;
            }
            Value entry = Value::dict();
            entry.set(Key(item.override_key()), item.option ? Value(*item.option) : Value());
            list.append(std::move(entry));
        }
        scope.set(Key("defaults"), std::move(list));
        return scope;
    }

    void resolve(DefaultsItem& item, const Value& known) {
        const std::string text = item.is_group ? *item.option : item.config_path();
        if (item.is_group && text.starts_with("${defaults.") && text.size() > 12 && scalar::is_digit(text[11]) &&
            text[12] == '.') {
            throw error_at(item.location, concat({"'", item.override_key(), "=", text,
                                                  "' uses a form of interpolation that is no longer supported; "
                                                  "refer to the group instead: ${GROUP}"}));
        }
        Value scope = known;
        scope.set(Key("_dummy_"), Value(text));
        try {
            const Found found = Evaluation(environment_).dereference(*scope.find("_dummy_"));
            const auto* resolved = found.node->get_if<std::string>();
            if (resolved == nullptr) {
                throw ConfigError(concat({"it gives ", describe(found.node->kind()), ", not a name"}));
            }
            (item.is_group ? item.option.emplace() : item.path) = *resolved;
        } catch (const ConfigError& error) {
            std::vector<std::string> keys;
            for (const auto& [key, option] : choices_.known_choices) {
                keys.push_back(key);
            }
            throw error_at(item.location,
                           concat({"error resolving interpolation '", text, "'; possible keys: ", join(keys)}));
        }
    }

    static void check_unique(const Results& results) {
        std::set<std::string> seen;
        for (const ResultItem& item : results) {
            if (!item.is_self && item.override_key && !seen.insert(*item.override_key).second) {
                throw ConfigError(
                    concat({"'", *item.override_key, "' appears more than once in the final defaults list"}));
            }
        }
    }

    [[nodiscard]] std::string places() const {
        std::string text = "Search path:";
        for (const auto& source : repository_.search_path().sources()) {
            text += concat({"\n    ", source->description()});
        }
        return text;
    }

    [[nodiscard]] ConfigError primary_not_found(const DefaultsItem& item) const {
        const std::string path = item.config_path();
        const std::vector<std::string> names = repository_.search_path().options("");
        return ConfigError(
            concat({"cannot find the primary configuration '", path, "'", did_you_mean(path, names), "\n", places()}));
    }

    [[nodiscard]] ConfigError not_found(const DefaultsItem& item, const DefaultsItem* parent) const {
        const std::string path = item.config_path();
        const std::string in = parent != nullptr ? concat({"in '", parent->config_path(), "': "}) : "";
        const std::string group = item.group_path();
        const std::vector<std::string> options = repository_.search_path().options(group);
        std::string hint;
        if (!options.empty() && (item.is_group || !group.empty())) {
            hint = concat({"Available options of '", group, "': ", join(options), "\n"});
        } else if (item.is_group && !repository_.search_path().has_group(group)) {
            const auto slash = group.rfind('/');
            const std::string above = slash == std::string::npos ? "" : group.substr(0, slash);
            const std::string last = slash == std::string::npos ? group : group.substr(slash + 1);
            const std::vector<std::string> groups = repository_.search_path().groups(above);
            hint = concat({"There is no group '", group, "'", did_you_mean(last, groups), "\n"});
        }
        return error_at(item.location,
                        concat({in, "could not find '", path, "'", did_you_mean(item.name().value_or(""), options)}),
                        hint + places());
    }

    [[nodiscard]] ConfigError must_choose(const DefaultsItem& item) const {
        if (!item.is_group) {
            return error_at(item.location, concat({"a mandatory value ('\?\?\?') is supported for groups only: '",
                                                   item.config_path(), "'"}));
        }
        const std::string key = item.override_key();
        return error_at(item.location, concat({"you must specify '", key, "', e.g. ", key, "=OPTION"}),
                        concat({"Available options: ", join(repository_.search_path().options(item.group_path()))}));
    }

    Repository& repository_;
    GroupChoices& choices_;
    Environment& environment_;
    static constexpr std::size_t positions_of_one_item = 1U << 20U; ///< a list of options has as many

    DefaultsNode* node_ = nullptr; ///< the one whose children are being expanded, when the tree is wanted
    std::size_t position_ = 0;     ///< of the item to be expanded next
    bool skip_missing_ = false;
    int depth_ = 0;
};

} // namespace audyn::config
