#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/core/Tensor.h>

namespace audyn::criterion {

/// Scale-invariant signal-to-distortion ratio in dB of each signal: float (..., samples) twice to (...). Audyn's
/// `audyn.criterion.sdr`. \throws UsageError when the shapes differ
[[nodiscard]] AUDYN_INLINE at::Tensor si_sdr(const at::Tensor& input, const at::Tensor& target, double eps = 1e-8);

namespace detail {

class SISDRLoss : public PairLoss {
protected:
    SISDRLoss(double sign, Reduction reduction, double eps) : PairLoss(reduction), sign_(sign), eps_(eps) {}

    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) final;

private:
    double sign_;
    double eps_;
};

} // namespace detail

/// Audyn's `SISDR`: si_sdr of estimated and true signals, the more the better.
class SISDR final : public detail::SISDRLoss {
public:
    explicit SISDR(Reduction reduction = Reduction::mean, double eps = 1e-8) : SISDRLoss(1.0, reduction, eps) {}
};

/// Audyn's `NegSISDR`: the negative of SISDR, a loss.
class NegSISDR final : public detail::SISDRLoss {
public:
    explicit NegSISDR(Reduction reduction = Reduction::mean, double eps = 1e-8) : SISDRLoss(-1.0, reduction, eps) {}
};

} // namespace audyn::criterion

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/si_sdr.ipp>
#endif
