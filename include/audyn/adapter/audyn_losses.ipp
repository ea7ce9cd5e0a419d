#pragma once

#include <audyn/adapter/audyn_losses.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/audio/mel_spectrogram.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/mode_names.hpp>
#include <audyn/criterion/adversarial.hpp>
#include <audyn/criterion/pit.hpp>
#include <audyn/criterion/si_sdr.hpp>
#include <audyn/criterion/spectral.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter::detail {

using Sizes = std::vector<int64_t>;

/// `list[index]`, or nothing without a list. \throws UsageError when it has another length than n_fft.
template <class T>
std::optional<T> of_scale(const char* name, const std::optional<std::vector<T>>& list, std::size_t index,
                          std::size_t length) {
    if (!list) {
        return std::nullopt;
    }
    if (list->size() != length) {
        throw UsageError(std::string(name) + " has " + std::to_string(list->size()) + " numbers, n_fft " +
                         std::to_string(length));
    }
    return (*list)[index];
}

inline constexpr core::ModeNames<criterion::MagnitudeDistance, 2> magnitude_distances{
    "mag_distance", {{{"L1", criterion::MagnitudeDistance::l1}, {"L2", criterion::MagnitudeDistance::l2}}}};
inline constexpr core::ModeNames<criterion::AdversarialLossType, 3> adversarial_loss_types{
    "loss_type",
    {{{"mse", criterion::AdversarialLossType::mse},
      {"hinge", criterion::AdversarialLossType::hinge},
      {"bce", criterion::AdversarialLossType::bce}}}};
inline constexpr core::ModeNames<audio::MelScaleType, 2> mel_scale_types{
    "mel_scale", {{{"htk", audio::MelScaleType::htk}, {"slaney", audio::MelScaleType::slaney}}}};

AUDYN_INLINE audio::MelNorm mel_norm(const std::optional<std::string>& name) {
    if (name && *name != "slaney") {
        throw UsageError("norm must be null or 'slaney', got '" + *name + "'");
    }
    return name ? audio::MelNorm::slaney : audio::MelNorm::none;
}

template <class Loss>
void add_si_sdr(Targets& targets, const std::string& name) {
    targets.add_function<LossPointer>(name,
                                      constructor<std::string, double>(arg("reduction") = "mean", arg("eps") = 1e-8),
                                      [](const std::string& text, double eps) -> LossPointer {
                                          return std::make_shared<Loss>(reduction(text), eps);
                                      });
}

AUDYN_INLINE void add_pit_neg_si_sdr(Targets& targets) {
    targets.add_function<LossPointer>(
        "audyn.criterion.sdr.PITNegSISDR",
        constructor<std::string, std::optional<int64_t>, double>(
            arg("reduction") = "mean", arg("num_sources") = std::optional<int64_t>(), arg("eps") = 1e-8),
        [](const std::string& text, std::optional<int64_t> num_sources, double eps) -> LossPointer {
            return std::make_shared<criterion::PITNegSISDR>(reduction(text), num_sources, eps);
        });
}

AUDYN_INLINE void add_multi_scale_spectral_loss(Targets& targets) {
    targets.add_function<LossPointer>(
        "audyn.criterion.distance.MultiScaleSpectralLoss",
        constructor<Sizes, std::optional<Sizes>, std::optional<Sizes>, std::optional<std::vector<double>>, bool,
                    double>(
            arg("n_fft"), arg("win_length") = std::optional<Sizes>(), arg("hop_length") = std::optional<Sizes>(),
            arg("weights") = std::optional<std::vector<double>>(), arg("transform") = true, arg("eps") = 1e-8),
        [](const Sizes& n_fft, const std::optional<Sizes>& win_length, const std::optional<Sizes>& hop_length,
           const std::optional<std::vector<double>>& weights, bool transform, double eps) -> LossPointer {
            if (!transform) {
                throw UsageError("transform must be true: the spectrograms follow from the lengths");
            }
            std::vector<criterion::SpectralScale> scales;
            for (std::size_t i = 0; i < n_fft.size(); ++i) {
                scales.push_back({n_fft[i], of_scale("win_length", win_length, i, n_fft.size()),
                                  of_scale("hop_length", hop_length, i, n_fft.size()),
                                  of_scale("weights", weights, i, n_fft.size())});
            }
            return std::make_shared<criterion::MultiScaleSpectralLoss>(scales, eps);
        });
}

AUDYN_INLINE void add_mel_spectrogram_loss(Targets& targets) {
    using Length = std::optional<int64_t>;
    using Number = std::optional<double>;
    using Name = std::optional<std::string>;
    targets.add_function<LossPointer>(
        "audyn.criterion.melspectrogram.MelSpectrogramL1Loss",
        constructor<int64_t, int64_t, Length, Length, double, Number, int64_t, int64_t, Unsupported, double,
                    Unsupported, Unsupported, bool, std::string, Unsupported, Name, std::string, bool, std::string,
                    Number>(arg("sample_rate") = 16000, arg("n_fft") = 400, arg("win_length") = Length(),
                            arg("hop_length") = Length(), arg("f_min") = 0.0, arg("f_max") = Number(), arg("pad") = 0,
                            arg("n_mels") = 128, arg("window_fn") = Unsupported(), arg("power") = 2.0,
                            arg("normalized") = Unsupported(), arg("wkwargs") = Unsupported(), arg("center") = true,
                            arg("pad_mode") = "reflect", arg("onesided") = Unsupported(), arg("norm") = Name(),
                            arg("mel_scale") = "htk", arg("take_log") = false, arg("reduction") = "mean",
                            arg("clamp_min") = Number()),
        [](int64_t sample_rate, int64_t n_fft, Length win_length, Length hop_length, double f_min, Number f_max,
           int64_t pad, int64_t n_mels, Unsupported, double power, Unsupported, Unsupported, bool center,
           const std::string& pad_mode, Unsupported, const Name& norm, const std::string& mel_scale, bool take_log,
           const std::string& name, Number clamp_min) -> LossPointer {
            auto spectrogram = audio::SpectrogramOptions().n_fft(n_fft).pad(pad).power(power);
            spectrogram.center(center).pad_mode(pad_mode);
            if (win_length) {
                spectrogram.win_length(*win_length);
            }
            if (hop_length) {
                spectrogram.hop_length(*hop_length);
            }
            auto scale = audio::MelScaleOptions().sample_rate(sample_rate).n_mels(n_mels).f_min(f_min);
            scale.norm(mel_norm(norm)).mel_scale(mel_scale_types.mode(mel_scale));
            if (f_max) {
                scale.f_max(*f_max);
            }
            return std::make_shared<criterion::MelSpectrogramL1Loss>(
                spectrogram, scale,
                criterion::MelSpectrogramL1LossOptions().take_log(take_log).clamp_min(clamp_min).reduction(
                    reduction(name)));
        });
}

/// Adds a loss of auraloss's, of one resolution or of several: `make(fft, hop, window, options)`, where the sizes are
/// of type `Size` and the options lack them.
template <class Size, class Make, class... Args>
void add_stft_loss(Targets& targets, const std::string& name, const Make& make, Args&&... sizes) {
    targets.add_function<LossPointer>(
        name,
        constructor<Size, Size, Size, std::string, double, double, double, Unsupported, Unsupported, Unsupported,
                    Unsupported, Unsupported, Unsupported, double, std::string, std::string, std::string, Unsupported>(
            std::forward<Args>(sizes)..., arg("window") = "hann_window", arg("w_sc") = 1.0, arg("w_log_mag") = 1.0,
            arg("w_lin_mag") = 0.0, arg("w_phs") = Unsupported(), arg("sample_rate") = Unsupported(),
            arg("scale") = Unsupported(), arg("n_bins") = Unsupported(), arg("perceptual_weighting") = Unsupported(),
            arg("scale_invariance") = Unsupported(), arg("eps") = 1e-8, arg("output") = "loss",
            arg("reduction") = "mean", arg("mag_distance") = "L1", arg("device") = Unsupported()),
        [make](const Size& fft, const Size& hop, const Size& length, const std::string& window, double w_sc,
               double w_log_mag, double w_lin_mag, Unsupported, Unsupported, Unsupported, Unsupported, Unsupported,
               Unsupported, double eps, const std::string& output, const std::string& reduction_name,
               const std::string& mag_distance, Unsupported) -> LossPointer {
            if (window != "hann_window" || output != "loss") {
                throw UsageError("window must be 'hann_window' and output 'loss', got '" + window + "' and '" + output +
                                 "'");
            }
            auto options = criterion::STFTLossOptions().w_sc(w_sc).w_log_mag(w_log_mag).w_lin_mag(w_lin_mag);
            options.eps(eps).reduction(reduction(reduction_name)).mag_distance(magnitude_distances.mode(mag_distance));
            return make(fft, hop, length, options);
        });
}

AUDYN_INLINE void add_stft_losses(Targets& targets) {
    add_stft_loss<int64_t>(
        targets, "auraloss.freq.STFTLoss",
        [](int64_t fft, int64_t hop, int64_t length, criterion::STFTLossOptions options) {
            return std::make_shared<criterion::STFTLoss>(options.fft_size(fft).hop_size(hop).win_length(length));
        },
        arg("fft_size") = 1024, arg("hop_size") = 256, arg("win_length") = 1024);
    add_stft_loss<Sizes>(
        targets, "auraloss.freq.MultiResolutionSTFTLoss",
        [](const Sizes& ffts, const Sizes& hops, const Sizes& lengths, criterion::STFTLossOptions options) {
            if (hops.size() != ffts.size() || lengths.size() != ffts.size()) {
                throw UsageError("fft_sizes, hop_sizes and win_lengths must have one number for each resolution");
            }
            std::vector<criterion::STFTLossOptions> resolutions;
            for (std::size_t i = 0; i < ffts.size(); ++i) {
                resolutions.push_back(options.fft_size(ffts[i]).hop_size(hops[i]).win_length(lengths[i]));
            }
            return std::make_shared<criterion::MultiResolutionSTFTLoss>(std::move(resolutions));
        },
        arg("fft_sizes") = Sizes{1024, 2048, 512}, arg("hop_sizes") = Sizes{120, 240, 50},
        arg("win_lengths") = Sizes{600, 1200, 240});
}

template <class Loss>
void add_adversarial_loss(Targets& targets, const std::string& name) {
    targets.add_function<LossPointer>(
        name, constructor<bool, std::string>(arg("average_by_discriminators") = true, arg("loss_type") = "mse"),
        [](bool average_by_discriminators, const std::string& loss_type) -> LossPointer {
            return std::make_shared<Loss>(average_by_discriminators, adversarial_loss_types.mode(loss_type));
        });
}

/// The same for one discriminator (`gan`, `lsgan`) and for lists of them (`hifigan`), as in Audyn.
AUDYN_INLINE void add_adversarial_losses(Targets& targets) {
    for (const char* const name :
         {"audyn.criterion.gan.DiscriminatorHingeLoss", "audyn.criterion.hifigan.DiscriminatorHingeLoss"}) {
        targets.add_function<LossPointer>(
            name,
            constructor<bool, double, std::string>(arg("minimize"), arg("margin") = 1.0, arg("reduction") = "mean"),
            [](bool minimize, double margin, const std::string& text) -> LossPointer {
                return std::make_shared<criterion::DiscriminatorHingeLoss>(minimize, margin, reduction(text));
            });
    }
    for (const char* const name : {"audyn.criterion.lsgan.MSELoss", "audyn.criterion.hifigan.MSELoss"}) {
        targets.add_function<LossPointer>(
            name, constructor<double, std::string>(arg("target"), arg("reduction") = "mean"),
            [](double target, const std::string& text) -> LossPointer {
                return std::make_shared<criterion::LeastSquaresLoss>(target, reduction(text));
            });
    }
    targets.add_function<LossPointer>(
        "audyn.criterion.hifigan.FeatureMatchingLoss", constructor<>(),
        []() -> LossPointer { return std::make_shared<criterion::FeatureMatchingLoss>(); });
    add_adversarial_loss<criterion::GeneratorAdversarialLoss>(targets,
                                                              "parallel_wavegan.losses.GeneratorAdversarialLoss");
    add_adversarial_loss<criterion::DiscriminatorAdversarialLoss>(
        targets, "parallel_wavegan.losses.DiscriminatorAdversarialLoss");
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_audyn_losses(Targets& targets) {
    detail::add_si_sdr<criterion::SISDR>(targets, "audyn.criterion.sdr.SISDR");
    detail::add_si_sdr<criterion::NegSISDR>(targets, "audyn.criterion.sdr.NegSISDR");
    detail::add_pit_neg_si_sdr(targets);
    detail::add_multi_scale_spectral_loss(targets);
    detail::add_mel_spectrogram_loss(targets);
    detail::add_stft_losses(targets);
    detail::add_adversarial_losses(targets);
}

} // namespace audyn::adapter
