#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/criteria.hpp>

#include <ATen/ops/add.h>
#include <ATen/ops/mul.h>

#include <algorithm>

namespace audyn::criterion {

AUDYN_INLINE Criteria::Criteria(std::initializer_list<WeightedCriterion> criteria) {
    for (const WeightedCriterion& criterion : criteria) {
        add(criterion);
    }
}

AUDYN_INLINE bool Criteria::is_ignored(const std::string& name) {
    return name.empty() || name.front() == '_' || name.back() == '_';
}

AUDYN_INLINE at::Tensor Criteria::weighted_sum(std::span<const at::Tensor> losses) const {
    at::Tensor total = weighted(losses[0], criteria_[0].weight);
    for (std::size_t i = 1; i < criteria_.size(); ++i) {
        total = at::add(total, losses[i], criteria_[i].weight);
    }
    return total;
}

AUDYN_INLINE at::Tensor Criteria::weighted(const at::Tensor& loss, double weight) {
    return weight == 1.0 ? loss : at::mul(loss, weight);
}

AUDYN_INLINE void Criteria::check_mapping(const WeightedCriterion& criterion) {
    const std::span<const std::string> arguments = criterion.criterion->arguments();
    std::vector<std::string> mapped;
    for (const auto* mapping : {&criterion.estimated, &criterion.target}) {
        for (const auto& [argument, source] : *mapping) {
            if (std::find(arguments.begin(), arguments.end(), argument) == arguments.end()) {
                std::string names;
                for (const std::string& name : arguments) {
                    names += (names.empty() ? "" : ", ") + name;
                }
                throw UsageError("criterion '" + criterion.name + "' has no argument '" + argument +
                                 "'; it has: " + names);
            }
            const bool is_mapped = std::find(mapped.begin(), mapped.end(), argument) != mapped.end();
            if (is_mapped && !criterion.criterion->takes_lists()) {
                throw UsageError("criterion '" + criterion.name + "': the argument '" + argument + "' is mapped twice");
            }
            mapped.push_back(argument);
        }
    }
}

AUDYN_INLINE void Criteria::add(WeightedCriterion criterion) {
    if (is_ignored(criterion.name)) {
        return;
    }
    if (!criterion.criterion) {
        throw UsageError("criterion '" + criterion.name + "' is null");
    }
    check_mapping(criterion);
    const auto place =
        std::lower_bound(criteria_.begin(), criteria_.end(), criterion.name,
                         [](const WeightedCriterion& other, const std::string& name) { return other.name < name; });
    if (place != criteria_.end() && place->name == criterion.name) {
        throw UsageError("there are two criteria of the name '" + criterion.name + "'");
    }
    criteria_.insert(place, std::move(criterion));
}

} // namespace audyn::criterion
