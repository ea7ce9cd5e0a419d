#pragma once

#include <audyn/config/interpolation.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <system_error>

namespace audyn::config {

AUDYN_INLINE std::vector<std::string> split_path(std::string_view path) {
    std::vector<std::string> keys;
    std::size_t position = 0;
    if (!path.starts_with('[')) {
        position = std::min(path.find_first_of(".["), path.size());
        keys.emplace_back(path.substr(0, position));
    }
    while (position < path.size()) {
        const bool bracket = path[position] == '[';
        const auto end = bracket ? path.find(']', position) : path.find_first_of(".[", position + 1);
        const auto stop = std::min(end, path.size());
        keys.emplace_back(path.substr(position + 1, stop - position - 1));
        position = bracket ? std::min(stop + 1, path.size()) : stop;
        if (bracket && position < path.size() && path[position] != '.' && path[position] != '[') {
            position = std::min(path.find_first_of(".[", position), path.size());
        }
    }
    return keys;
}

AUDYN_INLINE std::optional<long long> list_index(std::string_view key) {
    long long index = 0;
    const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), index);
    return code == std::errc{} && end == key.data() + key.size() ? std::optional(index) : std::nullopt;
}

AUDYN_INLINE std::vector<std::string> key_names(const Value& value) {
    std::vector<std::string> names;
    if (value.is_dict()) {
        for (const auto& entry : value.entries()) {
            names.push_back(entry.key.to_string());
        }
    }
    return names;
}

AUDYN_INLINE Found Evaluation::dereference(const Value& node) {
    if (!node.is_interpolation()) {
        return {&node, nullptr};
    }
    if (node.parent() == nullptr) {
        throw ConfigError(
            concat({"an interpolation outside a configuration cannot be resolved: ", *node.get_if<std::string>()}));
    }
    if (std::ranges::find(active_, &node) != active_.end()) {
        throw cycle(node);
    }
    if (++depth_ > limits::depth) {
        --depth_;
        throw failure(node,
                      concat({"more than ", std::to_string(limits::depth), " interpolations refer one to another"}));
    }
    active_.push_back(&node);
    const auto leave = [this] {
        active_.pop_back();
        --depth_;
    };
    try {
        Found found = evaluate_node(node);
        leave();
        return found;
    } catch (...) {
        leave();
        throw;
    }
}

AUDYN_INLINE auto Evaluation::select(const Found& start, const std::vector<std::string>& keys) -> Selection {
    Found current = start;
    std::string walked;
    for (std::size_t index = 0; index < keys.size(); ++index) {
        Found child = child_of(current, keys[index]);
        const std::string before = walked;
        walked += concat({(walked.empty() ? "" : "."), keys[index]});
        if (!child) {
            return {Status::absent, {}, walked, current};
        }
        if (child.node->is_missing()) {
            return {Status::missing, child, walked, current};
        }
        Found resolved = dereference(*child.node);
        resolved.owner = resolved.owner ? resolved.owner : child.owner;
        if (index + 1 < keys.size() && !resolved.node->is_container()) {
            return {Status::not_container, {}, walked, resolved};
        }
        current = std::move(resolved);
    }
    return {Status::found, current, walked, {}};
}

AUDYN_INLINE std::optional<std::pair<const Value*, std::string_view>> Evaluation::resolve_scope(const Value* scope,
                                                                                                std::string_view key) {
    const Value* root = scope;
    if (!key.starts_with('.')) {
        while (root->parent() != nullptr) {
            root = root->parent();
        }
        return std::pair(root, key);
    }
    for (key.remove_prefix(1); key.starts_with('.'); key.remove_prefix(1)) {
        root = root->parent();
        if (root == nullptr) {
            return std::nullopt;
        }
    }
    return std::pair(root, key);
}

AUDYN_INLINE Value Evaluation::resolved_copy(const Value& node, std::size_t& budget) {
    const Found found = dereference(node);
    const Value& value = *found.node;
    if (++budget > limits::nodes) {
        throw failure(node, concat({"resolving gives more than ", std::to_string(limits::nodes), " values"}));
    }
    if (!value.is_container()) {
        Value copy = value;
        copy.set_literal(copy.is_literal() || copy.is_interpolation());
        return copy;
    }
    if (++copy_depth_ > limits::depth) {
        --copy_depth_;
        throw failure(node, concat({"resolving gives a tree deeper than ", std::to_string(limits::depth), " levels"}));
    }
    Value copy = value.is_list() ? Value::list() : Value::dict();
    copy.set_location(value.location());
    for (std::size_t index = 0; index < value.size(); ++index) {
        Value child = resolved_copy(value.child(index), budget);
        if (value.is_list()) {
            copy.append(std::move(child));
        } else {
            copy.set(value.entries()[index].key, std::move(child));
        }
    }
    --copy_depth_;
    return copy;
}

AUDYN_INLINE Value Evaluation::resolved_copy(const Value& node) {
    std::size_t budget = 0;
    return resolved_copy(node, budget);
}

AUDYN_INLINE Found Evaluation::child_of(const Found& container, const std::string& key) {
    const Value& value = *container.node;
    if (value.is_list()) {
        const auto index = list_index(key);
        const bool inside = index && *index >= 0 && static_cast<std::size_t>(*index) < value.size();
        return inside ? Found{&value.child(static_cast<std::size_t>(*index)), container.owner} : Found{};
    }
    return {value.find(key), container.owner};
}

AUDYN_INLINE ConfigError Evaluation::failure(const Value& node, std::string_view reason, std::string_view hint) {
    const std::string path = node.path();
    return error_at(node.location(), (path.empty() ? "" : concat({"'", path, "': "})) + std::string(reason), hint);
}

AUDYN_INLINE ConfigError Evaluation::cycle(const Value& node) const {
    std::vector<const Value*> nodes(std::ranges::find(active_, &node), active_.end());
    const auto first = std::ranges::min_element(nodes, {}, [](const Value* member) { return member->path(); });
    std::rotate(nodes.begin(), first, nodes.end()); // Clang 14 cannot read the one of ranges
    std::string text;
    for (const Value* member : nodes) {
        text += concat({member->path(), " -> "});
    }
    return failure(*nodes[0], concat({"the interpolation refers to itself",
                                      nodes.size() > 16 ? "" : concat({": ", text, nodes[0]->path()})}));
}

AUDYN_INLINE Found Evaluation::evaluate_node(const Value& node) {
    const auto& text = *node.get_if<std::string>();
    if (++followed_ > limits::interpolations) {
        throw failure(
            node, concat({"resolving follows more than ", std::to_string(limits::interpolations), " interpolations"}));
    }
    grammar::Expression expression;
    try {
        expression = grammar::parse_interpolation(text);
    } catch (const grammar::SyntaxError& error) {
        throw error_at(
            grammar::place_of(error, text, node.location()),
            concat({"'", node.path(), "': the interpolation ", short_repr(text), " is wrong: ", error.message}));
    }
    return evaluate(expression, node);
}

AUDYN_INLINE Found Evaluation::wrap(Value value, const Value& node) {
    if (!value.location().is_known()) {
        value.set_location(node.location());
    }
    auto owner = std::make_shared<Value>(std::move(value));
    if (owner->is_string()) {
        owner->set_literal(true);
    }
    owner->adopt_by(node.parent(), node.slot());
    return {owner.get(), owner};
}

AUDYN_INLINE Found Evaluation::evaluate(const grammar::Expression& expression, const Value& node) {
    using Type = grammar::Expression::Type;
    switch (expression.type) {
    case Type::literal:
        return wrap(expression.value, node);
    case Type::concatenation:
        return wrap(Value(concatenate(expression.parts, node)), node);
    case Type::reference:
        return reference(expression, node);
    case Type::call:
        return call(expression, node);
    case Type::list:
    case Type::dict:
        break;
    }
    return wrap(container(expression, node), node);
}

AUDYN_INLINE std::string Evaluation::concatenate(const std::vector<grammar::Expression::Part>& parts,
                                                 const Value& node) {
    std::string text;
    for (const auto& part : parts) {
        text += part.nested.empty() ? part.text : python_text(*evaluate(part.nested[0], node).node);
        if (text.size() > limits::text) {
            throw failure(node,
                          concat({"resolving gives a text longer than ", std::to_string(limits::text), " bytes"}));
        }
    }
    return text;
}

AUDYN_INLINE Value Evaluation::container(const grammar::Expression& expression, const Value& node) {
    if (expression.missing_elements) {
        warn_missing_elements(node);
    }
    const auto element = [this, &node](const grammar::Expression& child) { return Value(*evaluate(child, node).node); };
    Value result = expression.type == grammar::Expression::Type::list ? Value::list() : Value::dict();
    if (result.is_list()) {
        for (const auto& child : expression.children) {
            result.append(element(child));
        }
        return result;
    }
    for (std::size_t index = 0; index + 1 < expression.children.size(); index += 2) {
        result.set(to_key(element(expression.children[index]), node), element(expression.children[index + 1]));
    }
    return result;
}

AUDYN_INLINE Key Evaluation::to_key(const Value& value, const Value& node) {
    if (auto key = Key::from(value)) {
        return std::move(*key);
    }
    throw failure(node, concat({"a key of a dictionary cannot be ", describe(value.kind())}));
}

AUDYN_INLINE std::string Evaluation::name_of(const grammar::Expression& expression, const Value& node) {
    std::string name;
    for (const auto& part : expression.parts) {
        if (part.nested.empty()) {
            name += part.text;
            continue;
        }
        const Found found = evaluate(part.nested[0], node);
        const auto* text = found.node->get_if<std::string>();
        if (text == nullptr) {
            throw failure(node, concat({"'", part.nested[0].source, "' names a key and must be a string, not ",
                                        python_text(*found.node)}));
        }
        name += *text;
    }
    return name;
}

AUDYN_INLINE Found Evaluation::reference(const grammar::Expression& expression, const Value& node) {
    const std::string key = name_of(expression, node);
    const auto scope = resolve_scope(node.parent(), key);
    if (!scope) {
        throw failure(node, concat({"interpolation key '", key, "' not found: it climbs above the root"}));
    }
    const Selection selection = select({scope->first, nullptr}, split_path(scope->second));
    const std::string wanted(scope->second);
    switch (selection.status) {
    case Status::found:
        break;
    case Status::absent:
        throw failure(node, not_found(key, wanted, selection), elsewhere(node, wanted));
    case Status::missing: {
        const std::string path = selection.found.node->path();
        throw MissingValueError(
            failure(node, concat({"interpolation to the key '", path, "', whose mandatory value '\?\?\?' is missing"}))
                .what());
    }
    case Status::not_container:
        throw failure(node, concat({"interpolation key '", wanted, "' not found: '", selection.stopped_at, "' is ",
                                    describe(selection.container.node->kind()), " and has no keys"}));
    }
    for (const Value* above = node.parent(); above != nullptr; above = above->parent()) {
        if (above == selection.found.node) {
            throw failure(node, concat({"the interpolation '", expression.source,
                                        "' refers to a dictionary or list that contains it"}));
        }
    }
    return selection.found;
}

AUDYN_INLINE std::string Evaluation::not_found(const std::string& key, const std::string& wanted,
                                               const Selection& selection) {
    std::string reason = concat({"interpolation key '", key, "' not found"});
    if (key.size() > wanted.size() && selection.stopped_at.find('.') == std::string::npos) {
        const std::string path = selection.container.node->path();
        reason += concat({" in ", path.empty() ? "the configuration" : concat({"'", path, "'"})});
    }
    const std::string last = selection.stopped_at.substr(selection.stopped_at.rfind('.') + 1);
    const std::string nearest = nearest_name(last, key_names(*selection.container.node));
    if (!nearest.empty()) {
        const std::string above = selection.stopped_at.substr(0, selection.stopped_at.size() - last.size());
        reason += concat({"; did you mean '", above, nearest, "'?"});
    }
    return reason;
}

AUDYN_INLINE std::string Evaluation::elsewhere(const Value& node, std::string_view wanted) {
    const Value* root = &node;
    while (root->parent() != nullptr) {
        root = root->parent();
    }
    const std::vector<std::string> keys = split_path(wanted);
    std::vector<std::string> found;
    std::size_t visited = 0;
    find_key(*root, keys.back(), found, visited);
    std::erase(found, node.path());
    std::string hint;
    for (const std::string& path : found) {
        hint += concat({hint.empty() ? "" : ", ", "${", path, "}"});
    }
    return hint.empty() ? hint : concat({found.size() == 1 ? "There is " : "There are ", hint, "."});
}

AUDYN_INLINE void Evaluation::find_key(const Value& node, const std::string& key, std::vector<std::string>& found,
                                       std::size_t& visited) {
    constexpr std::size_t far_enough = 2000;
    for (std::size_t index = 0; index < node.size() && found.size() < 3 && ++visited < far_enough; ++index) {
        if (node.is_dict() && node.entries()[index].key.is_string(key)) {
            found.push_back(node.child(index).path());
        }
        find_key(node.child(index), key, found, visited);
    }
}

AUDYN_INLINE void Evaluation::warn_missing_elements(const Value& node) {
    environment_.warnings.push_back(
        concat({"'", node.path(), "': some elements of ", short_repr(*node.get_if<std::string>()),
                " are missing; write '' for an empty string"}));
}

AUDYN_INLINE Found Evaluation::call(const grammar::Expression& expression, const Value& node) {
    const std::string name = name_of(expression, node);
    if (expression.missing_elements) {
        warn_missing_elements(node);
    }
    std::vector<Found> arguments;
    arguments.reserve(expression.children.size());
    for (const auto& child : expression.children) {
        arguments.push_back(evaluate(child, node));
    }
    if (const Resolver* resolver = environment_.resolvers.find(name)) {
        return call_user(*resolver, name, arguments, node);
    }
    return call_builtin(name, arguments, node);
}

AUDYN_INLINE Found Evaluation::call_user(const Resolver& resolver, const std::string& name,
                                         const std::vector<Found>& arguments, const Value& node) {
    std::vector<Value> values;
    for (const Found& argument : arguments) {
        values.push_back(argument.node->is_container() ? resolved_copy(*argument.node) : *argument.node);
    }
    ResolverContext context(node,
                            {[this, &node](std::string_view path) { return find_copy(path, node); },
                             [this](std::string message) { environment_.warnings.push_back(std::move(message)); }});
    try {
        return wrap(resolver(values, context), node);
    } catch (const std::exception& error) {
        throw failure(node, concat({"the resolver '", name, "' failed: ", error.what()}));
    }
}

AUDYN_INLINE std::optional<Value> Evaluation::find_copy(std::string_view path, const Value& node) {
    const Selection selection = select_for_resolver(path, node);
    return selection.status == Status::found ? std::optional(resolved_copy(*selection.found.node)) : std::nullopt;
}

AUDYN_INLINE auto Evaluation::select_for_resolver(std::string_view key, const Value& node) -> Selection {
    const auto scope = resolve_scope(node.parent(), key);
    if (!scope) {
        throw failure(node, concat({"the key '", key, "' climbs above the root"}));
    }
    return scope->second.empty() ? Selection{Status::found, {scope->first, nullptr}, "", {}}
                                 : select({scope->first, nullptr}, split_path(scope->second));
}

AUDYN_INLINE Found Evaluation::call_builtin(const std::string& name, const Arguments& arguments, const Value& node) {
    for (const BuiltinEntry& entry : builtins()) {
        if (entry.name != name) {
            continue;
        }
        if (arguments.size() < entry.least || arguments.size() > entry.most) {
            throw failure(node, concat({"the resolver '", name, "' takes ", std::to_string(entry.least),
                                        entry.most > entry.least ? concat({" or ", std::to_string(entry.most)}) : "",
                                        entry.most > 1 ? " arguments" : " argument", ", not ",
                                        std::to_string(arguments.size())}));
        }
        return (this->*entry.function)(arguments, node);
    }
    std::vector<std::string> names = environment_.resolvers.names();
    for (const BuiltinEntry& entry : builtins()) {
        names.emplace_back(entry.name);
    }
    throw failure(node, concat({"unsupported interpolation type '", name, "': there is no such resolver",
                                did_you_mean(name, names)}));
}

AUDYN_INLINE const std::string& Evaluation::text_argument(const Arguments& arguments, std::size_t index,
                                                          const char* name, const Value& node) {
    const auto* text = arguments[index].node->get_if<std::string>();
    if (text == nullptr) {
        throw failure(node, concat({std::string("the resolver '"), name, "' needs a string, not ",
                                    python_text(*arguments[index].node)}));
    }
    return *text;
}

AUDYN_INLINE Found Evaluation::env(const Arguments& arguments, const Value& node) {
    const std::string& name = text_argument(arguments, 0, "oc.env", node);
    if (const char* text = std::getenv(name.c_str())) {
        return wrap(Value(text), node);
    }
    if (arguments.size() < 2) {
        throw failure(node, concat({"the environment variable '", name, "' is not set"}),
                      concat({"A value for when it is not set: ${oc.env:", name, ",VALUE}"}));
    }
    const Value& otherwise = *arguments[1].node;
    return wrap(otherwise.is_null() ? Value() : Value(python_text(otherwise)), node);
}

AUDYN_INLINE Found Evaluation::oc_select(const Arguments& arguments, const Value& node) {
    const Selection selection = select_for_resolver(text_argument(arguments, 0, "oc.select", node), node);
    const bool present = selection.status == Status::found && !selection.found.node->is_missing();
    if (present) {
        return selection.found;
    }
    return arguments.size() > 1 ? arguments[1] : wrap(Value(), node);
}

AUDYN_INLINE Found Evaluation::decode(const Arguments& arguments, const Value& node) {
    if (arguments[0].node->is_null()) {
        return wrap(Value(), node);
    }
    const std::string& text = text_argument(arguments, 0, "oc.decode", node);
    try {
        const grammar::Expression expression = grammar::parse_element(text);
        if (++depth_ > limits::depth) {
            throw failure(node, "'oc.decode' refers to itself");
        }
        Found found = evaluate(expression, node);
        --depth_;
        return found;
    } catch (const grammar::SyntaxError& error) {
        throw failure(node, concat({"'oc.decode' cannot read ", short_repr(text), ": ", error.message}));
    }
}

AUDYN_INLINE Found Evaluation::create(const Arguments& arguments, const Value& node) {
    Value value = *arguments[0].node;
    if (value.is_string() && environment_.parse_text) {
        value = environment_.parse_text(*value.get_if<std::string>());
        unplace(value);
    }
    if (!value.is_container() && !value.is_null()) {
        throw failure(node, concat({"'oc.create' needs a list or a dictionary, not ", describe(value.kind())}));
    }
    return wrap(std::move(value), node);
}

AUDYN_INLINE void Evaluation::unplace(Value& value) {
    value.set_location({});
    for (std::size_t index = 0; index < value.size(); ++index) {
        unplace(value.child(index));
    }
}

AUDYN_INLINE Found Evaluation::deprecated(const Arguments& arguments, const Value& node) {
    const std::string& key = text_argument(arguments, 0, "oc.deprecated", node);
    std::string message = "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'";
    if (arguments.size() > 1) {
        message = text_argument(arguments, 1, "oc.deprecated", node);
    }
    const Selection selection = select_for_resolver(key, node);
    if (selection.status != Status::found && selection.status != Status::missing) {
        throw failure(node, concat({"deprecated in favour of the key '", key, "', which does not exist"}));
    }
    substitute(message, "OLD_KEY", node.path());
    substitute(message, "NEW_KEY", selection.found.node->path());
    environment_.warnings.push_back(message);
    return selection.found;
}

AUDYN_INLINE void Evaluation::substitute(std::string& message, std::string_view name, const std::string& text) {
    for (const std::string& form : {concat({"${", name, "}"}), concat({"$", name})}) {
        for (auto place = message.find(form); place != std::string::npos;
             place = message.find(form, place + text.size())) {
            message.replace(place, form.size(), text);
        }
    }
}

AUDYN_INLINE Found Evaluation::dict_of(const Arguments& arguments, const char* name, const Value& node) {
    const std::string& key = text_argument(arguments, 0, name, node);
    const Selection selection = select_for_resolver(key, node);
    if (selection.status != Status::found) {
        throw failure(node, concat({std::string("'"), name, "': the key '", key, "' not found"}));
    }
    if (!selection.found.node->is_dict()) {
        throw failure(node, concat({std::string("'"), name, "': '", key, "' is ",
                                    describe(selection.found.node->kind()), ", not a dictionary"}));
    }
    return selection.found;
}

AUDYN_INLINE Found Evaluation::dict_keys(const Arguments& arguments, const Value& node) {
    const Found dict = dict_of(arguments, "oc.dict.keys", node);
    Value keys = Value::list();
    for (const auto& entry : dict.node->entries()) {
        keys.append(Value::from_key(entry.key));
    }
    return wrap(std::move(keys), node);
}

AUDYN_INLINE Found Evaluation::dict_values(const Arguments& arguments, const Value& node) {
    const Found dict = dict_of(arguments, "oc.dict.values", node);
    const std::string& key = *arguments[0].node->get_if<std::string>();
    Value values = Value::list();
    for (const auto& entry : dict.node->entries()) {
        // The references stand one level deeper than this interpolation.
        values.append(Value(concat({"${", key.starts_with('.') ? "." : "", key, ".", entry.key.to_string(), "}"})));
    }
    return wrap(std::move(values), node);
}

AUDYN_INLINE Found Evaluation::now(const Arguments& arguments, const Value& node) {
    const std::string& format = text_argument(arguments, 0, "now", node);
    std::tm time{};
    localtime_r(&environment_.start, &time);
    std::string buffer(format.size() * 8 + 64, '\0');
    buffer.resize(std::strftime(buffer.data(), buffer.size(), format.c_str(), &time));
    return wrap(Value(std::move(buffer)), node);
}

AUDYN_INLINE Found Evaluation::hydra(const Arguments& arguments, const Value& node) {
    const std::string& key = text_argument(arguments, 0, "hydra", node);
    const Selection selection = select({&environment_.hydra, nullptr}, split_path(concat({"hydra.", key})));
    if (selection.status == Status::found && !selection.found.node->is_missing()) {
        return selection.found;
    }
    if (arguments.size() > 1) {
        return arguments[1];
    }
    throw failure(node, concat({"'hydra.", key, "' is not known"}));
}

AUDYN_INLINE Found Evaluation::constant(const Arguments& arguments, const Value& node) {
    try {
        return wrap(environment_.resolvers.constant(text_argument(arguments, 0, "const", node)), node);
    } catch (const ConfigError& error) {
        throw failure(node, error.what());
    }
}

} // namespace audyn::config
