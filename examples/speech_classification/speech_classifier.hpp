#pragma once

#include <audyn/amp/autocast.hpp>
#include <audyn/audio/mel_spectrogram.hpp>
#include <audyn/core/names.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <optional>

/// Tells recordings of speech apart: log-mel bands, three convolutions over time, pooling, one linear layer.
class SpeechClassifierImpl : public torch::nn::Module {
public:
    SpeechClassifierImpl(int64_t num_classes, int64_t channels, double dropout, int64_t sample_rate)
        : mel_(register_module("mel", make_mel(sample_rate))),
          normalize_(register_module("normalize", torch::nn::BatchNorm1d(n_mels))),
          convolutions_(register_module("convolutions", torch::nn::Sequential())),
          dropout_(register_module("dropout", torch::nn::Dropout(dropout))),
          classify_(register_module("classify", torch::nn::Linear(4 * channels, num_classes))) {
        add_convolution(n_mels, channels, 1);
        add_convolution(channels, 2 * channels, 2);
        add_convolution(2 * channels, 2 * channels, 2);
    }

    /// (batch, 1, samples) to logits (batch, num_classes).
    torch::Tensor forward(const torch::Tensor& waveform) {
        const torch::Tensor features = convolutions_->forward(normalize_(log_mel(waveform.squeeze(1))));
        return classify_(dropout_(torch::cat({features.mean(-1), features.amax(-1)}, 1)));
    }

    static constexpr auto forward_arguments = audyn::names("waveform");

private:
    static constexpr int64_t n_mels = 40;
    static constexpr int64_t kernel_size = 5;

    static audyn::audio::MelSpectrogram make_mel(int64_t sample_rate) {
        using namespace audyn::audio;
        // Frames of 32 ms, one every 20 ms.
        return MelSpectrogram(SpectrogramOptions().n_fft(sample_rate * 32 / 1000).hop_length(sample_rate * 20 / 1000),
                              MelScaleOptions().sample_rate(sample_rate).n_mels(n_mels));
    }

    void add_convolution(int64_t in_channels, int64_t out_channels, int64_t stride) {
        convolutions_->push_back(torch::nn::Conv1d(torch::nn::Conv1dOptions(in_channels, out_channels, kernel_size)
                                                       .stride(stride)
                                                       .padding(kernel_size / 2)
                                                       .bias(false)));
        convolutions_->push_back(torch::nn::BatchNorm1d(out_channels));
        convolutions_->push_back(torch::nn::ReLU());
    }

    /// The front end learns nothing, and its range needs float32.
    torch::Tensor log_mel(const torch::Tensor& waveform) {
        constexpr double floor = 1e-5;
        const torch::NoGradGuard no_grad;
        const audyn::amp::AutocastGuard no_autocast(waveform.device().type(), std::nullopt, false);
        return mel_(waveform).add_(floor).log_();
    }

    audyn::audio::MelSpectrogram mel_;
    torch::nn::BatchNorm1d normalize_;
    torch::nn::Sequential convolutions_;
    torch::nn::Dropout dropout_;
    torch::nn::Linear classify_;
};
TORCH_MODULE(SpeechClassifier);
