#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/metrics/stateful_metric.hpp>
#include <audyn/trainer/callback.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// A metric and where its arguments come from, named as for criteria; an entry of `train.metrics`.
struct MappedMetric {
    std::string name;
    std::shared_ptr<metrics::StatefulMetric> metric;
    /// (argument of the metric, name of the model's output).
    std::vector<std::pair<std::string, std::string>> estimated = {};
    /// (argument of the metric, name in the batch).
    std::vector<std::pair<std::string, std::string>> target = {};
};

/// Measures every pass over a validation or test loader, over the samples of all ranks, and logs each metric beside the
/// loader's losses: `validation/accuracy`, which early stopping, schedulers and checkpoints may follow. One value for
/// each class is logged as `NAME_0`, `NAME_1`, ...; a confusion matrix is printed.
class ValidationMetrics final : public Callback {
public:
    /// \throws UsageError for a name that is given twice, no metric, and arguments that are not mapped once each.
    explicit ValidationMetrics(std::vector<MappedMetric> metrics);

    [[nodiscard]] std::string name() const override { return "ValidationMetrics"; }

    AUDYN_INLINE void on_validation_start(TrainerBase& trainer) override;
    /// \throws UsageError for an output or value that does not exist
    AUDYN_INLINE void on_validation_batch_end(TrainerBase& trainer, const data::Batch& batch,
                                              const Outputs& outputs) override;
    AUDYN_INLINE void on_validation_end(TrainerBase& trainer) override;

private:
    std::vector<MappedMetric> metrics_;
};

} // namespace audyn::trainer

namespace audyn {
using trainer::MappedMetric;
using trainer::ValidationMetrics;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/validation_metrics.ipp>
#endif
