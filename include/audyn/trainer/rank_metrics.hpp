#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>
#include <audyn/trainer/metric_sums.hpp>

#include <vector>

namespace audyn::trainer {

/// One `MetricSums::state_dict` for what several ranks summed; a name that only some ranks have counts there alone.
[[nodiscard]] AUDYN_INLINE StateDict merge_sums(const std::vector<StateDict>& ranks);

/// The means that a `MetricSums::state_dict` holds.
[[nodiscard]] AUDYN_INLINE std::vector<Metric> means_of(const StateDict& sums);

} // namespace audyn::trainer

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/rank_metrics.ipp>
#endif
