#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/trainer/rank_metrics.hpp>

#include <cstdint>
#include <utility>

namespace audyn::trainer::detail {

AUDYN_INLINE double sum_of(const StateDict& cell) {
    const state::Value* const device_sum = cell.find("device_sum");
    return cell.at("sum").as_float() + (device_sum != nullptr ? device_sum->as_float() : 0.0);
}

} // namespace audyn::trainer::detail

namespace audyn::trainer {

AUDYN_INLINE StateDict merge_sums(const std::vector<StateDict>& ranks) {
    StateDict merged;
    for (const StateDict& rank : ranks) {
        for (const auto& [name, value] : rank) {
            const StateDict& cell = value.as_dict();
            double sum = detail::sum_of(cell);
            int64_t count = cell.at("count").as_int();
            if (const state::Value* const known = merged.find(name.string())) {
                sum += known->as_dict().at("sum").as_float();
                count += known->as_dict().at("count").as_int();
            }
            merged.set(name.string(), StateDict{{"sum", sum}, {"count", count}});
        }
    }
    return merged;
}

AUDYN_INLINE std::vector<Metric> means_of(const StateDict& sums) {
    std::vector<Metric> means;
    for (const auto& [name, value] : sums) {
        const StateDict& cell = value.as_dict();
        if (const int64_t count = cell.at("count").as_int(); count > 0) {
            means.push_back({name.string(), detail::sum_of(cell) / static_cast<double>(count)});
        }
    }
    return means;
}

} // namespace audyn::trainer
