#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/spectral.hpp>

#include <ATen/ops/l1_loss.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>

namespace audyn::criterion::detail {

AUDYN_INLINE Spectrograms::Spectrograms(const std::vector<audio::SpectrogramOptions>& options) {
    for (const audio::SpectrogramOptions& one : options) {
        spectrograms_.push_back(register_module(std::to_string(spectrograms_.size()), audio::Spectrogram(one)));
    }
}

AUDYN_INLINE std::vector<STFTLossOptions> default_resolutions(const STFTLossOptions& options) {
    constexpr std::array<std::array<int64_t, 3>, 3> sizes{{{1024, 120, 600}, {2048, 240, 1200}, {512, 50, 240}}};
    std::vector<STFTLossOptions> resolutions;
    for (const auto& [fft_size, hop_size, win_length] : sizes) {
        resolutions.push_back(STFTLossOptions(options).fft_size(fft_size).hop_size(hop_size).win_length(win_length));
    }
    return resolutions;
}

} // namespace audyn::criterion::detail

namespace audyn::criterion {

AUDYN_INLINE void STFTLossOptions::check() const {
    if (!(eps_ > 0.0)) {
        throw UsageError("an STFT loss needs eps above 0, got " + std::to_string(eps_));
    }
    if (w_sc_ == 0.0 && w_log_mag_ == 0.0 && w_lin_mag_ == 0.0) {
        throw UsageError("an STFT loss needs one of w_sc, w_log_mag and w_lin_mag; all are 0");
    }
    if (reduction_ == Reduction::none) {
        throw UsageError("an STFT loss has the reductions mean and sum");
    }
}

AUDYN_INLINE MultiResolutionSTFTLoss::MultiResolutionSTFTLoss(const STFTLossOptions& options)
    : MultiResolutionSTFTLoss(detail::default_resolutions(options)) {}

AUDYN_INLINE MultiResolutionSTFTLoss::MultiResolutionSTFTLoss(std::vector<STFTLossOptions> resolutions)
    : PairLoss(Reduction::mean), resolutions_(std::move(resolutions)) {
    if (resolutions_.empty()) {
        throw UsageError("MultiResolutionSTFTLoss needs at least one resolution");
    }
    std::vector<audio::SpectrogramOptions> transforms;
    for (const STFTLossOptions& one : resolutions_) {
        one.check();
        transforms.push_back(
            audio::SpectrogramOptions().n_fft(one.fft_size()).hop_length(one.hop_size()).win_length(one.win_length()));
    }
    spectrograms_ = std::make_shared<detail::Spectrograms>(transforms);
}

AUDYN_INLINE at::Tensor MultiResolutionSTFTLoss::compare(const at::Tensor& input, const at::Tensor& target,
                                                         const STFTLossOptions& options) {
    const auto distance = [&](const at::Tensor& one, const at::Tensor& other) {
        const at::Tensor differences = one - other;
        return detail::reduce(options.mag_distance() == MagnitudeDistance::l1 ? differences.abs()
                                                                              : differences.square(),
                              options.reduction());
    };
    at::Tensor total;
    const auto add = [&](double weight, const auto& term) {
        if (weight != 0.0) {
            total = total.defined() ? total + weight * term() : weight * term();
        }
    };
    add(options.w_sc(), [&] { return at::linalg_vector_norm(target - input) / at::linalg_vector_norm(target); });
    add(options.w_log_mag(), [&] { return distance(input.log(), target.log()); });
    add(options.w_lin_mag(), [&] { return distance(input, target); });
    return total;
}

AUDYN_INLINE at::Tensor MultiResolutionSTFTLoss::loss(const at::Tensor& input, const at::Tensor& target) {
    detail::require_same_shape("STFTLoss", input, target);
    const at::Tensor estimated = detail::at_least_float(input);
    const at::Tensor truth = detail::at_least_float(target);
    at::Tensor total;
    for (std::size_t i = 0; i < resolutions_.size(); ++i) {
        const STFTLossOptions& options = resolutions_[i];
        const auto magnitude = [&](const at::Tensor& waveform) {
            return (*spectrograms_)(i, waveform).clamp_min(options.eps()).sqrt();
        };
        const at::Tensor one = compare(magnitude(estimated), magnitude(truth), options);
        total = total.defined() ? total + one : one;
    }
    return total / static_cast<double>(resolutions_.size());
}

AUDYN_INLINE MultiScaleSpectralLoss::MultiScaleSpectralLoss(const std::vector<SpectralScale>& scales, double eps)
    : PairLoss(Reduction::mean), eps_(eps) {
    if (scales.empty()) {
        throw UsageError("MultiScaleSpectralLoss needs at least one n_fft");
    }
    std::vector<audio::SpectrogramOptions> transforms;
    for (const SpectralScale& scale : scales) {
        const int64_t win_length = scale.win_length.value_or(scale.n_fft);
        const int64_t hop_length = scale.hop_length.value_or(win_length / 4);
        transforms.push_back(
            audio::SpectrogramOptions().n_fft(scale.n_fft).win_length(win_length).hop_length(hop_length));
        weights_.push_back(scale.weight.value_or(std::sqrt(static_cast<double>(hop_length) / 2.0)));
    }
    spectrograms_ = std::make_shared<detail::Spectrograms>(transforms);
}

AUDYN_INLINE at::Tensor MultiScaleSpectralLoss::loss(const at::Tensor& input, const at::Tensor& target) {
    detail::require_same_shape("MultiScaleSpectralLoss", input, target);
    at::Tensor total;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        const at::Tensor estimated = (*spectrograms_)(i, detail::at_least_float(input));
        const at::Tensor truth = (*spectrograms_)(i, detail::at_least_float(target));
        const at::Tensor logarithms = (truth + eps_).log() - (estimated + eps_).log();
        const at::Tensor norms =
            at::linalg_vector_norm(logarithms, 2, at::IntArrayRef{-2}) / static_cast<double>(logarithms.size(-2));
        const at::Tensor one = at::l1_loss(estimated, truth) + weights_[i] * norms.mean();
        total = total.defined() ? total + one : one;
    }
    return total;
}

AUDYN_INLINE MelSpectrogramL1Loss::MelSpectrogramL1Loss(const audio::SpectrogramOptions& spectrogram,
                                                        const audio::MelScaleOptions& mel_scale,
                                                        const MelSpectrogramL1LossOptions& options)
    : PairLoss(options.reduction()), options_(options), transform_(spectrogram, mel_scale) {
    if (options_.clamp_min() && !options_.take_log()) {
        throw UsageError("MelSpectrogramL1Loss: clamp_min is set, but is not used without take_log");
    }
    if (!spectrogram.power()) {
        throw UsageError("MelSpectrogramL1Loss needs a power: complex spectra have no mel bands");
    }
}

AUDYN_INLINE at::Tensor MelSpectrogramL1Loss::features(const at::Tensor& waveform) {
    at::Tensor bands = transform_->forward(detail::at_least_float(waveform));
    if (!options_.take_log()) {
        return bands;
    }
    return (options_.clamp_min() ? bands.clamp_min(*options_.clamp_min()) : bands).log();
}

AUDYN_INLINE at::Tensor MelSpectrogramL1Loss::loss(const at::Tensor& input, const at::Tensor& target) {
    detail::require_same_shape("MelSpectrogramL1Loss", input, target);
    return at::l1_loss(features(input), features(target), detail::reduction_code(reduction()));
}

} // namespace audyn::criterion
