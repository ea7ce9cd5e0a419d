#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/metrics/stateful_metric.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

/// Measures of classifications (preds, target) with the options and values of `torchmetrics.classification`.
/// - multiclass: preds (N, C, ...) of scores, or (N, ...) of classes; target (N, ...) of classes, integers;
/// - binary: preds of probabilities, of logits where one of the batch is not in [0, 1], or of 0 and 1; target of 0 and
///   1, of the same shape.
/// A label or class out of range does not stop a batch, which would wait for the device: compute() throws.
namespace audyn::metrics {

enum class Task { binary, multiclass };

/// Over all samples; the mean over classes that occur; the same weighted by their numbers of samples; or none: a value
/// for each class.
enum class Average { micro, macro, weighted, none };

class ClassificationOptions {
public:
    ClassificationOptions& task(Task value) { return task_ = value, *this; }
    /// For multiclass, which needs it.
    ClassificationOptions& num_classes(int64_t value) { return num_classes_ = value, *this; }
    /// For binary: the probability above which a sample counts as 1.
    ClassificationOptions& threshold(double value) { return threshold_ = value, *this; }
    /// For multiclass.
    ClassificationOptions& average(Average value) { return average_ = value, *this; }
    /// For multiclass: a sample is right when its class is among so many with the highest scores.
    ClassificationOptions& top_k(int64_t value) { return top_k_ = value, *this; }
    /// Targets of this class do not count.
    ClassificationOptions& ignore_index(std::optional<int64_t> value) { return ignore_index_ = value, *this; }

    [[nodiscard]] Task task() const { return task_; }
    [[nodiscard]] int64_t num_classes() const { return task_ == Task::binary ? 2 : num_classes_; }
    [[nodiscard]] double threshold() const { return threshold_; }
    [[nodiscard]] Average average() const { return average_; }
    [[nodiscard]] int64_t top_k() const { return top_k_; }
    [[nodiscard]] std::optional<int64_t> ignore_index() const { return ignore_index_; }

    /// These options. \throws UsageError when a number is out of range.
    [[nodiscard]] const ClassificationOptions& checked() const;

private:
    Task task_ = Task::multiclass;
    int64_t num_classes_ = 0;
    double threshold_ = 0.5;
    Average average_ = Average::micro;
    int64_t top_k_ = 1;
    std::optional<int64_t> ignore_index_;
};

namespace detail {

/// Numbers of samples of each class: rightly recognised, labelled so, taken for it.
class ClassCounts : public StatefulMetric {
protected:
    explicit ClassCounts(const ClassificationOptions& options);

    AUDYN_INLINE void add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) final;
    [[nodiscard]] AUDYN_INLINE at::Tensor value(std::span<const at::Tensor> states) const final;
    /// float64 (C) each.
    [[nodiscard]] virtual at::Tensor score(const at::Tensor& correct, const at::Tensor& labels,
                                           const at::Tensor& predictions) const = 0;
    [[nodiscard]] const ClassificationOptions& options() const { return options_; }
    /// The mean of the classes' scores, as the options have it.
    [[nodiscard]] at::Tensor averaged(const at::Tensor& scores, const at::Tensor& labels,
                                      const at::Tensor& occurring) const;

private:
    ClassificationOptions options_;
};

} // namespace detail

/// `torchmetrics.Accuracy`: the part that is right; of each class, the part of its samples.
class Accuracy final : public detail::ClassCounts {
public:
    /// \throws UsageError when a number is out of range.
    explicit Accuracy(const ClassificationOptions& options) : ClassCounts(options) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor score(const at::Tensor& correct, const at::Tensor& labels,
                                                const at::Tensor& predictions) const override;
};

/// `torchmetrics.F1Score`: the harmonic mean of precision and recall; for binary, of class 1.
class F1Score final : public detail::ClassCounts {
public:
    /// \throws UsageError when a number is out of range.
    explicit F1Score(const ClassificationOptions& options) : ClassCounts(options) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor score(const at::Tensor& correct, const at::Tensor& labels,
                                                const at::Tensor& predictions) const override;
};

/// Of what a confusion matrix gives parts: of the samples of the true class, of the predicted class, or of all.
enum class Normalize { none, true_class, predicted_class, all };

/// `torchmetrics.ConfusionMatrix`: (C, C), int64 counts or float64 parts, rows are true classes, columns predictions.
class ConfusionMatrix final : public StatefulMetric {
public:
    /// `average` and `top_k` have no meaning here. \throws UsageError when a number is out of range.
    explicit ConfusionMatrix(const ClassificationOptions& options, Normalize normalize = Normalize::none);

protected:
    AUDYN_INLINE void add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) override;
    [[nodiscard]] AUDYN_INLINE at::Tensor value(std::span<const at::Tensor> states) const override;

private:
    ClassificationOptions options_;
    Normalize normalize_;
};

} // namespace audyn::metrics

#ifndef AUDYN_COMPILED
#    include <audyn/metrics/classification.ipp>
#endif
