#pragma once

#include <audyn/core/error.hpp>

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
    /// Zeros put before and behind the signal.
    SpectrogramOptions& pad(int64_t value) { return set(pad_, value); }
    /// The exponent of the magnitude; nothing gives the complex spectrum.
    SpectrogramOptions& power(std::optional<double> value) { return set(power_, value); }
    /// Whether frame t is centred at sample t * hop_length, by padding the ends.
    SpectrogramOptions& center(bool value) { return set(center_, value); }
    /// How the ends are padded: "reflect", "constant", "replicate", "circular".
    SpectrogramOptions& pad_mode(std::string value) { return set(pad_mode_, std::move(value)); }

    [[nodiscard]] int64_t n_fft() const { return n_fft_; }
    [[nodiscard]] int64_t win_length() const { return win_length_.value_or(n_fft_); }
    [[nodiscard]] int64_t hop_length() const { return hop_length_.value_or(win_length() / 2); }
    [[nodiscard]] int64_t pad() const { return pad_; }
    [[nodiscard]] std::optional<double> power() const { return power_; }
    [[nodiscard]] bool center() const { return center_; }
    [[nodiscard]] const std::string& pad_mode() const { return pad_mode_; }

    /// \throws UsageError when a length is out of range.
    void check() const {
        if (pad_ < 0) {
            throw UsageError("a spectrogram's pad must not be negative, got " + std::to_string(pad_));
        }
        if (n_fft_ < 1 || win_length() < 1 || win_length() > n_fft_ || hop_length() < 1) {
            throw UsageError("a spectrogram needs 1 <= win_length <= n_fft and hop_length >= 1, got win_length " +
                             std::to_string(win_length()) + ", n_fft " + std::to_string(n_fft_) + ", hop_length " +
                             std::to_string(hop_length()));
        }
    }

private:
    template <class T, class U>
    SpectrogramOptions& set(T& option, U&& value) {
        option = std::forward<U>(value);
        return *this;
    }

    int64_t n_fft_ = 400;
    std::optional<int64_t> win_length_;
    std::optional<int64_t> hop_length_;
    int64_t pad_ = 0;
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
    void check() const {
        if (n_mels_ < 1 || n_stft_ < 2 || f_min_ < 0.0 || f_min_ >= f_max()) {
            throw UsageError("a mel scale needs n_mels >= 1, n_stft >= 2 and 0 <= f_min < f_max, got n_mels " +
                             std::to_string(n_mels_) + ", n_stft " + std::to_string(n_stft_) + ", f_min " +
                             std::to_string(f_min_) + ", f_max " + std::to_string(f_max()));
        }
    }

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

inline double hertz_to_mel(double hertz, MelScaleType scale) {
    if (scale == MelScaleType::htk) {
        return 2595.0 * std::log10(1.0 + hertz / 700.0);
    }
    return hertz < slaney_log_begin_hertz
               ? hertz / slaney_hertz_per_mel
               : slaney_log_begin_mel + std::log(hertz / slaney_log_begin_hertz) / slaney_log_step;
}

inline double mel_to_hertz(double mel, MelScaleType scale) {
    if (scale == MelScaleType::htk) {
        return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
    }
    return mel < slaney_log_begin_mel
               ? mel * slaney_hertz_per_mel
               : slaney_log_begin_hertz * std::exp(slaney_log_step * (mel - slaney_log_begin_mel));
}

} // namespace detail

/// Triangular filters: float32 (n_stft, n_mels); torchaudio's `melscale_fbanks`.
[[nodiscard]] inline at::Tensor mel_filter_bank(const MelScaleOptions& options) {
    options.check();
    const double mel_min = detail::hertz_to_mel(options.f_min(), options.mel_scale());
    const double mel_max = detail::hertz_to_mel(options.f_max(), options.mel_scale());
    std::vector<double> corners; // Band m rises from corner m to m + 1 and falls to m + 2.
    for (int64_t i = 0; i < options.n_mels() + 2; ++i) {
        const double share = static_cast<double>(i) / static_cast<double>(options.n_mels() + 1);
        corners.push_back(detail::mel_to_hertz(mel_min + share * (mel_max - mel_min), options.mel_scale()));
    }
    const auto nyquist = static_cast<double>(options.sample_rate() / 2);
    at::Tensor bank = at::empty({options.n_stft(), options.n_mels()}, at::kFloat);
    float* weight = bank.mutable_data_ptr<float>();
    for (int64_t bin = 0; bin < options.n_stft(); ++bin) {
        const double hertz = nyquist * static_cast<double>(bin) / static_cast<double>(options.n_stft() - 1);
        for (std::size_t band = 0; band + 2 < corners.size(); ++band) {
            const double rise = (hertz - corners[band]) / (corners[band + 1] - corners[band]);
            const double fall = (corners[band + 2] - hertz) / (corners[band + 2] - corners[band + 1]);
            const double scale = options.norm() == MelNorm::slaney ? 2.0 / (corners[band + 2] - corners[band]) : 1.0;
            *weight++ = static_cast<float>(scale * std::max(0.0, std::min(rise, fall)));
        }
    }
    return bank;
}

/// (..., samples) to (..., n_fft / 2 + 1, frames); `torchaudio.transforms.Spectrogram`.
class SpectrogramImpl : public torch::nn::Module {
public:
    /// \throws UsageError when a length is out of range.
    explicit SpectrogramImpl(SpectrogramOptions options = {}) : options_(std::move(options)) {
        options_.check();
        window_ = register_buffer("window", at::hann_window(options_.win_length()));
    }

    [[nodiscard]] at::Tensor forward(const at::Tensor& waveform) const {
        const at::Tensor spectrogram = power(at::fft_rfft(frames(waveform))).transpose(-1, -2);
        std::vector<int64_t> shape = waveform.sizes().slice(0, static_cast<std::size_t>(waveform.dim()) - 1).vec();
        shape.insert(shape.end(), {spectrogram.size(-2), spectrogram.size(-1)});
        return spectrogram.view(shape);
    }

    [[nodiscard]] const SpectrogramOptions& options() const { return options_; }

private:
    /// Windowed frames, (signals, frames, n_fft).
    [[nodiscard]] at::Tensor frames(const at::Tensor& waveform) const {
        at::Tensor signals = waveform.reshape({-1, waveform.size(-1)});
        if (options_.pad() > 0) {
            signals = at::constant_pad_nd(signals, {options_.pad(), options_.pad()});
        }
        if (options_.center()) {
            signals = at::pad(signals, {options_.n_fft() / 2, options_.n_fft() / 2}, options_.pad_mode());
        }
        at::Tensor window = window_;
        if (const int64_t surplus = options_.n_fft() - options_.win_length(); surplus > 0) {
            window = at::constant_pad_nd(window, {surplus / 2, surplus - surplus / 2});
        }
        return signals.unfold(-1, options_.n_fft(), options_.hop_length()).mul(window);
    }

    [[nodiscard]] at::Tensor power(const at::Tensor& spectrum) const {
        if (!options_.power()) {
            return spectrum;
        }
        if (*options_.power() == 2.0) { // Without the square root that abs takes, several times faster.
            const at::Tensor parts = at::view_as_real(spectrum);
            const at::Tensor imaginary = parts.select(-1, 1);
            return parts.select(-1, 0).square().addcmul(imaginary, imaginary);
        }
        const at::Tensor magnitude = spectrum.abs();
        return *options_.power() == 1.0 ? magnitude : magnitude.pow(*options_.power());
    }

    SpectrogramOptions options_;
    at::Tensor window_;
};
TORCH_MODULE(Spectrogram);

/// (..., n_stft, frames) to (..., n_mels, frames); `torchaudio.transforms.MelScale`.
class MelScaleImpl : public torch::nn::Module {
public:
    /// \throws UsageError when a number is out of range.
    explicit MelScaleImpl(const MelScaleOptions& options = {})
        : filters_(register_buffer("fb", mel_filter_bank(options))) {}

    [[nodiscard]] at::Tensor forward(const at::Tensor& spectrogram) const {
        return at::matmul(spectrogram.transpose(-1, -2), filters_).transpose(-1, -2);
    }

private:
    at::Tensor filters_;
};
TORCH_MODULE(MelScale);

/// (..., samples) to (..., n_mels, frames); `torchaudio.transforms.MelSpectrogram`. The mel scale's n_stft follows from
/// n_fft.
class MelSpectrogramImpl : public torch::nn::Module {
public:
    /// \throws UsageError when a number is out of range.
    explicit MelSpectrogramImpl(const SpectrogramOptions& spectrogram = {}, MelScaleOptions mel_scale = {})
        : spectrogram_(register_module("spectrogram", Spectrogram(spectrogram))),
          mel_scale_(register_module("mel_scale", MelScale(mel_scale.n_stft(spectrogram.n_fft() / 2 + 1)))) {}

    [[nodiscard]] at::Tensor forward(const at::Tensor& waveform) { return mel_scale_(spectrogram_(waveform)); }

private:
    Spectrogram spectrogram_;
    MelScale mel_scale_;
};
TORCH_MODULE(MelSpectrogram);

} // namespace audyn::audio
