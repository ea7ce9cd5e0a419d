#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/core/Tensor.h>

namespace audyn::criterion {

/// Scale-invariant signal-to-distortion ratio in dB of each signal: float (..., samples) twice to (...). Audyn's
/// `audyn.criterion.sdr`. \throws UsageError when the shapes differ
[[nodiscard]] AUDYN_INLINE at::Tensor si_sdr(const at::Tensor& input, const at::Tensor& target, double eps = 1e-8);

/// Audyn's `SISDR`: si_sdr of estimated and true signals, the more the better.
class SISDR final : public detail::PairLoss {
public:
    explicit SISDR(Reduction reduction = Reduction::mean, double eps = 1e-8)
        : PairLoss(reduction), reduction_(reduction), eps_(eps) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;

private:
    Reduction reduction_;
    double eps_;
};

/// Audyn's `NegSISDR`: the negative of SISDR, a loss.
class NegSISDR final : public detail::PairLoss {
public:
    explicit NegSISDR(Reduction reduction = Reduction::mean, double eps = 1e-8)
        : PairLoss(reduction), reduction_(reduction), eps_(eps) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;

private:
    Reduction reduction_;
    double eps_;
};

} // namespace audyn::criterion

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/si_sdr.ipp>
#endif
