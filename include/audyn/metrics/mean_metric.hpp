#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/metrics/stateful_metric.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>

namespace audyn::metrics {

namespace detail {

/// A mean of numbers: their sum and how many they are.
class MeanOfNumbers : public StatefulMetric {
protected:
    template <std::size_t Count>
    MeanOfNumbers(const Names<Count>& arguments, const char* sum, const char* count)
        : StatefulMetric(arguments, {{sum, {}, at::kDouble}, {count, {}, at::kLong}}) {}

    /// The numbers of a batch, of any shape.
    [[nodiscard]] virtual at::Tensor numbers(std::span<const at::Tensor> arguments) const = 0;

private:
    AUDYN_INLINE void add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) final;
    [[nodiscard]] AUDYN_INLINE at::Tensor value(std::span<const at::Tensor> states) const final;
};

} // namespace detail

/// `torchmetrics.MeanMetric` of (value): the mean over all elements.
class MeanMetric final : public detail::MeanOfNumbers {
public:
    MeanMetric() : MeanOfNumbers(names("value"), "sum_value", "num_samples") {}

protected:
    [[nodiscard]] at::Tensor numbers(std::span<const at::Tensor> arguments) const override { return arguments[0]; }
};

/// `torchmetrics.audio.ScaleInvariantSignalDistortionRatio` of (preds, target), each (..., samples): the mean over all
/// signals, in dB.
class ScaleInvariantSignalDistortionRatio final : public detail::MeanOfNumbers {
public:
    /// `zero_mean`: whether the mean of each signal is taken off first, which makes it the SI-SNR.
    explicit ScaleInvariantSignalDistortionRatio(bool zero_mean = false)
        : MeanOfNumbers(names("preds", "target"), "sum_si_sdr", "total"), zero_mean_(zero_mean) {}

protected:
    /// \throws UsageError when the shapes differ.
    [[nodiscard]] AUDYN_INLINE at::Tensor numbers(std::span<const at::Tensor> arguments) const override;

private:
    bool zero_mean_;
};

} // namespace audyn::metrics

#ifndef AUDYN_COMPILED
#    include <audyn/metrics/mean_metric.ipp>
#endif
