#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/criterion/losses.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter {

namespace detail {

inline criterion::Reduction reduction(const std::string& name) {
    if (name == "mean") {
        return criterion::Reduction::mean;
    }
    if (name == "sum") {
        return criterion::Reduction::sum;
    }
    throw UsageError("a loss for training needs the reduction 'mean' or 'sum', got '" + name + "'");
}

template <class Loss>
void add_elementwise(Targets& targets, const std::string& name) {
    targets.add_function<std::shared_ptr<criterion::Criterion>>(
        name, constructor<std::string>(arg("reduction") = "mean"),
        [](const std::string& text) { return std::make_shared<Loss>(reduction(text)); });
}

inline std::vector<std::pair<std::string, std::string>> argument_mapping(const Config& entry, const std::string& key) {
    std::vector<std::pair<std::string, std::string>> mapping;
    if (const auto node = entry.find("key_mapping." + key); node && !node->is_null()) {
        for (const auto& [argument, name] : node->items()) {
            mapping.emplace_back(argument, name.as<std::string>());
        }
    }
    return mapping;
}

/// Calls `visit(name, criterion, entry)` for each criterion of the group: Audyn's form, names with a wrapper each that
/// holds `criterion`, `weight` and `key_mapping`; or a single criterion's own target, whose entry is then empty.
template <class Visit>
void for_each_criterion(const Config& config, const Visit& visit) {
    const auto group = config.find("criterion");
    if (!group || group->is_null()) {
        return;
    }
    const auto name = group->get_optional<std::string>("_target_");
    if (name && *name != "audyn.criterion.MultiCriteria") {
        visit("loss", *group, nullptr);
        return;
    }
    for (const auto& [key, entry] : group->items()) {
        if (!criterion::Criteria::is_ignored(key)) {
            if (!entry.is_dict() || !entry.contains("criterion")) {
                throw entry.error("an entry of `criterion` needs the key `criterion` with a `_target_`");
            }
            visit(key, entry.at("criterion"), &entry);
        }
    }
}

} // namespace detail

/// Adds the losses under PyTorch's names.
inline void add_criterion_targets(Targets& targets) {
    targets.add_function<std::shared_ptr<criterion::Criterion>>(
        "torch.nn.CrossEntropyLoss",
        constructor<int64_t, std::string, double>(arg("ignore_index") = -100, arg("reduction") = "mean",
                                                  arg("label_smoothing") = 0.0),
        [](int64_t ignore_index, const std::string& reduction, double label_smoothing) {
            return std::make_shared<criterion::CrossEntropyLoss>(criterion::CrossEntropyLossOptions()
                                                                     .ignore_index(ignore_index)
                                                                     .reduction(detail::reduction(reduction))
                                                                     .label_smoothing(label_smoothing));
        });
    detail::add_elementwise<criterion::MSELoss>(targets, "torch.nn.MSELoss");
    detail::add_elementwise<criterion::L1Loss>(targets, "torch.nn.L1Loss");
}

/// Checks the group `criterion` without building it; what is wrong is added to `mistakes`.
inline void check_criteria(const Config& config, const Targets& targets, config::Mistakes& mistakes) {
    mistakes.attempt([&] {
        detail::for_each_criterion(config, [&](const std::string&, const Config& node, const Config* entry) {
            mistakes.attempt([&] { targets.check<std::shared_ptr<criterion::Criterion>>(node); });
            mistakes.attempt([&] {
                if (entry) {
                    static_cast<void>(entry->get<double>("weight", 1.0));
                    static_cast<void>(detail::argument_mapping(*entry, "estimated"));
                    static_cast<void>(detail::argument_mapping(*entry, "target"));
                }
            });
        });
    });
}

/// Builds the group `criterion`. \throws ConfigError
[[nodiscard]] inline criterion::Criteria build_criteria(const Config& config, const Targets& targets) {
    criterion::Criteria criteria;
    detail::for_each_criterion(config, [&](const std::string& name, const Config& node, const Config* entry) {
        criterion::WeightedCriterion criterion{name, targets.build<std::shared_ptr<criterion::Criterion>>(node)};
        if (entry) {
            criterion.weight = entry->get<double>("weight", 1.0);
            criterion.estimated = detail::argument_mapping(*entry, "estimated");
            criterion.target = detail::argument_mapping(*entry, "target");
        }
        try {
            criteria.add(std::move(criterion));
        } catch (const UsageError& error) {
            throw node.error(error.what());
        }
    });
    return criteria;
}

} // namespace audyn::adapter
