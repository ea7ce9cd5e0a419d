#pragma once

#include <audyn/audio/mel_spectrogram.hpp>
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

AUDYN_INLINE void SpectrogramOptions::check() const {
    if (n_fft_ < 1 || win_length() < 1 || win_length() > n_fft_ || hop_length() < 1) {
        throw UsageError("a spectrogram needs 1 <= win_length <= n_fft and hop_length >= 1, got win_length " +
                         std::to_string(win_length()) + ", n_fft " + std::to_string(n_fft_) + ", hop_length " +
                         std::to_string(hop_length()));
    }
}

AUDYN_INLINE void MelScaleOptions::check() const {
    if (n_mels_ < 1 || n_stft_ < 2 || f_min_ < 0.0 || f_min_ >= f_max()) {
        throw UsageError("a mel scale needs n_mels >= 1, n_stft >= 2 and 0 <= f_min < f_max, got n_mels " +
                         std::to_string(n_mels_) + ", n_stft " + std::to_string(n_stft_) + ", f_min " +
                         std::to_string(f_min_) + ", f_max " + std::to_string(f_max()));
    }
}

} // namespace audyn::audio

namespace audyn::audio::detail {

AUDYN_INLINE double hertz_to_mel(double hertz, MelScaleType scale) {
    if (scale == MelScaleType::htk) {
        return 2595.0 * std::log10(1.0 + hertz / 700.0);
    }
    return hertz < slaney_log_begin_hertz
               ? hertz / slaney_hertz_per_mel
               : slaney_log_begin_mel + std::log(hertz / slaney_log_begin_hertz) / slaney_log_step;
}

AUDYN_INLINE double mel_to_hertz(double mel, MelScaleType scale) {
    if (scale == MelScaleType::htk) {
        return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
    }
    return mel < slaney_log_begin_mel
               ? mel * slaney_hertz_per_mel
               : slaney_log_begin_hertz * std::exp(slaney_log_step * (mel - slaney_log_begin_mel));
}

} // namespace audyn::audio::detail

namespace audyn::audio {

AUDYN_INLINE at::Tensor mel_filter_bank(const MelScaleOptions& options) {
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

AUDYN_INLINE SpectrogramImpl::SpectrogramImpl(SpectrogramOptions options) : options_(std::move(options)) {
    options_.check();
    window_ = register_buffer("window", at::hann_window(options_.win_length()));
}

AUDYN_INLINE at::Tensor SpectrogramImpl::forward(const at::Tensor& waveform) const {
    const at::Tensor spectrogram = power(at::fft_rfft(frames(waveform))).transpose(-1, -2);
    std::vector<int64_t> shape = waveform.sizes().slice(0, static_cast<std::size_t>(waveform.dim()) - 1).vec();
    shape.insert(shape.end(), {spectrogram.size(-2), spectrogram.size(-1)});
    return spectrogram.view(shape);
}

AUDYN_INLINE at::Tensor SpectrogramImpl::frames(const at::Tensor& waveform) const {
    at::Tensor signals = waveform.reshape({-1, waveform.size(-1)});
    if (options_.center()) {
        signals = at::pad(signals, {options_.n_fft() / 2, options_.n_fft() / 2}, options_.pad_mode());
    }
    at::Tensor window = window_;
    if (const int64_t surplus = options_.n_fft() - options_.win_length(); surplus > 0) {
        window = at::constant_pad_nd(window, {surplus / 2, surplus - surplus / 2});
    }
    return signals.unfold(-1, options_.n_fft(), options_.hop_length()).mul(window);
}

AUDYN_INLINE at::Tensor SpectrogramImpl::power(const at::Tensor& spectrum) const {
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

AUDYN_INLINE MelScaleImpl::MelScaleImpl(const MelScaleOptions& options)
    : filters_(register_buffer("fb", mel_filter_bank(options))) {}

AUDYN_INLINE at::Tensor MelScaleImpl::forward(const at::Tensor& spectrogram) const {
    return at::matmul(spectrogram.transpose(-1, -2), filters_).transpose(-1, -2);
}

AUDYN_INLINE MelSpectrogramImpl::MelSpectrogramImpl(const SpectrogramOptions& spectrogram, MelScaleOptions mel_scale)
    : spectrogram_(register_module("spectrogram", Spectrogram(spectrogram))),
      mel_scale_(register_module("mel_scale", MelScale(mel_scale.n_stft(spectrogram.n_fft() / 2 + 1)))) {}

} // namespace audyn::audio
