#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/metrics/stateful_metric.hpp>

#include <ATen/core/Tensor.h>

#include <span>

namespace audyn::metrics {

/// `torchmetrics.MeanMetric` of (value): the mean over all elements.
class MeanMetric final : public StatefulMetric {
public:
    MeanMetric() : StatefulMetric(names("value"), {{"sum_value", {}, at::kDouble}, {"num_samples", {}, at::kLong}}) {}

protected:
    AUDYN_INLINE void add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) override;
    [[nodiscard]] AUDYN_INLINE at::Tensor value(std::span<const at::Tensor> states) const override;
};

/// `torchmetrics.audio.ScaleInvariantSignalDistortionRatio` of (preds, target), each (..., samples): the mean over all
/// signals, in dB.
class ScaleInvariantSignalDistortionRatio final : public StatefulMetric {
public:
    /// `zero_mean`: whether the mean of each signal is taken off first, which makes it the SI-SNR.
    explicit ScaleInvariantSignalDistortionRatio(bool zero_mean = false)
        : StatefulMetric(names("preds", "target"), {{"sum_si_sdr", {}, at::kDouble}, {"total", {}, at::kLong}}),
          zero_mean_(zero_mean) {}

protected:
    /// \throws UsageError when the shapes differ.
    AUDYN_INLINE void add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) override;
    [[nodiscard]] AUDYN_INLINE at::Tensor value(std::span<const at::Tensor> states) const override;

private:
    bool zero_mean_;
};

} // namespace audyn::metrics

#ifndef AUDYN_COMPILED
#    include <audyn/metrics/mean_metric.ipp>
#endif
