#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/metrics/classification.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <sstream>

namespace audyn::metrics {

AUDYN_INLINE const ClassificationOptions& ClassificationOptions::checked() const {
    if (task_ == Task::multiclass && num_classes_ < 2) {
        throw UsageError("a metric of several classes needs num_classes of at least 2, got " +
                         std::to_string(num_classes_));
    }
    if (task_ == Task::binary && !(threshold_ >= 0.0 && threshold_ <= 1.0)) {
        throw UsageError("threshold must lie in [0, 1], got " + std::to_string(threshold_));
    }
    if (top_k_ < 1 || top_k_ > num_classes() || (task_ == Task::binary && top_k_ != 1)) {
        throw UsageError("top_k must be at least 1 and at most num_classes, " + std::to_string(num_classes()) +
                         " (1 for binary), got " + std::to_string(top_k_));
    }
    return *this;
}

} // namespace audyn::metrics

namespace audyn::metrics::detail {

/// Flat int64 labels and predictions, those that do not count set to 0, and int64 1 where they count, else 0.
struct Decisions {
    at::Tensor labels;
    at::Tensor predictions;
    at::Tensor counts;
    at::Tensor out_of_range;
};

[[noreturn]] AUDYN_INLINE void refuse_shapes(const at::Tensor& preds, const at::Tensor& target,
                                             const std::string& needed) {
    std::ostringstream text;
    text << "a metric of classes cannot compare preds of shape " << preds.sizes() << " with a target of shape "
         << target.sizes() << "; " << needed;
    throw UsageError(text.str());
}

AUDYN_INLINE at::Tensor predicted_of_two(const at::Tensor& preds, const at::Tensor& target, double threshold) {
    if (preds.sizes() != target.sizes()) {
        refuse_shapes(preds, target, "they must be the same");
    }
    if (!preds.is_floating_point()) {
        return preds.to(at::kLong);
    }
    const at::Tensor scores = preds.to(at::kFloat);
    const at::Tensor are_logits = scores.lt(0).logical_or(scores.gt(1)).any();
    return at::where(are_logits, scores.sigmoid(), scores).gt(threshold).to(at::kLong);
}

/// With top_k, a class among the k best counts as predicted where it is the true one.
AUDYN_INLINE at::Tensor predicted_of_many(const at::Tensor& preds, const at::Tensor& target,
                                          const ClassificationOptions& options) {
    if (preds.sizes() == target.sizes() && !preds.is_floating_point()) {
        if (options.top_k() > 1) {
            throw UsageError("top_k needs preds of scores, got classes");
        }
        return preds.to(at::kLong);
    }
    const bool has_classes = preds.dim() >= 2 && preds.size(1) == options.num_classes();
    if (!has_classes || preds.select(1, 0).sizes() != target.sizes()) {
        refuse_shapes(preds, target,
                      "with num_classes " + std::to_string(options.num_classes()) + " scores are (N, " +
                          std::to_string(options.num_classes()) +
                          ", ...) for a target of (N, ...), classes have its shape and are integers");
    }
    const at::Tensor best = preds.argmax(1);
    if (options.top_k() == 1) {
        return best;
    }
    const at::Tensor among = std::get<1>(preds.topk(options.top_k(), 1));
    return at::where(among.eq(target.unsqueeze(1)).any(1), target.to(at::kLong), best);
}

AUDYN_INLINE Decisions decide(const at::Tensor& preds, const at::Tensor& target, const ClassificationOptions& options) {
    const at::Tensor predictions =
        (options.task() == Task::binary ? predicted_of_two(preds, target, options.threshold())
                                        : predicted_of_many(preds, target, options))
            .flatten();
    const at::Tensor labels = target.to(at::kLong).flatten();
    const int64_t classes = options.num_classes();
    const auto is_outside = [&](const at::Tensor& values) { return values.lt(0).logical_or(values.ge(classes)); };
    at::Tensor wrong = is_outside(labels).logical_or(is_outside(predictions));
    at::Tensor passed_over = wrong;
    if (options.ignore_index()) {
        const at::Tensor ignored = labels.eq(*options.ignore_index());
        wrong = wrong.logical_and(ignored.logical_not());
        passed_over = passed_over.logical_or(ignored);
    }
    return {labels.masked_fill(passed_over, 0), predictions.masked_fill(passed_over, 0),
            passed_over.logical_not().to(at::kLong), wrong.sum()};
}

AUDYN_INLINE void require_none_out_of_range(const at::Tensor& count, const ClassificationOptions& options) {
    if (const auto number = count.item<int64_t>(); number > 0) {
        throw DataError("a metric of " + std::to_string(options.num_classes()) + " classes got " +
                        std::to_string(number) + " samples whose label or predicted class is not one of 0 to " +
                        std::to_string(options.num_classes() - 1) +
                        (options.ignore_index() ? ", nor the ignored " + std::to_string(*options.ignore_index())
                                                : "; ignore_index names a label that does not count"));
    }
}

/// 0 where the denominator is.
AUDYN_INLINE at::Tensor safe_divide(const at::Tensor& numerator, const at::Tensor& denominator) {
    return numerator.to(at::kDouble) / at::where(denominator.eq(0), at::ones_like(denominator), denominator);
}

AUDYN_INLINE ClassCounts::ClassCounts(const ClassificationOptions& options)
    : StatefulMetric(names("preds", "target"), {{"correct", {options.checked().num_classes()}, at::kLong},
                                                {"labels", {options.num_classes()}, at::kLong},
                                                {"predictions", {options.num_classes()}, at::kLong},
                                                {"out_of_range", {}, at::kLong}}),
      options_(options) {}

AUDYN_INLINE void ClassCounts::add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) {
    const Decisions decisions = decide(arguments[0], arguments[1], options_);
    states[0].index_add_(0, decisions.labels, decisions.counts * decisions.labels.eq(decisions.predictions));
    states[1].index_add_(0, decisions.labels, decisions.counts);
    states[2].index_add_(0, decisions.predictions, decisions.counts);
    states[3].add_(decisions.out_of_range);
}

AUDYN_INLINE at::Tensor ClassCounts::value(std::span<const at::Tensor> states) const {
    require_none_out_of_range(states[3], options_);
    return score(states[0], states[1], states[2]);
}

AUDYN_INLINE at::Tensor ClassCounts::averaged(const at::Tensor& scores, const at::Tensor& labels,
                                              const at::Tensor& occurring) const {
    if (options_.average() == Average::none) {
        return scores;
    }
    const at::Tensor weights = options_.average() == Average::weighted ? labels : occurring.gt(0).to(at::kLong);
    return safe_divide((scores * weights).sum(), weights.sum());
}

} // namespace audyn::metrics::detail

namespace audyn::metrics {

AUDYN_INLINE at::Tensor Accuracy::score(const at::Tensor& correct, const at::Tensor& labels,
                                        const at::Tensor& predictions) const {
    if (options().task() == Task::binary || options().average() == Average::micro) {
        return detail::safe_divide(correct.sum(), labels.sum());
    }
    const at::Tensor occurring = options().top_k() == 1 ? labels + predictions : labels;
    return averaged(detail::safe_divide(correct, labels), labels, occurring);
}

AUDYN_INLINE at::Tensor F1Score::score(const at::Tensor& correct, const at::Tensor& labels,
                                       const at::Tensor& predictions) const {
    const at::Tensor both = labels + predictions;
    if (options().task() == Task::binary) {
        return detail::safe_divide(2 * correct[1], both[1]);
    }
    if (options().average() == Average::micro) {
        return detail::safe_divide(2 * correct.sum(), both.sum());
    }
    return averaged(detail::safe_divide(2 * correct, both), labels, both);
}

AUDYN_INLINE ConfusionMatrix::ConfusionMatrix(const ClassificationOptions& options, Normalize normalize)
    : StatefulMetric(names("preds", "target"),
                     {{"matrix", {options.checked().num_classes(), options.num_classes()}, at::kLong},
                      {"out_of_range", {}, at::kLong}}),
      options_(options),
      normalize_(normalize) {
    if (options_.top_k() != 1) {
        throw UsageError("a confusion matrix has no top_k");
    }
}

AUDYN_INLINE void ConfusionMatrix::add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) {
    const detail::Decisions decisions = detail::decide(arguments[0], arguments[1], options_);
    states[0].view(-1).index_add_(0, decisions.labels * options_.num_classes() + decisions.predictions,
                                  decisions.counts);
    states[1].add_(decisions.out_of_range);
}

AUDYN_INLINE at::Tensor ConfusionMatrix::value(std::span<const at::Tensor> states) const {
    detail::require_none_out_of_range(states[1], options_);
    switch (normalize_) {
    case Normalize::true_class:
        return detail::safe_divide(states[0], states[0].sum(1, true));
    case Normalize::predicted_class:
        return detail::safe_divide(states[0], states[0].sum(0, true));
    case Normalize::all:
        return detail::safe_divide(states[0], states[0].sum());
    default:
        return states[0].clone();
    }
}

} // namespace audyn::metrics
