#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/callback.hpp>

#include <memory>

namespace audyn::adapter {

/// Adds the metrics under the names of TorchMetrics, and Audyn's MeanMetric.
AUDYN_INLINE void add_metric_targets(Targets& targets);

/// Checks the group `train.metrics` without building it; what is wrong is added to `mistakes`.
AUDYN_INLINE void check_metrics(const Config& config, const Targets& targets, config::Mistakes& mistakes);

/// Builds the group `train.metrics` of named entries `{metric: {_target_: ...}, key_mapping: {estimated, target}}`, as
/// criteria are; null where there is none. \throws ConfigError
[[nodiscard]] AUDYN_INLINE std::shared_ptr<trainer::Callback> build_metrics(const Config& config,
                                                                            const Targets& targets);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/metrics.ipp>
#endif
