#pragma once

#include <audyn/config/config.hpp>
#include <audyn/core/inline.hpp>

namespace audyn::config {

AUDYN_INLINE Config::Config(Value root, Environment environment)
    : document_(std::make_shared<Document>(std::move(root), std::move(environment))), node_(document_->root.get()) {}

AUDYN_INLINE Config Config::operator[](std::string_view key) const {
    const Config here = resolved();
    here.require(Kind::dict, concat({"has no key '", key, "'"}));
    const Value* child = here.node_->find(key);
    if (child == nullptr) {
        throw here.absent(key);
    }
    return here.at_node(child);
}

AUDYN_INLINE Config Config::at(std::string_view path) const {
    Config current = *this;
    for (const std::string& key : path.empty() ? std::vector<std::string>() : split_path(path)) {
        const Config here = current.resolved();
        const auto index = here.node_->is_list() ? list_index(key) : std::nullopt;
        current = index ? here[*index] : here[key];
    }
    return current;
}

AUDYN_INLINE std::optional<Config> Config::find(std::string_view path) const {
    Config current = *this;
    for (const std::string& key : path.empty() ? std::vector<std::string>() : split_path(path)) {
        const Config here = current.resolved();
        const Found child = here.node_->is_container() ? Evaluation::child_of({here.node_, here.owner_}, key) : Found();
        if (!child) {
            return std::nullopt;
        }
        current = here.at_node(child.node);
    }
    return current;
}

AUDYN_INLINE std::optional<Config> Config::find_key(std::string_view key) const {
    const Config here = resolved();
    const Value* child = here.node_->find(key);
    return child != nullptr ? std::optional<Config>(here.at_node(child)) : std::nullopt;
}

AUDYN_INLINE bool Config::is_integer() const {
    const Kind own = kind();
    return own == Kind::integer || own == Kind::big_integer;
}

AUDYN_INLINE bool Config::is_number() const {
    const Kind own = kind();
    return own == Kind::integer || own == Kind::big_integer || own == Kind::floating;
}

AUDYN_INLINE std::size_t Config::size() const {
    const Config here = resolved();
    here.require_container();
    return here.node_->size();
}

AUDYN_INLINE std::vector<std::string> Config::keys() const {
    const Config here = resolved();
    here.require(Kind::dict, "has no keys");
    return key_names(*here.node_);
}

AUDYN_INLINE std::vector<std::pair<std::string, Config>> Config::items() const {
    const Config here = resolved();
    here.require(Kind::dict, "has no keys");
    std::vector<std::pair<std::string, Config>> result;
    for (const auto& entry : here.node_->entries()) {
        result.emplace_back(entry.key.to_string(), here.at_node(entry.value.get()));
    }
    return result;
}

AUDYN_INLINE std::vector<Config> Config::elements() const {
    const Config here = resolved();
    here.require(Kind::list, "has no items");
    std::vector<Config> result;
    for (std::size_t index = 0; index < here.node_->size(); ++index) {
        result.push_back(here.at_node(&here.node_->child(index)));
    }
    return result;
}

AUDYN_INLINE std::vector<std::string> Config::missing_keys() const {
    std::vector<std::string> result;
    collect_missing(*node_, result);
    return result;
}

AUDYN_INLINE Value Config::to_value(bool resolve) const {
    if (!resolve) {
        return *node_;
    }
    try {
        return Evaluation(document_->environment).resolved_copy(*node_);
    } catch (const ConfigError&) {
        check_values(false);
        throw;
    }
}

AUDYN_INLINE void Config::set(std::string_view path, Value value) {
    if (!value.location().is_known()) {
        value.set_location(Location(std::make_shared<const Source>(Source{Origin::program, "the program", ""}), 0, 0));
    }
    const std::vector<std::string> keys = split_path(path);
    Value* current = editable(resolved().node_);
    for (std::size_t index = 0; index + 1 < keys.size(); ++index) {
        const Found child = Evaluation::child_of({current, nullptr}, keys[index]);
        const Value* target = child ? Evaluation(document_->environment).dereference(*child.node).node : nullptr;
        if (target == nullptr || !target->is_container()) {
            Value dict = Value::dict();
            dict.set_location(value.location());
            assign(*current, keys[index], std::move(dict));
            target = Evaluation::child_of({current, nullptr}, keys[index]).node;
        }
        current = editable(target);
    }
    assign(*current, keys.back(), std::move(value));
}

AUDYN_INLINE void Config::erase(std::string_view path) {
    const Config target = at(path);
    Value* parent = editable(target.node_->parent());
    if (parent == nullptr || !parent->is_dict()) {
        throw target.error("only a member of a dictionary can be removed");
    }
    document_->retire(parent->erase(target.key()));
}

AUDYN_INLINE void Config::resolve_all() {
    Value resolved_tree = to_value(true);
    if (node_->parent() != nullptr) {
        document_->retire(editable(node_->parent())->replace(node_->slot(), std::move(resolved_tree)));
        node_ = &node_->parent()->child(node_->slot());
        return;
    }
    document_->graveyard.push_back(std::exchange(document_->root, std::make_unique<Value>(std::move(resolved_tree))));
    node_ = document_->root.get();
}

AUDYN_INLINE ConfigError Config::error(std::string_view reason, std::string_view hint) const {
    const std::string own = path();
    return error_at(location(), concat({(own.empty() ? "the configuration" : concat({"'", own, "'"})), " ", reason}),
                    hint);
}

AUDYN_INLINE ConfigError Config::key_error(std::string_view reason, std::string_view hint) const {
    return error_at(node_->key_location(), concat({"'", path(), "' ", reason}), hint);
}

AUDYN_INLINE ConfigError Config::error_unknown(std::string_view thing, std::string_view name,
                                               const std::vector<std::string>& known) const {
    return error(concat({"names an unknown ", thing, " '", name, "'", did_you_mean(name, known)}));
}

AUDYN_INLINE Config Config::hydra() const {
    Value& holder = document_->environment.hydra;
    if (holder.size() == 0) {
        holder.set(Key("hydra"), Value::dict());
    }
    return {document_, &holder.child(0), nullptr};
}

AUDYN_INLINE Config Config::resolved() const {
    Evaluation evaluation(document_->environment);
    Found found = evaluation.dereference(*node_);
    if (found.node->is_missing()) {
        throw error("is mandatory and was not given ('\?\?\?')",
                    concat({"Give it, for example by ", path(), "=VALUE."}));
    }
    return {document_, found.node, found.owner ? found.owner : owner_};
}

AUDYN_INLINE ConfigError Config::mismatch(std::string_view wanted, std::string_view hint) const {
    const Config here = resolved();
    std::string given(describe(here.node_->kind()));
    if (!here.node_->is_container() && !here.node_->is_null()) {
        const std::string text = here.node_->kind() == Kind::boolean ? (*here.node_->get_if<bool>() ? "true" : "false")
                                                                     : python_repr(*here.node_);
        given += concat({" (", text.size() > 60 ? concat({text.substr(0, 57), "..."}) : text, ")"});
    }
    if (is_interpolation()) {
        given += concat({", which '", *node_->get_if<std::string>(), "' gives"});
    }
    return error(concat({"must be ", wanted, ", not ", given}), hint);
}

AUDYN_INLINE std::string Config::quoting_hint() const {
    const auto text = scalar<std::string>();
    const auto plain = text ? audyn::config::scalar::plain(*text) : std::nullopt;
    return plain && !plain->is_string() && !plain->is_null() ? "Remove the quotes." : "";
}

AUDYN_INLINE Config::Document::Document(Value tree, Environment surroundings)
    : root(std::make_unique<Value>(std::move(tree))), environment(std::move(surroundings)) {}

AUDYN_INLINE void Config::Document::retire(std::unique_ptr<Value> removed) {
    if (removed) {
        removed->adopt_by(nullptr, 0);
        graveyard.push_back(std::move(removed));
    }
}

AUDYN_INLINE Config::Config(std::shared_ptr<Document> document, const Value* node, std::shared_ptr<const Value> owner)
    : document_(std::move(document)), node_(node), owner_(std::move(owner)) {}

AUDYN_INLINE void Config::assign(Value& container, const std::string& key, Value value) {
    if (container.is_dict()) {
        document_->retire(container.set(Key(key), std::move(value)));
        return;
    }
    const auto index = list_index(key);
    if (!container.is_list() || !index || *index < 0 || static_cast<std::size_t>(*index) >= container.size()) {
        throw at_node(&container).error(concat({"has no item '", key, "' that could be set"}));
    }
    document_->retire(container.replace(static_cast<std::size_t>(*index), std::move(value)));
}

AUDYN_INLINE void Config::require(Kind kind, const std::string& reason) const {
    if (node_->kind() != kind) {
        throw error(concat({"is ", describe(node_->kind()), " and ", reason}));
    }
}

AUDYN_INLINE void Config::require_container() const {
    if (!node_->is_container()) {
        throw error(concat({"is ", describe(node_->kind()), " and has no size"}));
    }
}

AUDYN_INLINE ConfigError Config::absent(std::string_view key) const {
    const std::vector<std::string> names = key_names(*node_);
    std::string hint;
    if (nearest_name(key, names).empty() && !names.empty() && names.size() <= 20) {
        hint = concat({"It has: ", join(names), "."});
    }
    return error(concat({"has no key '", key, "'", did_you_mean(key, names)}), hint);
}

AUDYN_INLINE void Config::check_values(bool missing_too) const {
    Mistakes mistakes;
    Evaluation evaluation(document_->environment);
    std::size_t budget = 0;
    collect_mistakes(*node_, missing_too, evaluation, budget, mistakes);
    mistakes.throw_if_any();
}

AUDYN_INLINE void Config::collect_mistakes(const Value& node, bool missing_too, Evaluation& evaluation,
                                           std::size_t& budget, Mistakes& mistakes) const {
    if (evaluation.is_exhausted()) {
        return;
    }
    if (node.is_interpolation()) {
        mistakes.attempt([&] {
            const Found found = evaluation.dereference(node);
            if (found.owner && found.node->is_container() && budget < limits::nodes) {
                static_cast<void>(evaluation.resolved_copy(*found.node, budget));
            }
        });
    } else if (missing_too && node.is_missing()) {
        mistakes.attempt([&] { static_cast<void>(at_node(&node).resolved()); });
    }
    for (std::size_t index = 0; index < node.size(); ++index) {
        collect_mistakes(node.child(index), missing_too, evaluation, budget, mistakes);
    }
}

AUDYN_INLINE void Config::collect_missing(const Value& node, std::vector<std::string>& result) {
    if (node.is_missing()) {
        result.push_back(node.path());
    }
    for (std::size_t index = 0; index < node.size(); ++index) {
        collect_missing(node.child(index), result);
    }
}

} // namespace audyn::config
