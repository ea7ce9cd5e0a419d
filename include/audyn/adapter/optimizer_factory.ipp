#pragma once

#include <audyn/adapter/optimizer_factory.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <optional>
#include <string>

namespace audyn::adapter {

AUDYN_INLINE OptimizerFactory::Product
OptimizerFactory::make(const std::vector<std::pair<optim::NamedTensors, OptimizerFactory>>& groups) {
    std::vector<Group> all;
    for (const auto& [tensors, factory] : groups) {
        if (!factory.make_groups_) {
            throw UsageError("this optimizer takes no param_groups: its target makes it of one group");
        }
        all.push_back({tensors, factory.options_});
    }
    if (all.empty()) {
        throw UsageError("an optimizer needs parameters: the model has none");
    }
    return groups.front().second.make_groups_(all);
}

namespace detail {

/// Keys of an optimizer's node that are no arguments of its target.
AUDYN_INLINE const std::vector<std::string>& group_keys() {
    static const std::vector<std::string> keys{"param_groups", "params"};
    return keys;
}

AUDYN_INLINE std::vector<Config> param_groups(const Config& node) {
    const auto groups = node.is_dict() ? node.find_key("param_groups") : std::nullopt;
    if (!groups || groups->is_null()) {
        return {};
    }
    if (!groups->is_list()) {
        throw groups->error("must be a list of groups, as [{params: [\"*.bias\", \"*norm*\"], weight_decay: 0}]");
    }
    return groups->elements();
}

AUDYN_INLINE optim::NamePatterns name_patterns(const Config& group) {
    if (!group.is_dict() || !group.contains("params")) {
        throw group.error(
            "must have `params`, a pattern of parameters' names or a list of them, and the arguments that "
            "differ for these: {params: [\"*.bias\", \"*norm*\"], weight_decay: 0}");
    }
    const Config params = group["params"];
    return params.is_list() ? params.as<std::vector<std::string>>() : optim::NamePatterns{params.as<std::string>()};
}

AUDYN_INLINE Config in_place_of(const Config& node, config::Value values) {
    const std::string name = node.key().empty() ? "optimizer" : node.key();
    Config root(config::Value::dict(), node.environment());
    root.set(name, std::move(values));
    return root[name];
}

/// The arguments of a group, in its place, and those of the optimizer's node that it does not have.
AUDYN_INLINE Config with_arguments(const Config& node, const Config& group) {
    if (const auto target = group.find_key("_target_")) {
        throw target->error("cannot differ between groups; the parameters of another optimizer belong to another node");
    }
    Config merged = in_place_of(node, group.to_value(/*resolve=*/true));
    for (const auto& [key, value] : node.items()) {
        if (!group.contains(key)) {
            merged.set(key, value.to_value(/*resolve=*/true));
        }
    }
    return merged;
}

} // namespace detail

AUDYN_INLINE void check_optimizer(const Targets& targets, const Config& node) {
    config::Mistakes mistakes;
    // A factory knows the ranges of its options.
    const auto check = [&](const Config& one, const std::vector<std::string>& reserved) {
        targets.check<OptimizerFactory>(one, reserved);
        static_cast<void>(targets.build<OptimizerFactory>(one, reserved));
    };
    if (mistakes.attempt([&] { check(node, {"param_groups"}); })) {
        for (const Config& group : detail::param_groups(node)) {
            mistakes.attempt([&] {
                static_cast<void>(detail::name_patterns(group));
                check(detail::with_arguments(node, group), detail::group_keys());
            });
        }
    }
    mistakes.throw_if_any();
}

AUDYN_INLINE std::unique_ptr<optim::Optimizer> build_optimizer(const Targets& targets, const Config& node,
                                                               const optim::NamedParameters& parameters) {
    const OptimizerFactory factory = targets.build<OptimizerFactory>(node, {"param_groups"});
    const std::vector<Config> groups = detail::param_groups(node);
    try {
        if (groups.empty()) {
            return factory(parameters);
        }
        std::vector<optim::NamePatterns> patterns;
        for (const Config& group : groups) {
            patterns.push_back(detail::name_patterns(group));
        }
        const std::vector<optim::NamedTensors> parts = optim::split_by_name(parameters, patterns);
        std::vector<std::pair<optim::NamedTensors, OptimizerFactory>> all;
        if (!parts[0].params.empty()) {
            all.emplace_back(parts[0], factory);
        }
        for (std::size_t i = 0; i < groups.size(); ++i) {
            all.emplace_back(parts[i + 1], targets.build<OptimizerFactory>(detail::with_arguments(node, groups[i]),
                                                                           detail::group_keys()));
        }
        return OptimizerFactory::make(all);
    } catch (const UsageError& error) {
        throw node.error(std::string("cannot be built: ") + error.what());
    }
}

} // namespace audyn::adapter
