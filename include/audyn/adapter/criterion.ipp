#pragma once

#include <audyn/adapter/audyn_losses.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/entries.hpp>
#include <audyn/adapter/torch_losses.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cstdint>

namespace audyn::adapter::detail {

AUDYN_INLINE criterion::Reduction reduction(const std::string& name) {
    if (name == "mean") {
        return criterion::Reduction::mean;
    }
    if (name == "sum") {
        return criterion::Reduction::sum;
    }
    throw UsageError("a loss for training needs the reduction 'mean' or 'sum', got '" + name + "'");
}

AUDYN_INLINE std::vector<std::pair<std::string, std::string>> argument_mapping(const Config& entry,
                                                                               const std::string& key) {
    if (const auto node = entry.find("key_mapping"); node && !node->is_null()) {
        check_entry_keys(*node, {"estimated", "target"});
    }
    std::vector<std::pair<std::string, std::string>> mapping;
    if (const auto node = entry.find("key_mapping." + key); node && !node->is_null()) {
        for (const auto& [argument, name] : node->items()) {
            if (!name.is_list()) {
                mapping.emplace_back(argument, name.as<std::string>());
                continue;
            }
            for (const Config& element : name.elements()) {
                mapping.emplace_back(argument, element.as<std::string>());
            }
        }
    }
    return mapping;
}

AUDYN_INLINE void read_entry(const Config& entry, criterion::WeightedCriterion& criterion) {
    const std::vector<std::string> wrappers{"audyn.criterion.BaseCriterionWrapper",
                                            "audyn.criterion.base.BaseCriterionWrapper"};
    check_entry_keys(entry, {"_target_", "_recursive_", "_convert_", "criterion", "weight", "key_mapping"});
    if (const auto target = entry.get_optional<std::string>("_target_");
        target && std::find(wrappers.begin(), wrappers.end(), *target) == wrappers.end()) {
        throw entry.at("_target_")
            .error("must be left out or " + wrappers.front() + ", not '" + *target +
                   "': a loss of the program's own is the entry's `criterion`");
    }
    criterion.weight = entry.get<double>("weight", 1.0);
    criterion.estimated = argument_mapping(entry, "estimated");
    criterion.target = argument_mapping(entry, "target");
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_criterion_targets(Targets& targets) {
    detail::add_elementwise<criterion::MSELoss>(targets, "torch.nn.MSELoss");
    detail::add_elementwise<criterion::L1Loss>(targets, "torch.nn.L1Loss");
    add_torch_losses(targets);
    add_audyn_losses(targets);
}

AUDYN_INLINE void check_criteria(const Config& config, const Targets& targets, config::Mistakes& mistakes,
                                 const std::string& key) {
    mistakes.attempt([&] {
        detail::for_each_criterion(config, key, [&](const std::string&, const Config& node, const Config* entry) {
            mistakes.attempt([&] { targets.check<std::shared_ptr<criterion::Criterion>>(node); });
            mistakes.attempt([&] {
                if (entry) {
                    criterion::WeightedCriterion unused;
                    detail::read_entry(*entry, unused);
                }
            });
        });
    });
}

AUDYN_INLINE criterion::Criteria build_criteria(const Config& config, const Targets& targets, const std::string& key) {
    criterion::Criteria criteria;
    detail::for_each_criterion(config, key, [&](const std::string& name, const Config& node, const Config* entry) {
        criterion::WeightedCriterion criterion{name, targets.build<std::shared_ptr<criterion::Criterion>>(node)};
        if (entry) {
            detail::read_entry(*entry, criterion);
        }
        try {
            criteria.add(std::move(criterion));
        } catch (const UsageError& error) {
            const bool is_mapped = entry && entry->contains("key_mapping");
            throw(is_mapped ? entry->at("key_mapping") : node).error(error.what());
        }
    });
    return criteria;
}

} // namespace audyn::adapter
