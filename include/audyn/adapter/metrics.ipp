#pragma once

#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/entries.hpp>
#include <audyn/adapter/metrics.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/mode_names.hpp>
#include <audyn/metrics/classification.hpp>
#include <audyn/metrics/mean_metric.hpp>
#include <audyn/trainer/validation_metrics.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter::detail {

using MetricPointer = std::shared_ptr<metrics::StatefulMetric>;

inline constexpr core::ModeNames<metrics::Task, 2> metric_tasks{
    "task", {{{"binary", metrics::Task::binary}, {"multiclass", metrics::Task::multiclass}}}};
inline constexpr core::ModeNames<metrics::Average, 4> metric_averages{"average",
                                                                      {{{"micro", metrics::Average::micro},
                                                                        {"macro", metrics::Average::macro},
                                                                        {"weighted", metrics::Average::weighted},
                                                                        {"none", metrics::Average::none}}}};
inline constexpr core::ModeNames<metrics::Normalize, 4> metric_normalizations{
    "normalize",
    {{{"true", metrics::Normalize::true_class},
      {"pred", metrics::Normalize::predicted_class},
      {"all", metrics::Normalize::all},
      {"none", metrics::Normalize::none}}}};

/// null is TorchMetrics' other word for none.
template <class Modes>
auto mode_or_none(const Modes& modes, const std::optional<std::string>& name) {
    return modes.mode(name.value_or("none"));
}

using Index = std::optional<int64_t>;
using Name = std::optional<std::string>;

/// `torchmetrics.NAME`, with its task as an argument, and the class of each task, whose average is another by default.
template <class Metric>
void add_class_metric(Targets& targets, const std::string& name) {
    targets.add_function<MetricPointer>(
        "torchmetrics." + name,
        constructor<std::string, double, Index, Name, int64_t, Index>(
            arg("task"), arg("threshold") = 0.5, arg("num_classes") = Index(), arg("average") = Name("micro"),
            arg("top_k") = 1, arg("ignore_index") = Index()),
        [](const std::string& task, double threshold, Index num_classes, const Name& average, int64_t top_k,
           Index ignore_index) -> MetricPointer {
            return std::make_shared<Metric>(metrics::ClassificationOptions()
                                                .task(metric_tasks.mode(task))
                                                .threshold(threshold)
                                                .num_classes(num_classes.value_or(0))
                                                .average(mode_or_none(metric_averages, average))
                                                .top_k(top_k)
                                                .ignore_index(ignore_index));
        });
    targets.add_function<MetricPointer>(
        "torchmetrics.classification.Binary" + name,
        constructor<double, Index>(arg("threshold") = 0.5, arg("ignore_index") = Index()),
        [](double threshold, Index ignore_index) -> MetricPointer {
            return std::make_shared<Metric>(metrics::ClassificationOptions()
                                                .task(metrics::Task::binary)
                                                .threshold(threshold)
                                                .ignore_index(ignore_index));
        });
    targets.add_function<MetricPointer>(
        "torchmetrics.classification.Multiclass" + name,
        constructor<int64_t, int64_t, Name, Index>(arg("num_classes"), arg("top_k") = 1, arg("average") = Name("macro"),
                                                   arg("ignore_index") = Index()),
        [](int64_t num_classes, int64_t top_k, const Name& average, Index ignore_index) -> MetricPointer {
            return std::make_shared<Metric>(metrics::ClassificationOptions()
                                                .num_classes(num_classes)
                                                .top_k(top_k)
                                                .average(mode_or_none(metric_averages, average))
                                                .ignore_index(ignore_index));
        });
}

AUDYN_INLINE void add_confusion_matrix(Targets& targets) {
    targets.add_function<MetricPointer>(
        "torchmetrics.ConfusionMatrix",
        constructor<std::string, double, Index, Name, Index>(arg("task"), arg("threshold") = 0.5,
                                                             arg("num_classes") = Index(), arg("normalize") = Name(),
                                                             arg("ignore_index") = Index()),
        [](const std::string& task, double threshold, Index num_classes, const Name& normalize,
           Index ignore_index) -> MetricPointer {
            return std::make_shared<metrics::ConfusionMatrix>(metrics::ClassificationOptions()
                                                                  .task(metric_tasks.mode(task))
                                                                  .threshold(threshold)
                                                                  .num_classes(num_classes.value_or(0))
                                                                  .ignore_index(ignore_index),
                                                              mode_or_none(metric_normalizations, normalize));
        });
}

template <class Visit>
void for_each_metric(const Config& config, const Visit& visit) {
    if (const auto group = config.find("train.metrics"); group && !group->is_null()) {
        for_each_entry(*group, "metric", visit);
    }
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_metric_targets(Targets& targets) {
    for (const char* const name : {"audyn.metrics.MeanMetric", "torchmetrics.MeanMetric"}) {
        targets.add<metrics::MeanMetric>(name);
    }
    targets.add<metrics::ScaleInvariantSignalDistortionRatio>("torchmetrics.audio.ScaleInvariantSignalDistortionRatio",
                                                              constructor<bool>(arg("zero_mean") = false));
    detail::add_class_metric<metrics::Accuracy>(targets, "Accuracy");
    detail::add_class_metric<metrics::F1Score>(targets, "F1Score");
    detail::add_confusion_matrix(targets);
}

AUDYN_INLINE void check_metrics(const Config& config, const Targets& targets, config::Mistakes& mistakes) {
    mistakes.attempt([&] {
        detail::for_each_metric(config, [&](const std::string&, const Config& node, const Config& entry) {
            mistakes.attempt([&] { targets.check<detail::MetricPointer>(node); });
            mistakes.attempt([&] {
                detail::check_entry_keys(entry, {"metric", "key_mapping"});
                static_cast<void>(detail::argument_mapping(entry, "estimated"));
                static_cast<void>(detail::argument_mapping(entry, "target"));
            });
        });
    });
}

AUDYN_INLINE std::shared_ptr<trainer::Callback> build_metrics(const Config& config, const Targets& targets) {
    std::vector<trainer::MappedMetric> entries;
    detail::for_each_metric(config, [&](const std::string& name, const Config& node, const Config& entry) {
        entries.push_back({name, targets.build<detail::MetricPointer>(node),
                           detail::argument_mapping(entry, "estimated"), detail::argument_mapping(entry, "target")});
    });
    if (entries.empty()) {
        return nullptr;
    }
    try {
        return std::make_shared<trainer::ValidationMetrics>(std::move(entries));
    } catch (const UsageError& error) {
        throw config.at("train.metrics").error(error.what());
    }
}

} // namespace audyn::adapter
