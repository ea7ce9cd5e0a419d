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

AUDYN_INLINE void Targets::throw_missing(const Config& node, const std::vector<std::string>& fitting) {
    const bool is_short = !fitting.empty() && fitting.size() <= 8;
    const std::string path = node.path();
    const bool is_group = node.is_string() && path.find('.') == std::string::npos;
    const std::string group = is_group ? node.as<std::string>() : std::string();
    throw node.error("needs the key `_target_`, which says what to build" +
                         (is_short ? ": " + config::join(fitting) : std::string()),
                     is_group ? "A group is chosen by `" + path + "=" + group + "` on the command line, or by `- " +
                                    path + ": " + group + "` in the defaults list."
                              : std::string());
}

AUDYN_INLINE void Targets::throw_unknown(const Config& node, const std::string& name,
                                         const std::vector<std::string>& fitting) const {
    // Whoever knows a class by its own name alone means one that fits.
    const std::vector<std::string> all = names();
    for (const std::vector<std::string>& candidates : {fitting, all}) {
        for (const std::string& candidate : candidates) {
            if (candidate.ends_with("." + name)) {
                throw node.error("names an unknown target '" + name + "'; did you mean '" + candidate + "'?");
            }
        }
    }
    throw node.error_unknown("target", name, all);
}

AUDYN_INLINE auto Targets::find(const Config& node, const std::vector<std::string>& fitting) const -> const Target& {
    const auto name_node = node.is_dict() ? node.find("_target_") : std::nullopt;
    if (!name_node) {
        throw_missing(node, fitting);
    }
    const auto name = name_node->as<std::string>();
    const auto found = targets_.find(name);
    if (found == targets_.end()) {
        throw_unknown(*name_node, name, fitting);
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
