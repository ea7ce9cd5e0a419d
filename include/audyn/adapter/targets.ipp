#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/core/inline.hpp>

namespace audyn::adapter {

AUDYN_INLINE Targets& Targets::add_constant(const std::string& name, config::Value value) {
    resolvers_.add_constant(name, std::move(value));
    return *this;
}

AUDYN_INLINE void Targets::merge(Targets other) {
    other.targets_.merge(targets_);
    targets_ = std::move(other.targets_);
    resolvers_ = std::move(other.resolvers_);
}

AUDYN_INLINE std::vector<std::string> Targets::names() const {
    std::vector<std::string> result;
    for (const auto& [name, target] : targets_) {
        result.push_back(name);
    }
    return result;
}

AUDYN_INLINE std::string Targets::help() const {
    std::string text;
    for (const auto& [name, target] : targets_) {
        text += "  " + target.signature() + "\n";
    }
    return text;
}

AUDYN_INLINE void Targets::check_partial(const Config& node, const Target& target, bool may_be_partial) {
    if (node.get_optional<bool>("_partial_").value_or(false) && !may_be_partial) {
        throw node.at("_partial_")
            .error("has no meaning for '" + target.name +
                   "', which is built whole; leave it out (it belongs to optimizers, schedulers and loaders, which "
                   "the trainer completes, and to arguments that take a function)");
    }
}

AUDYN_INLINE auto Targets::find(const Config& node) const -> const Target& {
    const auto name_node = node.is_dict() ? node.find("_target_") : std::nullopt;
    if (!name_node) {
        throw node.error("needs the key `_target_`, which says what to build");
    }
    const auto name = name_node->as<std::string>();
    const auto found = targets_.find(name);
    if (found == targets_.end()) {
        std::vector<std::string> known;
        for (const auto& [candidate, target] : targets_) {
            known.push_back(candidate);
        }
        throw name_node->error_unknown("target", name, known);
    }
    return found->second;
}

AUDYN_INLINE std::shared_ptr<Targets> require_targets(const Config& config) {
    auto targets = config.attachment<Targets>();
    if (!targets) {
        throw UsageError("the configuration has no targets: compose it by audyn::main, or attach a Targets to it");
    }
    return targets;
}

} // namespace audyn::adapter
