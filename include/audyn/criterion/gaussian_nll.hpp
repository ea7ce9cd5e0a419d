#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

namespace audyn::criterion {

/// Options of GaussianNLLLoss with Python's names and defaults.
class GaussianNLLLossOptions {
public:
    /// Adds the constant half of log(2 pi) to each element.
    GaussianNLLLossOptions& full(bool value) { return full_ = value, *this; }
    /// The least variance that counts.
    GaussianNLLLossOptions& eps(double value) { return eps_ = value, *this; }
    GaussianNLLLossOptions& reduction(Reduction value) { return reduction_ = value, *this; }

    [[nodiscard]] bool full() const { return full_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] Reduction reduction() const { return reduction_; }

private:
    bool full_ = false;
    double eps_ = 1e-6;
    Reduction reduction_ = Reduction::mean;
};

/// `torch.nn.GaussianNLLLoss` of (input, target, var): the negative logarithm of the density of `target` under normal
/// distributions of means `input` and variances `var`, which has input's shape, or 1 for its last dimension, or lacks
/// it. Negative variances are not looked for, which would wait for the device.
class GaussianNLLLoss final : public Criterion {
public:
    /// \throws UsageError when eps is not above 0.
    explicit GaussianNLLLoss(const GaussianNLLLossOptions& options = {});

    [[nodiscard]] std::span<const std::string> arguments() const override { return names_; }
    /// \throws UsageError when the shape of var does not fit.
    [[nodiscard]] AUDYN_INLINE at::Tensor forward(std::span<const at::Tensor> arguments) override;

private:
    std::vector<std::string> names_{"input", "target", "var"};
    GaussianNLLLossOptions options_;
    detail::BroadcastWarning warning_{"GaussianNLLLoss"};
};

} // namespace audyn::criterion

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/gaussian_nll.ipp>
#endif
