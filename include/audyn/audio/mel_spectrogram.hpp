#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/pad.h>
#include <ATen/ops/view_as_real.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::audio {

/// Options of `Spectrogram` by the names and with the defaults of `torchaudio.transforms.Spectrogram`.
class SpectrogramOptions {
public:
    /// Points of the Fourier transform; n_fft / 2 + 1 frequencies.
    SpectrogramOptions& n_fft(int64_t value) { return set(n_fft_, value); }
    /// Samples of the Hann window, centred in n_fft; n_fft unless set.
    SpectrogramOptions& win_length(int64_t value) { return set(win_length_, value); }
    /// Samples from one frame to the next; win_length / 2 unless set.
    SpectrogramOptions& hop_length(int64_t value) { return set(hop_length_, value); }
    /// The exponent of the magnitude; nothing gives the complex spectrum.
    SpectrogramOptions& power(std::optional<double> value) { return set(power_, value); }
    /// Whether frame t is centred at sample t * hop_length, by padding the ends.
    SpectrogramOptions& center(bool value) { return set(center_, value); }
    /// How the ends are padded: "reflect", "constant", "replicate", "circular".
    SpectrogramOptions& pad_mode(std::string value) { return set(pad_mode_, std::move(value)); }

    [[nodiscard]] int64_t n_fft() const { return n_fft_; }
    [[nodiscard]] int64_t win_length() const { return win_length_.value_or(n_fft_); }
    [[nodiscard]] int64_t hop_length() const { return hop_length_.value_or(win_length() / 2); }
    [[nodiscard]] std::optional<double> power() const { return power_; }
    [[nodiscard]] bool center() const { return center_; }
    [[nodiscard]] const std::string& pad_mode() const { return pad_mode_; }

    /// \throws UsageError when a length is out of range.
    void check() const;

private:
    template <class T, class U>
    SpectrogramOptions& set(T& option, U&& value) {
        option = std::forward<U>(value);
        return *this;
    }

    int64_t n_fft_ = 400;
    std::optional<int64_t> win_length_;
    std::optional<int64_t> hop_length_;
    std::optional<double> power_ = 2.0;
    bool center_ = true;
    std::string pad_mode_ = "reflect";
};

/// The scale on which mel bands are equally wide, and whether each band is divided by its width.
enum class MelScaleType { htk, slaney };
enum class MelNorm { none, slaney };

/// Options of `MelScale` by the names and with the defaults of `torchaudio.transforms.MelScale`.
class MelScaleOptions {
public:
    MelScaleOptions& n_mels(int64_t value) { return set(n_mels_, value); }
    /// In Hz, as f_min and f_max.
    MelScaleOptions& sample_rate(int64_t value) { return set(sample_rate_, value); }
    MelScaleOptions& f_min(double value) { return set(f_min_, value); }
    /// Half the sample rate unless set.
    MelScaleOptions& f_max(double value) { return set(f_max_, value); }
    /// Number of frequencies of the spectrogram, n_fft / 2 + 1.
    MelScaleOptions& n_stft(int64_t value) { return set(n_stft_, value); }
    MelScaleOptions& norm(MelNorm value) { return set(norm_, value); }
    MelScaleOptions& mel_scale(MelScaleType value) { return set(mel_scale_, value); }

    [[nodiscard]] int64_t n_mels() const { return n_mels_; }
    [[nodiscard]] int64_t sample_rate() const { return sample_rate_; }
    [[nodiscard]] double f_min() const { return f_min_; }
    [[nodiscard]] double f_max() const { return f_max_.value_or(static_cast<double>(sample_rate_ / 2)); }
    [[nodiscard]] int64_t n_stft() const { return n_stft_; }
    [[nodiscard]] MelNorm norm() const { return norm_; }
    [[nodiscard]] MelScaleType mel_scale() const { return mel_scale_; }

    /// \throws UsageError when a number is out of range.
    void check() const;

private:
    template <class T, class U>
    MelScaleOptions& set(T& option, U value) {
        option = value;
        return *this;
    }

    int64_t n_mels_ = 128;
    int64_t sample_rate_ = 16000;
    double f_min_ = 0.0;
    std::optional<double> f_max_;
    int64_t n_stft_ = 201;
    MelNorm norm_ = MelNorm::none;
    MelScaleType mel_scale_ = MelScaleType::htk;
};

namespace detail {

inline constexpr double slaney_hertz_per_mel = 200.0 / 3.0;
inline constexpr double slaney_log_begin_hertz = 1000.0;
inline constexpr double slaney_log_begin_mel = slaney_log_begin_hertz / slaney_hertz_per_mel;
inline const double slaney_log_step = std::log(6.4) / 27.0;

AUDYN_INLINE double hertz_to_mel(double hertz, MelScaleType scale);

AUDYN_INLINE double mel_to_hertz(double mel, MelScaleType scale);

} // namespace detail

/// Triangular filters: float32 (n_stft, n_mels); torchaudio's `melscale_fbanks`.
[[nodiscard]] AUDYN_INLINE at::Tensor mel_filter_bank(const MelScaleOptions& options);

/// (..., samples) to (..., n_fft / 2 + 1, frames); `torchaudio.transforms.Spectrogram`.
class SpectrogramImpl : public torch::nn::Module {
public:
    /// \throws UsageError when a length is out of range.
    explicit SpectrogramImpl(SpectrogramOptions options = {});

    [[nodiscard]] at::Tensor forward(const at::Tensor& waveform) const;

    [[nodiscard]] const SpectrogramOptions& options() const { return options_; }

private:
    /// Windowed frames, (signals, frames, n_fft).
    [[nodiscard]] at::Tensor frames(const at::Tensor& waveform) const;

    [[nodiscard]] at::Tensor power(const at::Tensor& spectrum) const;

    SpectrogramOptions options_;
    at::Tensor window_;
};
TORCH_MODULE(Spectrogram);

/// (..., n_stft, frames) to (..., n_mels, frames); `torchaudio.transforms.MelScale`.
class MelScaleImpl : public torch::nn::Module {
public:
    /// \throws UsageError when a number is out of range.
    explicit MelScaleImpl(const MelScaleOptions& options = {});

    [[nodiscard]] at::Tensor forward(const at::Tensor& spectrogram) const;

private:
    at::Tensor filters_;
};
TORCH_MODULE(MelScale);

/// (..., samples) to (..., n_mels, frames); `torchaudio.transforms.MelSpectrogram`. The mel scale's n_stft follows from
/// n_fft.
class MelSpectrogramImpl : public torch::nn::Module {
public:
    /// \throws UsageError when a number is out of range.
    explicit MelSpectrogramImpl(const SpectrogramOptions& spectrogram = {}, MelScaleOptions mel_scale = {});

    [[nodiscard]] at::Tensor forward(const at::Tensor& waveform) { return mel_scale_(spectrogram_(waveform)); }

private:
    Spectrogram spectrogram_;
    MelScale mel_scale_;
};
TORCH_MODULE(MelSpectrogram);

} // namespace audyn::audio

#ifndef AUDYN_COMPILED
#    include <audyn/audio/mel_spectrogram.ipp>
#endif
