#pragma once

#include <audyn/config/defaults.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>

namespace audyn::config {

AUDYN_INLINE GroupChoices::GroupChoices(const SearchPath& search_path, const std::vector<Override>& overrides) {
    Mistakes mistakes;
    for (const Override& override : overrides) {
        if (override.is_sweep()) {
            continue;
        }
        const Value value = override.value();
        if (value.is_dict() || !search_path.has_group(override.key)) {
            config_overrides.push_back(override);
        } else {
            mistakes.attempt([&] { add_group_override(override, value); });
        }
    }
    mistakes.throw_if_any();
}

AUDYN_INLINE void GroupChoices::add_override(const std::string& containing_config, const DefaultsItem& item) {
    const std::string key = item.override_key();
    if (find(key) == nullptr) {
        choices_.emplace_back(key, Choice{item.option, item.options, item.location, item.option_location, false,
                                          containing_config, false});
    }
}

AUDYN_INLINE void GroupChoices::apply_override(DefaultsItem& item) {
    if (!item.is_group) {
        return;
    }
    if (Choice* choice = find(item.override_key())) {
        item.option = choice->option;
        item.options = choice->options;
        item.location = choice->location;
        item.option_location = choice->option_location;
        choice->used = true;
    }
}

AUDYN_INLINE void GroupChoices::remember(const DefaultsItem& item) {
    if (!item.is_group) {
        return;
    }
    const std::string key = item.override_key();
    const auto known =
        std::ranges::find(known_choices, key, &std::pair<std::string, std::optional<std::string>>::first);
    if (known == known_choices.end()) {
        known_choices.emplace_back(key, item.name());
        places_of_choices_.emplace(key, item.option_location);
    } else if (known->second != item.name()) {
        const std::string other = known->second.value_or("null");
        throw error_at(item.option_location,
                       concat({"multiple values for '", key, "': '", item.name().value_or("null"), "' here, '", other,
                               "' at ", places_of_choices_.at(key).to_string()}),
                       concat({"To override the first choice, write the later one as 'override ", key, ": ", other,
                               "'; in the file of another group as 'override /", key, ": ", other, "'."}));
    }
    keys_of_group_[item.group_path()].insert(key);
}

AUDYN_INLINE bool GroupChoices::is_deleted(const DefaultsItem& item) const {
    const auto found = item.is_group ? deletions_.find(item.override_key()) : deletions_.end();
    return found != deletions_.end() && (!found->second.option || found->second.option == item.name());
}

AUDYN_INLINE void GroupChoices::mark_deleted(DefaultsItem& item) {
    item.is_deleted = true;
    deletions_.find(item.override_key())->second.used = true;
}

AUDYN_INLINE std::vector<std::string> GroupChoices::known_groups() const {
    std::vector<std::string> groups;
    for (const auto& [group, option] : known_choices) {
        groups.push_back(group);
    }
    return groups;
}

AUDYN_INLINE void GroupChoices::check_all_used(Mistakes& mistakes) const {
    for (const auto& [key, choice] : choices_) {
        if (!choice.used) {
            mistakes.add(unused(key, choice).what());
        }
    }
    for (const auto& [key, deletion] : deletions_) {
        if (!deletion.used) {
            mistakes.add(unused(key, deletion).what());
        }
    }
}

AUDYN_INLINE void GroupChoices::add_group_override(const Override& override, const Value& value) {
    const auto* text = value.get_if<std::string>();
    if (override.type == Override::Type::force_add) {
        throw error_at(override.location_at(0),
                       concat({"force-add of a group is not supported: '", override.text, "'"}),
                       concat({"Write one '+' to add the group to the defaults list: ", override.text.substr(1)}));
    }
    if (override.type == Override::Type::remove) {
        if (!value.is_null() && text == nullptr) {
            throw error_at(override.location(),
                           concat({"the option to delete must be a name, not ", describe(value.kind())}));
        }
        deletions_[override.key_element()] = {text != nullptr ? std::optional(*text) : std::nullopt,
                                              override.key_location(), false};
        return;
    }
    std::optional<std::vector<std::string>> options;
    if (value.is_list()) {
        options.emplace();
        for (std::size_t index = 0; index < value.size(); ++index) {
            const auto* option = value.child(index).get_if<std::string>();
            if (option == nullptr) {
                throw error_at(value.child(index).location(), concat({"the options of a group must be names, not ",
                                                                      describe(value.child(index).kind())}));
            }
            options->push_back(*option);
        }
    } else if (text == nullptr) {
        throw error_at(override.location(),
                       concat({"a group is overridden by a name or a list of names, not by ", describe(value.kind())}));
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
        item.location = override.key_location();
        item.option_location = override.location();
        appended.push_back(std::move(item));
        return;
    }
    Choice choice{option, std::move(options), override.key_location(), override.location(), true, "", false};
    if (Choice* known = find(override.key_element())) {
        *known = std::move(choice);
    } else {
        choices_.emplace_back(override.key_element(), std::move(choice));
    }
}

AUDYN_INLINE auto GroupChoices::find(const std::string& key) -> Choice* {
    const auto found = std::ranges::find(choices_, key, &std::pair<std::string, Choice>::first);
    return found == choices_.end() ? nullptr : &found->second;
}

AUDYN_INLINE ConfigError GroupChoices::unused(const std::string& key, const Choice& choice) const {
    std::string reason = choice.containing_config.empty() ? "" : concat({"in '", choice.containing_config, "': "});
    reason += concat({"could not override '", key, "'"});
    const auto keys = keys_of_group_.find(key.substr(0, key.find('@')));
    if (keys == keys_of_group_.end()) {
        reason += concat({": no match in the defaults list", did_you_mean(key, known_groups())});
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

AUDYN_INLINE ConfigError GroupChoices::unused(const std::string& key, const Deletion& deletion) const {
    const std::string whole = concat({key, deletion.option ? concat({"=", *deletion.option}) : ""});
    const auto chosen =
        std::ranges::find(known_choices, key, &std::pair<std::string, std::optional<std::string>>::first);
    const bool other_option = deletion.option && chosen != known_choices.end();
    return error_at(deletion.location,
                    concat({"could not delete '", whole, "': no match in the defaults list",
                            other_option ? concat({", where it is '", chosen->second.value_or("null"), "'"})
                                         : did_you_mean(key, known_groups())}));
}

AUDYN_INLINE DefaultsExpander::DefaultsExpander(Repository& repository, GroupChoices& choices, Environment& environment)
    : repository_(repository), choices_(choices), environment_(environment) {}

AUDYN_INLINE std::vector<ResultItem> DefaultsExpander::run(const std::optional<std::string>& config_name) {
    DefaultsItem primary = DefaultsItem::config(config_name.value_or("_dummy_empty_config_"));
    primary.is_primary = true;
    DefaultsItem hydra = DefaultsItem::config("hydra/config");
    Results of_primary = expand(primary, false);
    Results result = expand(hydra, false);
    mistakes_.throw_if_any(); // what follows would tell their consequences
    std::ranges::move(of_primary, std::back_inserter(result));
    std::erase_if(result, [](const ResultItem& item) { return item.config_path == "_dummy_empty_config_"; });
    mistakes_.attempt([&result] { check_unique(result); });
    choices_.check_all_used(mistakes_);
    mistakes_.throw_if_any();
    return result;
}

AUDYN_INLINE auto DefaultsExpander::expand(DefaultsItem& item, bool in_interpolation) -> Results {
    const std::string path = item.config_path();
    active_.push_back(path);
    DefaultsNode own{{}, {}, position_};
    struct Leave {
        DefaultsExpander& expander;
        DefaultsNode* outer;
        ~Leave() {
            expander.active_.pop_back();
            expander.node_ = outer;
        }
    };
    Results results;
    {
        const Leave leave{*this, std::exchange(node_, node_ != nullptr ? &own : nullptr)};
        if (active_.size() > static_cast<std::size_t>(limits::depth)) {
            throw Endless(in_a_circle(item));
        }
        if (++expanded_ > limits::defaults) {
            throw Endless(error_at(item.location, concat({"the defaults lists have more than ",
                                                          std::to_string(limits::defaults), " items in all"})));
        }
        results = expand_children(item, path, in_interpolation);
    }
    record(item, std::move(own));
    return results;
}

AUDYN_INLINE void DefaultsExpander::record(const DefaultsItem& item, DefaultsNode node) {
    if (node_ != nullptr && !item.is_deleted) {
        node.item = item;
        std::ranges::stable_sort(node.children, {}, &DefaultsNode::position);
        node_->children.push_back(std::move(node));
    }
}

AUDYN_INLINE auto DefaultsExpander::expand_children(DefaultsItem& item, const std::string& path, bool in_interpolation)
    -> Results {
    if (item.is_primary && !repository_.search_path().has_config(path)) {
        throw primary_not_found(item);
    }
    const std::shared_ptr<const LoadedConfig> loaded =
        item.is_missing() ? nullptr : repository_.load(path, item.inclusion());
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
        throw not_found(item);
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
    Results results = expand_list(item, defaults, self_added, in_interpolation);
    const bool has_children =
        std::ranges::any_of(defaults, [](const DefaultsItem& d) { return d.is_self() || !d.is_override; });
    return has_children ? results : Results{result_of(item)};
}

AUDYN_INLINE bool DefaultsExpander::add_self(const DefaultsItem& item, std::vector<DefaultsItem>& defaults,
                                             bool has_content) {
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
            concat({defaults.front().listed.to_string(), ": the defaults list of '", item.config_path(),
                    "' is missing '_self_'; without it the file's own values win over the list. Write '- _self_' "
                    "where they belong."}));
    }
    defaults.push_back(DefaultsItem::config("_self_"));
    return true;
}

AUDYN_INLINE void DefaultsExpander::collect_overrides(const DefaultsItem& parent, std::vector<DefaultsItem>& defaults,
                                                      bool in_interpolation) {
    const DefaultsItem* last_override = nullptr;
    for (DefaultsItem& item : defaults) {
        if (item.is_self()) {
            continue;
        }
        item.set_parent(parent.group_path(), parent.final_package());
        if (last_override != nullptr && !item.is_override && !item.is_appended) {
            throw error_at(
                item.location,
                concat({"in '", parent.config_path(), "': override '", last_override->override_key(), " : ",
                        last_override->option.value_or("null"), "' is defined before '",
                        item.is_group ? concat({item.override_key(), ": ", item.option.value_or("null")}) : item.path,
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

AUDYN_INLINE auto DefaultsExpander::expand_list(DefaultsItem& parent, std::vector<DefaultsItem>& defaults,
                                                bool self_added, bool in_interpolation) -> Results {
    std::vector<Results> parts(defaults.size());
    std::vector<Mistakes> mistakes(defaults.size());
    const Mistakes before = std::exchange(mistakes_, {});
    std::vector<std::size_t> deferred;
    for (std::size_t index = defaults.size(); index-- > 0;) {
        DefaultsItem& item = defaults[index];
        position_ = index * positions_of_one_item;
        if (item.is_self()) {
            parts[index].push_back(self_of(parent));
            record(item, {{}, {}, position_});
            continue;
        }
        if (item.is_override) {
            continue;
        }
        choices_.apply_override(item);
        if (item.is_interpolation() && !item.options) {
            deferred.push_back(index);
            continue;
        }
        mistakes[index] = mistakes_of([&] {
            parts[index] =
                item.options ? expand_options(item, parent, in_interpolation) : expand(item, in_interpolation);
        });
    }
    if (!deferred.empty()) {
        const Value known = interpolation_scope(defaults, self_added);
        for (const std::size_t index : deferred) {
            mistakes[index] = mistakes_of([&] {
                resolve(defaults[index], known);
                position_ = index * positions_of_one_item;
                parts[index] = expand(defaults[index], true);
            });
        }
    }
    mistakes_ = before;
    for (const Mistakes& of_item : mistakes) {
        mistakes_.add(of_item);
    }
    return joined(std::move(parts));
}

AUDYN_INLINE auto DefaultsExpander::expand_options(const DefaultsItem& group, const DefaultsItem& parent,
                                                   bool in_interpolation) -> Results {
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
        item.option_location = group.option_location;
        item.listed = group.listed;
        item.set_parent(parent.group_path(), parent.final_package());
        position_ = position + index;
        parts[index] = expand(item, in_interpolation);
    }
    return joined(std::move(parts));
}

AUDYN_INLINE auto DefaultsExpander::joined(std::vector<Results> parts) -> Results {
    Results results;
    for (Results& part : parts) {
        std::ranges::move(part, std::back_inserter(results));
    }
    return results;
}

AUDYN_INLINE ResultItem DefaultsExpander::self_of(const DefaultsItem& owner) const {
    return {owner.config_path(), owner.final_package(), parent_path(), true, owner.is_primary, std::nullopt};
}

AUDYN_INLINE ResultItem DefaultsExpander::result_of(const DefaultsItem& item) const {
    return {item.config_path(), item.final_package(),
            parent_path(),      false,
            item.is_primary,    item.is_group ? std::optional(item.override_key()) : std::nullopt};
}

AUDYN_INLINE Value DefaultsExpander::interpolation_scope(const std::vector<DefaultsItem>& defaults,
                                                         bool self_added) const {
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

AUDYN_INLINE void DefaultsExpander::resolve(DefaultsItem& item, const Value& known) {
    const std::string text = item.is_group ? *item.option : item.config_path();
    if (item.is_group && text.starts_with("${defaults.") && text.size() > 12 && scalar::is_digit(text[11]) &&
        text[12] == '.') {
        throw error_at(item.option_location, concat({"'", item.override_key(), "=", text,
                                                     "' uses a form of interpolation that is no longer supported; "
                                                     "refer to the group instead: ${GROUP}"}));
    }
    Value scope = known;
    scope.set(Key("_dummy_"), Value(text));
    std::string reason;
    try {
        const Found found = Evaluation(environment_).dereference(*scope.find("_dummy_"));
        if (const auto* resolved = found.node->get_if<std::string>()) {
            (item.is_group ? item.option.emplace() : item.path) = *resolved;
            return;
        }
        reason = concat({"it gives ", describe(found.node->kind()), ", not a name"});
    } catch (const ConfigError& error) {
        const std::string_view text_of_error = error.what();
        reason = text_of_error.substr(0, text_of_error.find('\n'));
        constexpr std::string_view holder = "'_dummy_': ";
        reason.erase(0, reason.starts_with(holder) ? holder.size() : 0);
    }
    throw error_at(
        item.option_location, concat({"error resolving interpolation '", text, "': ", reason}),
        concat({"A defaults list can refer to the groups chosen before it: ", join(choices_.known_groups())}));
}

AUDYN_INLINE void DefaultsExpander::check_unique(const Results& results) {
    std::set<std::string> seen;
    for (const ResultItem& item : results) {
        if (!item.is_self && item.override_key && !seen.insert(*item.override_key).second) {
            throw ConfigError(concat({"'", *item.override_key, "' appears more than once in the final defaults list"}));
        }
    }
}

AUDYN_INLINE std::string DefaultsExpander::places() const {
    std::string text = "Search path:";
    for (const auto& source : repository_.search_path().sources()) {
        if (source->description() != "built-in hydra") {
            text += concat({"\n    ", source->description()});
        }
    }
    return text;
}

AUDYN_INLINE std::string DefaultsExpander::near_miss(const std::string& path) const {
    for (const auto& source : repository_.search_path().sources()) {
        if (const std::string file = source->near_miss(path); !file.empty()) {
            return concat({"There is '", file, "', but the name of a configuration ends in .yaml: rename it.\n"});
        }
    }
    return "";
}

AUDYN_INLINE ConfigError DefaultsExpander::primary_not_found(const DefaultsItem& item) const {
    const std::string path = item.config_path();
    const std::vector<std::string> names = repository_.search_path().options(item.group_path());
    const std::string meant = did_you_mean(item.name().value_or(""), names);
    std::vector<std::string> others = names.empty() ? repository_.search_path().options("") : names;
    std::erase(others, "_dummy_empty_config_");
    std::string known;
    if (meant.empty() && !others.empty() && others.size() <= 20) {
        known = concat({"There are: ", join(others), "\n"});
    }
    return ConfigError(
        concat({"cannot find the primary configuration '", path, "'", meant, "\n", near_miss(path), known, places()}));
}

AUDYN_INLINE ConfigError DefaultsExpander::in_a_circle(const DefaultsItem& item) const {
    const std::string& path = active_.back();
    auto before = std::find(active_.rbegin() + 1, active_.rend(), path);
    std::string circle;
    const auto length = before - active_.rbegin();
    if (before != active_.rend() && length <= 16) {
        circle = concat({": ", join({active_.end() - length - 1, active_.end()}, " -> ")});
    }
    return error_at(item.location, concat({"the defaults lists refer to each other in a circle", circle}));
}

AUDYN_INLINE ConfigError DefaultsExpander::error_about(const DefaultsItem& item, const Location& place,
                                                       const std::string& reason, const std::string& hint) const {
    std::string list;
    if (item.is_appended && active_.size() > 1 && active_[active_.size() - 2] != "_dummy_empty_config_") {
        list = concat({"  appended to the defaults list of '", active_[active_.size() - 2], "'"});
    } else if (item.listed.is_known() && place.source() != item.listed.source()) {
        list = concat({"  in the defaults list of ", item.listed.to_string()});
    }
    return error_at(place, reason, concat({list, list.empty() || hint.empty() ? "" : "\n", hint}));
}

AUDYN_INLINE ConfigError DefaultsExpander::not_found(const DefaultsItem& item) const {
    const SearchPath& search_path = repository_.search_path();
    const std::string path = item.config_path();
    const std::string group = item.group_path();
    const std::string reason = concat({"could not find '", path, "'"});
    const std::string file = near_miss(path);
    const std::vector<std::string> options = search_path.options(group);
    if (!group.empty() && !search_path.has_group(group)) {
        const auto slash = group.rfind('/');
        const std::string above = slash == std::string::npos ? "" : group.substr(0, slash);
        const std::string nearest =
            nearest_name(group.substr(slash == std::string::npos ? 0 : slash + 1), search_path.groups(above));
        const std::string meant =
            nearest.empty() ? ""
                            : concat({"; did you mean '", above.empty() ? "" : concat({above, "/"}), nearest, "'?"});
        return error_about(item, item.location, concat({reason, ": there is no group '", group, "'", meant}),
                           file + places());
    }
    std::string name = item.name().value_or("");
    name.resize(name.size() - (name.ends_with(".yaml") ? 5 : 0));
    const std::string meant = did_you_mean(name, options);
    if (group.empty()) {
        return error_about(item, item.option_location, reason + meant,
                           search_path.has_group(path)
                               ? concat({"'", path, "' is a group. Choose one of its options, '", path,
                                         ": OPTION': ", join(search_path.options(path))})
                               : file + places());
    }
    return error_about(item, item.option_location, reason + meant,
                       file + concat({"Options of '", group, "': ", options.empty() ? "none" : join(options)}));
}

AUDYN_INLINE ConfigError DefaultsExpander::must_choose(const DefaultsItem& item) const {
    if (!item.is_group) {
        return error_at(item.location, concat({"a mandatory value ('\?\?\?') is supported for groups only: '",
                                               item.config_path(), "'"}));
    }
    const std::string key = item.override_key();
    return error_at(
        item.option_location, concat({"you must specify '", key, "', e.g. ", key, "=OPTION"}),
        concat({"Options of '", item.group_path(), "': ", join(repository_.search_path().options(item.group_path()))}));
}

} // namespace audyn::config
