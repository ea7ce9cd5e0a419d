#pragma once

#include <audyn/audio/mel_spectrogram.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

/// Losses of waveforms (..., samples) by their spectrograms.
namespace audyn::criterion {

/// How magnitudes are compared: mean of absolute, or of squared differences.
enum class MagnitudeDistance { l1, l2 };

/// Options of STFTLoss by the names and with the defaults of `auraloss.freq.STFTLoss`.
class STFTLossOptions {
public:
    STFTLossOptions& fft_size(int64_t value) { return fft_size_ = value, *this; }
    STFTLossOptions& hop_size(int64_t value) { return hop_size_ = value, *this; }
    /// Samples of the Hann window.
    STFTLossOptions& win_length(int64_t value) { return win_length_ = value, *this; }
    /// Weight of the spectral convergence.
    STFTLossOptions& w_sc(double value) { return w_sc_ = value, *this; }
    /// Weight of the distance of logarithms of magnitudes.
    STFTLossOptions& w_log_mag(double value) { return w_log_mag_ = value, *this; }
    /// Weight of the distance of magnitudes.
    STFTLossOptions& w_lin_mag(double value) { return w_lin_mag_ = value, *this; }
    /// The least squared magnitude.
    STFTLossOptions& eps(double value) { return eps_ = value, *this; }
    /// mean or sum, of the distances.
    STFTLossOptions& reduction(Reduction value) { return reduction_ = value, *this; }
    STFTLossOptions& mag_distance(MagnitudeDistance value) { return mag_distance_ = value, *this; }

    [[nodiscard]] int64_t fft_size() const { return fft_size_; }
    [[nodiscard]] int64_t hop_size() const { return hop_size_; }
    [[nodiscard]] int64_t win_length() const { return win_length_; }
    [[nodiscard]] double w_sc() const { return w_sc_; }
    [[nodiscard]] double w_log_mag() const { return w_log_mag_; }
    [[nodiscard]] double w_lin_mag() const { return w_lin_mag_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] Reduction reduction() const { return reduction_; }
    [[nodiscard]] MagnitudeDistance mag_distance() const { return mag_distance_; }

    /// \throws UsageError when a number is out of range.
    void check() const;

private:
    int64_t fft_size_ = 1024;
    int64_t hop_size_ = 256;
    int64_t win_length_ = 1024;
    double w_sc_ = 1.0;
    double w_log_mag_ = 1.0;
    double w_lin_mag_ = 0.0;
    double eps_ = 1e-8;
    Reduction reduction_ = Reduction::mean;
    MagnitudeDistance mag_distance_ = MagnitudeDistance::l1;
};

namespace detail {

/// The transforms of a loss, so that their windows follow it to a device.
class Spectrograms : public torch::nn::Module {
public:
    explicit Spectrograms(const std::vector<audio::SpectrogramOptions>& options);

    [[nodiscard]] at::Tensor operator()(std::size_t index, const at::Tensor& waveform) {
        return spectrograms_[index]->forward(waveform);
    }

private:
    std::vector<audio::Spectrogram> spectrograms_;
};

} // namespace detail

/// `auraloss.freq.MultiResolutionSTFTLoss`: the mean of STFTLoss over several resolutions.
class MultiResolutionSTFTLoss : public detail::PairLoss {
public:
    /// auraloss's resolutions: FFTs of 1024, 2048, 512 points, hops of 120, 240, 50, windows of 600, 1200, 240. What
    /// else `options` says holds for each.
    explicit MultiResolutionSTFTLoss(const STFTLossOptions& options = {});
    /// \throws UsageError when there is none, or a number is out of range.
    explicit MultiResolutionSTFTLoss(std::vector<STFTLossOptions> resolutions);

    [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return spectrograms_; }

protected:
    /// \throws UsageError when the shapes differ.
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;

private:
    [[nodiscard]] static at::Tensor compare(const at::Tensor& input, const at::Tensor& target,
                                            const STFTLossOptions& options);

    std::vector<STFTLossOptions> resolutions_;
    std::shared_ptr<detail::Spectrograms> spectrograms_;
};

/// `auraloss.freq.STFTLoss`: spectral convergence, and the distance of magnitudes and of their logarithms.
class STFTLoss final : public MultiResolutionSTFTLoss {
public:
    explicit STFTLoss(const STFTLossOptions& options = {})
        : MultiResolutionSTFTLoss(std::vector<STFTLossOptions>{options}) {}
};

/// A resolution of MultiScaleSpectralLoss.
struct SpectralScale {
    int64_t n_fft;
    /// n_fft unless set.
    std::optional<int64_t> win_length = std::nullopt;
    /// A quarter of win_length unless set.
    std::optional<int64_t> hop_length = std::nullopt;
    /// Of the distance of logarithms; the root of half the hop_length unless set.
    std::optional<double> weight = std::nullopt;
};

/// Audyn's `MultiScaleSpectralLoss`: for each scale the L1 distance of power spectrograms and, weighted, the L2
/// distance over frequencies of their logarithms, added up.
class MultiScaleSpectralLoss final : public detail::PairLoss {
public:
    /// \throws UsageError when there is no scale, or a length is out of range.
    explicit MultiScaleSpectralLoss(const std::vector<SpectralScale>& scales, double eps = 1e-8);

    [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return spectrograms_; }

protected:
    /// \throws UsageError when the shapes differ.
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;

private:
    std::vector<double> weights_;
    double eps_;
    std::shared_ptr<detail::Spectrograms> spectrograms_;
};

/// Options of MelSpectrogramL1Loss beside those of its transform.
class MelSpectrogramL1LossOptions {
public:
    /// Compares logarithms; without clamp_min silence gives infinities.
    MelSpectrogramL1LossOptions& take_log(bool value) { return take_log_ = value, *this; }
    /// The least energy of a band, before the logarithm.
    MelSpectrogramL1LossOptions& clamp_min(std::optional<double> value) { return clamp_min_ = value, *this; }
    MelSpectrogramL1LossOptions& reduction(Reduction value) { return reduction_ = value, *this; }

    [[nodiscard]] bool take_log() const { return take_log_; }
    [[nodiscard]] std::optional<double> clamp_min() const { return clamp_min_; }
    [[nodiscard]] Reduction reduction() const { return reduction_; }

private:
    bool take_log_ = false;
    std::optional<double> clamp_min_;
    Reduction reduction_ = Reduction::mean;
};

/// Audyn's `MelSpectrogramL1Loss`: the L1 distance of mel-spectrograms, or of their logarithms.
class MelSpectrogramL1Loss final : public detail::PairLoss {
public:
    /// \throws UsageError when a number is out of range, or clamp_min is set without take_log.
    explicit MelSpectrogramL1Loss(const audio::SpectrogramOptions& spectrogram = {},
                                  const audio::MelScaleOptions& mel_scale = {},
                                  const MelSpectrogramL1LossOptions& options = {});

    [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return transform_.ptr(); }

protected:
    /// \throws UsageError when the shapes differ.
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;

private:
    [[nodiscard]] at::Tensor features(const at::Tensor& waveform);

    MelSpectrogramL1LossOptions options_;
    audio::MelSpectrogram transform_;
};

} // namespace audyn::criterion

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/spectral.ipp>
#endif
