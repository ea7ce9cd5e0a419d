#pragma once

#include <audyn/config/compose.hpp>
#include <audyn/config/hydra_groups.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/version.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace audyn::config::detail {

AUDYN_INLINE Composer::Composer(const SearchPath& search_path, std::optional<std::string> config_name,
                                const ComposeOptions& options, Environment& environment)
    : config_name_(std::move(config_name)),
      options_(options),
      environment_(environment),
      repository_(with_hydra(search_path), environment_) {}

AUDYN_INLINE Value Composer::run(const std::vector<std::string>& override_texts) {
    const std::vector<Override> overrides = parse(override_texts);
    extend_search_path(overrides);
    GroupChoices choices(repository_.search_path(), overrides);
    DefaultsExpander expander(repository_, choices, environment_);
    if (options_.details != nullptr) {
        expander.record_into(options_.details->tree);
    }
    if (options_.sweep) {
        expander.skip_missing();
    }
    std::vector<ResultItem> items = expander.run(config_name_);
    Mistakes mistakes;
    Value root = merge_all(items, mistakes);
    for (const Override& override : choices.config_overrides) {
        mistakes.attempt([&] { apply(override, root); });
    }
    mistakes.throw_if_any();
    describe_run(root, overrides, choices);
    if (options_.details != nullptr) {
        options_.details->items = std::move(items);
        options_.details->search_path = repository_.search_path();
    }
    return root;
}

AUDYN_INLINE SearchPath Composer::with_hydra(const SearchPath& search_path) {
    static const auto hydra = std::make_shared<const EmbeddedSource>("built-in hydra", hydra_files());
    SearchPath whole;
    return whole.add(hydra, "hydra").add(search_path);
}

AUDYN_INLINE void Composer::extend_search_path(const std::vector<Override>& overrides) {
    const std::shared_ptr<const LoadedConfig> primary = config_name_ ? repository_.load(*config_name_) : nullptr;
    if (primary && !primary->content.is_dict()) {
        throw error_at(primary->content.location(),
                       concat({"the primary configuration '", *config_name_, "' must be a dictionary, not ",
                               describe(primary->content.kind())}));
    }
    const auto given = std::ranges::find_if(overrides, [](const Override& override) {
        return override.type == Override::Type::change && override.key_element() == "hydra.searchpath";
    });
    Value places;
    const bool from_command_line = given != overrides.end();
    if (from_command_line) {
        places = given->value();
    } else if (primary) {
        const auto selection = Evaluation(environment_).select({&primary->content, nullptr}, {"hydra", "searchpath"});
        places = selection.status == Evaluation::Status::found ? *selection.found.node : Value();
    }
    if (!places.is_null()) {
        add_places(places, from_command_line ? "hydra.searchpath in command-line" : "hydra.searchpath in main");
    }
}

AUDYN_INLINE void Composer::add_places(const Value& places, const std::string& provider) {
    SearchPath extended = repository_.search_path();
    bool all_texts = places.is_list();
    for (std::size_t index = 0; all_texts && index < places.size(); ++index) {
        all_texts = places.child(index).is_string();
    }
    if (!all_texts) {
        throw error_at(places.location(),
                       concat({"hydra.searchpath must be a list of strings, not ", python_text(places)}));
    }
    for (std::size_t index = 0; index < places.size(); ++index) {
        std::string place = *places.child(index).get_if<std::string>();
        const auto scheme = place.find("://");
        if (scheme != std::string::npos && !place.starts_with("file://")) {
            throw error_at(
                places.child(index).location(),
                concat(
                    {"'", place, "' in hydra.searchpath: only folders are supported, as 'file://FOLDER' or 'FOLDER'"}));
        }
        place = scheme == std::string::npos ? place : place.substr(scheme + 3);
        auto source = std::make_shared<const FolderSource>(place);
        if (!source->is_available()) {
            environment_.warnings.push_back(concat({"the folder '", place, "' of hydra.searchpath is not available"}));
        }
        extended.add(std::move(source), provider);
    }
    repository_.set_search_path(std::move(extended));
}

AUDYN_INLINE std::vector<Override> Composer::parse(const std::vector<std::string>& texts) const {
    std::vector<Override> overrides;
    Mistakes mistakes;
    for (std::size_t index = 0; index < texts.size(); ++index) {
        if (index + 1 < texts.size() && texts[index + 1].starts_with('=')) {
            mistakes.add(detached_equal(texts, index));
            index += texts[index + 1] == "=" ? 2 : 1;
            continue;
        }
        mistakes.attempt([&] {
            overrides.push_back(parse_override(texts[index]));
            options_.sweep ? refuse_sweep_of_hydra(overrides.back()) : refuse_sweep(overrides.back());
        });
    }
    mistakes.throw_if_any();
    return overrides;
}

AUDYN_INLINE std::string Composer::detached_equal(const std::vector<std::string>& texts, std::size_t index) {
    std::string spaced = texts[index];
    std::string joined = texts[index];
    const std::size_t last = std::min(index + (texts[index + 1] == "=" ? 2 : 1), texts.size() - 1);
    for (std::size_t next = index + 1; next <= last; ++next) {
        spaced += concat({" ", texts[next]});
        joined += texts[next];
    }
    const auto source = std::make_shared<const Source>(Source{Origin::command_line, "", spaced});
    return error_at(Location(source, 1, static_cast<int>(texts[index].size()) + 1),
                    "there must be no space around the '='", concat({"Write: ", joined}))
        .what();
}

AUDYN_INLINE Value Composer::merge_all(const std::vector<ResultItem>& items, Mistakes& mistakes) {
    Value root = Value::dict();
    for (const ResultItem& item : items) {
        mistakes.attempt([&] { merge(item, root); });
    }
    return root;
}

AUDYN_INLINE void Composer::merge(const ResultItem& item, Value& root) {
    Value content = repository_.load(item.config_path)->content;
    if (!item.package.empty()) {
        Value embedded = Value::dict();
        embedded.set_location(content.location());
        const std::string package = item.package;
        embed(embedded, package, std::move(content));
        content = std::move(embedded);
    }
    check_hydra(item, content, root);
    TreeEditor(environment_, NewKeys::allowed).merge(root, std::move(content));
}

AUDYN_INLINE void Composer::embed(Value& root, const std::string& package, Value content) {
    const std::vector<std::string> keys = split_path(package);
    if (keys.size() > static_cast<std::size_t>(limits::depth)) {
        throw error_at(content.location(),
                       concat({"the package is nested deeper than ", std::to_string(limits::depth), " levels"}));
    }
    Value* current = &root;
    for (std::size_t index = 0; index + 1 < keys.size(); ++index) {
        Value dict = Value::dict();
        dict.set_location(content.location());
        current->set(Key(keys[index]), std::move(dict));
        current = current->find(keys[index]);
    }
    current->set(Key(keys.back()), std::move(content));
}

AUDYN_INLINE void Composer::check_hydra(const ResultItem& item, const Value& content, const Value& root) {
    const Value* hydra = content.is_dict() ? content.find("hydra") : nullptr;
    const Value* known = root.find("hydra");
    if (hydra == nullptr || known == nullptr || item.config_path.starts_with("hydra/")) {
        return;
    }
    const Value* places = hydra->find("searchpath");
    if (places != nullptr && !item.is_primary) {
        throw error_at(
            places->location(),
            concat({"in '", item.config_path, "': hydra.searchpath can be set in the primary configuration only"}));
    }
    check_keys(*hydra, *known, item.config_path);
}

AUDYN_INLINE void Composer::check_keys(const Value& given, const Value& known, const std::string& config_path) {
    constexpr std::array<std::string_view, 6> open{"callbacks", "hydra_logging", "job_logging",
                                                   "launcher",  "sweeper",       "env_set"};
    for (std::size_t index = 0; given.is_dict() && known.is_dict() && index < given.size(); ++index) {
        const std::string key = given.entries()[index].key.to_string();
        const Value* expected = known.find(key);
        if (expected == nullptr) {
            throw error_at(given.child(index).key_location(),
                           concat({"in '", config_path, "': '", known.path(), "' has no key '", key, "'",
                                   did_you_mean(key, key_names(known))}));
        }
        if (std::ranges::find(open, std::string_view(key)) == open.end()) {
            check_keys(given.child(index), *expected, config_path);
        }
    }
}

AUDYN_INLINE void Composer::refuse_sweep_of_hydra(const Override& override) {
    if (override.is_sweep() && override.is_hydra()) {
        throw error_at(override.key_location(),
                       concat({"'", override.key, "' is the run's own: it cannot be swept over"}));
    }
}

AUDYN_INLINE void Composer::refuse_sweep(const Override& override) {
    if (!override.is_sweep()) {
        return;
    }
    if (override.element->type == Element::Type::choice && override.element->simple) {
        const std::string key = override.text.substr(0, override.value_position);
        const std::string values = override.text.substr(override.value_position);
        const auto comma = override.element->items.size() > 1 ? comma_before(override) : override.value_position;
        throw error_at(
            override.location_at(comma), "several values for one key",
            concat({"To use them as a list, write ", key, "[", values, "]\nTo use them as one string, quote it: '", key,
                    "\"", values, "\"'\nTo sweep over them, add --multirun."}));
    }
    throw error_at(override.location(), concat({"the sweep '", override.text, "' requires --multirun"}));
}

AUDYN_INLINE std::size_t Composer::comma_before(const Override& override) {
    const std::size_t second = override.element->items[1].position;
    return override.text.rfind(',', second > 0 ? second - 1 : std::string::npos);
}

AUDYN_INLINE void Composer::apply(const Override& override, Value& root) {
    if (override.package) {
        throw error_at(override.key_location(),
                       concat({"'", override.text, "' looks like a choice in a group, but there is no group '",
                               override.key, "'", did_you_mean(override.key, group_names())}));
    }
    check_value(override);
    switch (override.type) {
    case Override::Type::change:
        change(override, root);
        break;
    case Override::Type::add:
        add(override, root);
        break;
    case Override::Type::force_add:
        TreeEditor(environment_, NewKeys::allowed).update(root, override.key, override.value());
        break;
    case Override::Type::remove:
        remove(override, root);
        break;
    }
}

AUDYN_INLINE void Composer::check_value(const Override& override) {
    if (override.element && override.element->has_null_key()) {
        throw error_at(override.location(), "null cannot be a key of a dictionary; quote it if the word is meant");
    }
    check_interpolations(override.value());
}

AUDYN_INLINE void Composer::check_interpolations(const Value& value) {
    if (value.is_interpolation()) {
        const auto& text = *value.get_if<std::string>();
        if (const auto mistake = grammar::check(text)) {
            throw error_at(grammar::place_of(*mistake, text, value.location()),
                           concat({"the interpolation ", short_repr(text), " is wrong: ", mistake->message}));
        }
    }
    for (std::size_t index = 0; index < value.size(); ++index) {
        check_interpolations(value.child(index));
    }
}

AUDYN_INLINE void Composer::change(const Override& override, Value& root) {
    try {
        TreeEditor(environment_, NewKeys::refused).update(root, override.key, override.value());
    } catch (const UnknownKey& error) {
        throw error_at(place_of(error, override), unknown_key(override, error), hint_for(override, error));
    }
}

AUDYN_INLINE Location Composer::place_of(const UnknownKey& error, const Override& override) {
    const std::string full = concat({error.above(), error.above().empty() ? "" : ".", error.key()});
    const bool in_key = concat({override.key, "."}).starts_with(concat({full, "."}));
    return in_key ? override.location_at(override.key_position() + full.size() - error.key().size()) : error.location();
}

AUDYN_INLINE std::string Composer::unknown_key(const Override& override, const UnknownKey& error) const {
    const std::string where = error.above().empty() ? "the configuration" : concat({"'", error.above(), "'"});
    std::string reason = concat({"could not override '", override.key, "': ", where});
    if (error.holder_kind() == Kind::list) {
        return reason + concat({" is a list of ", std::to_string(error.holder_size()), " items and has no item '",
                                error.key(), "'"});
    }
    if (error.holder_kind() != Kind::dict) {
        return reason + concat({" is ", describe(error.holder_kind()), " and has no key '", error.key(), "'"});
    }
    reason += concat({" has no key '", error.key(), "'"});
    if (const std::string nearest = nearest_name(error.key(), error.known()); !nearest.empty()) {
        return reason + concat({"; did you mean '", error.above(), error.above().empty() ? "" : ".", nearest, "'?"});
    }
    const std::string group = error.above().empty() ? nearest_name(error.key(), group_names()) : "";
    return reason + (group.empty() ? "" : concat({"; did you mean the group '", group, "'?"}));
}

AUDYN_INLINE std::string Composer::hint_for(const Override& override, const UnknownKey& error) {
    if (error.holder_kind() != Kind::dict) {
        return concat({"It is set by ", error.holder_location().to_string(), "."});
    }
    std::string hint;
    const std::vector<std::string>& known = error.known();
    if (known.empty() && error.holder_location().is_known()) {
        hint = concat({"It has no keys; see ", error.holder_location().to_string(), ".\n"});
    } else if (nearest_name(error.key(), known).empty() && !known.empty() && known.size() <= 20) {
        hint = concat({"It has: ", join(known), ".\n"});
    }
    if (std::ranges::find(known, "defaults") != known.end()) {
        hint += "A defaults list stands at the top of its file; 'defaults' below another key is a key like others.\n";
    }
    return hint + concat({"To add a new key, write +", override.text});
}

AUDYN_INLINE std::vector<std::string> Composer::group_names() const {
    std::vector<std::string> names;
    std::vector<std::string> open{""};
    while (!open.empty()) {
        const std::string above = std::move(open.back());
        open.pop_back();
        for (const std::string& inner : repository_.search_path().groups(above)) {
            open.push_back(above.empty() ? inner : concat({above, "/", inner}));
            names.push_back(open.back());
            if (names.size() > 10'000) {
                return names;
            }
        }
    }
    return names;
}

AUDYN_INLINE void Composer::add(const Override& override, Value& root) {
    const auto selection = Evaluation(environment_).select({&root, nullptr}, split_path(override.key));
    const bool present = selection.status == Evaluation::Status::found && !selection.found.node->is_null() &&
                         !selection.found.node->is_missing();
    if (present && !override.element->to_value().is_container()) {
        throw error_at(override.location_at(0),
                       concat({"could not append to the configuration: an item is already at '", override.key,
                               "', set by ", selection.found.node->location().to_string()}),
                       concat({"To change it, remove the +: ", override.text.substr(1),
                               "\nTo add or change it, write two: +", override.text}));
    }
    TreeEditor(environment_, NewKeys::allowed).update(root, override.key, override.value());
}

AUDYN_INLINE void Composer::remove(const Override& override, Value& root) {
    std::vector<std::string> keys = split_path(override.key);
    Evaluation evaluation(environment_);
    const auto selection = evaluation.select({&root, nullptr}, keys);
    const bool present = selection.status == Evaluation::Status::found && !selection.found.node->is_null() &&
                         !selection.found.node->is_missing();
    const Location location = override.key_location();
    if (!present) {
        const std::string stopped = selection.stopped_at.substr(selection.stopped_at.rfind('.') + 1);
        const std::vector<std::string> known =
            selection.container ? key_names(*selection.container.node) : std::vector<std::string>();
        const std::size_t offset = selection.stopped_at.size() - stopped.size();
        const bool tell_known = nearest_name(stopped, known).empty() && !known.empty() && known.size() <= 20;
        throw error_at(override.location_at(override.key_position() + offset),
                       concat({"could not delete from the configuration: '", override.key, "' does not exist",
                               did_you_mean(stopped, known)}),
                       tell_known ? concat({"There are: ", join(known), "."}) : "");
    }
    const Value wanted = override.value();
    const Value present_value = evaluation.resolved_copy(*selection.found.node);
    if (override.element && !wanted.is_null() && !python_equal(wanted, present_value)) {
        throw error_at(override.location(),
                       concat({"could not delete from the configuration: the value of '", override.key, "' is ",
                               python_text(present_value), " and not ", python_text(wanted)}));
    }
    const std::string last = std::move(keys.back());
    keys.pop_back();
    const Value* parent = evaluation.select({&root, nullptr}, keys).found.node;
    if (parent == nullptr || !parent->is_dict()) {
        throw error_at(location,
                       concat({"could not delete '", override.key, "': only a key of a dictionary can be deleted"}));
    }
    static_cast<void>(const_cast<Value*>(parent)->erase(last));
}

AUDYN_INLINE bool Composer::python_equal(const Value& left, const Value& right) {
    if (left.is_list() && right.is_list()) {
        bool equal = left.size() == right.size();
        for (std::size_t index = 0; equal && index < left.size(); ++index) {
            equal = python_equal(left.child(index), right.child(index));
        }
        return equal;
    }
    if (left.is_dict() && right.is_dict()) {
        return left.size() == right.size() && std::ranges::all_of(left.entries(), [&right](const Value::Entry& entry) {
                   const auto index = right.index_of_key(entry.key);
                   return index != Value::npos && python_equal(*entry.value, right.child(index));
               });
    }
    const Element first = Element::literal(left);
    const Element second = Element::literal(right);
    if (!left.is_container() && !right.is_container() && grammar::functions::is_number(first) &&
        grammar::functions::is_number(second)) {
        return grammar::functions::number_of(first) == grammar::functions::number_of(second);
    }
    return left == right;
}

AUDYN_INLINE void Composer::describe_run(Value& root, const std::vector<Override>& overrides,
                                         const GroupChoices& choices) {
    TreeEditor editor(environment_, NewKeys::allowed);
    Value task = Value::list();
    Value hydra = Value::list();
    for (const Override& override : overrides) {
        (override.is_hydra() ? hydra : task).append(Value(override.text));
    }
    Value chosen = Value::dict();
    for (const auto& [group, option] : choices.known_choices) {
        chosen.set(Key(group), option ? Value(*option) : Value());
    }
    editor.update(root, "hydra.overrides.task", std::move(task));
    editor.update(root, "hydra.overrides.hydra", std::move(hydra));
    editor.update(root, "hydra.runtime.choices", std::move(chosen));
    editor.update(root, "hydra.runtime.version", Value(audyn::version));
    editor.update(root, "hydra.runtime.cwd", Value(std::filesystem::current_path().string()));
    editor.update(root, "hydra.runtime.config_sources", config_sources());
    editor.update(root, "hydra.job.override_dirname", Value(override_dirname(root, overrides)));
    editor.update(root, "hydra.job.config_name", config_name_ ? Value(*config_name_) : Value());
    copy_environment(root);
}

AUDYN_INLINE Value Composer::config_sources() const {
    Value list = Value::list();
    const SearchPath& search_path = repository_.search_path();
    for (std::size_t index = 0; index < search_path.sources().size(); ++index) {
        const ConfigSource& source = *search_path.sources()[index];
        const bool is_folder = source.scheme() == "file";
        Value entry = Value::dict();
        entry.set(Key("path"),
                  Value(is_folder ? std::filesystem::absolute(source.description()).lexically_normal().string()
                                  : source.description()));
        entry.set(Key("schema"), Value(source.scheme()));
        entry.set(Key("provider"), Value(search_path.providers()[index]));
        list.append(std::move(entry));
    }
    return list;
}

AUDYN_INLINE Value Composer::setting(const Value& root, std::string_view path) const {
    const auto selection = Evaluation(environment_).select({&root, nullptr}, split_path(path));
    return selection.status == Evaluation::Status::found ? *selection.found.node : Value();
}

AUDYN_INLINE std::string Composer::override_dirname(const Value& root, const std::vector<Override>& overrides) const {
    const Value excluded = setting(root, "hydra.job.config.override_dirname.exclude_keys");
    const auto is_excluded = [&excluded](const std::string& key) {
        for (std::size_t index = 0; index < excluded.size(); ++index) {
            if (const auto* name = excluded.child(index).get_if<std::string>(); name != nullptr && *name == key) {
                return true;
            }
        }
        return false;
    };
    std::vector<std::string> names;
    for (const Override& override : overrides) {
        if (!override.is_hydra() && !is_excluded(override.key)) {
            names.push_back(override.text);
        }
    }
    std::ranges::sort(names);
    const std::string text = join(names, python_text(setting(root, "hydra.job.config.override_dirname.item_sep")));
    const std::string between = python_text(setting(root, "hydra.job.config.override_dirname.kv_sep"));
    std::string result;
    for (const char character : text) {
        character == '=' ? result += between : result += character;
    }
    return result;
}

AUDYN_INLINE void Composer::copy_environment(Value& root) {
    const Value names = setting(root, "hydra.job.env_copy");
    for (std::size_t index = 0; index < names.size(); ++index) {
        const std::string name = python_text(names.child(index));
        const char* const value = std::getenv(name.c_str());
        if (value == nullptr) {
            throw error_at(names.child(index).location(),
                           concat({"hydra.job.env_copy: the environment has no variable '", name, "'"}));
        }
        TreeEditor(environment_, NewKeys::allowed).update(root, concat({"hydra.job.env_set.", name}), Value(value));
    }
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE Config compose(const SearchPath& search_path, const std::optional<std::string>& config_name,
                            const std::vector<std::string>& overrides, Resolvers resolvers,
                            const ComposeOptions& options) {
    Environment environment;
    environment.resolvers = std::move(resolvers);
    environment.parse_text = detail::parse_created_text;
    environment.start = options.start.value_or(environment.start);
    Value root = detail::Composer(search_path, config_name, options, environment).run(overrides);
    if (auto hydra = root.erase("hydra")) {
        Value holder = Value::dict();
        holder.set(Key("hydra"), std::move(*hydra));
        environment.hydra = std::move(holder);
    }
    return Config(std::move(root), std::move(environment));
}

AUDYN_INLINE Config config_from_yaml(std::string text, std::string name, Resolvers resolvers) {
    const auto source = std::make_shared<const Source>(Source{Origin::file, std::move(name), std::move(text)});
    Environment environment;
    environment.resolvers = std::move(resolvers);
    environment.parse_text = detail::parse_created_text;
    return Config(parse_yaml(detail::normalised(source)), std::move(environment));
}

AUDYN_INLINE Config config_from_file(const std::filesystem::path& file, Resolvers resolvers) {
    const auto source = FolderSource(file.parent_path()).load(file.filename().string());
    if (!source) {
        throw ConfigError(concat({"there is no file '", file.string(), "' (configuration files end in .yaml)"}));
    }
    return config_from_yaml(source->text, source->name, std::move(resolvers));
}

} // namespace audyn::config
