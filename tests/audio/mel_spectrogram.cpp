#include <audyn/audio/mel_spectrogram.hpp>
#include <audyn/audio/mu_law.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <optional>
#include <string>
#include <vector>

using namespace audyn::audio;

namespace {

/// What torchaudio gave: tests/oracle/mel_spectrogram.py.
const nlohmann::json& recorded() {
    static const nlohmann::json values =
        nlohmann::json::parse(std::ifstream(AUDYN_TEST_DATA_DIR "/audio/data/mel_spectrogram.json"));
    return values;
}

at::Tensor chirp() {
    const at::Tensor time = at::arange(1200, at::kDouble);
    const at::Tensor first = (0.02 * time + 0.001 * time * time).sin();
    const at::Tensor second = 0.3 * (1.7 * time).cos() + 0.1 * (0.5 * time).sin();
    return at::stack({first, second}).to(at::kFloat);
}

void check_equal(const at::Tensor& result, const nlohmann::json& expected) {
    CHECK(result.sizes().vec() == expected.at("shape").get<std::vector<int64_t>>());
    const at::Tensor values = result.to(at::kDouble).flatten();
    const at::Tensor every_7th = at::tensor(expected.at("every_7th").get<std::vector<double>>());
    CHECK(at::allclose(values.slice(0, 0, {}, 7), every_7th, 1e-4, 1e-4));
    CHECK(values.sum().item<double>() == doctest::Approx(expected.at("sum").get<double>()).epsilon(1e-4));
    CHECK(values.square().sum().item<double>() ==
          doctest::Approx(expected.at("square_sum").get<double>()).epsilon(1e-4));
}

void check_mel(const char* name, const SpectrogramOptions& spectrogram, const MelScaleOptions& mel_scale) {
    CAPTURE(name);
    MelSpectrogram transform(spectrogram, mel_scale);
    check_equal(transform(chirp()), recorded().at("mel").at(name));
}

} // namespace

TEST_CASE("mel_spectrogram: equal to torchaudio's") {
    check_mel("default", {}, {});
    check_mel("speech", SpectrogramOptions().n_fft(256).hop_length(160),
              MelScaleOptions().sample_rate(8000).n_mels(40));
    check_mel("slaney", SpectrogramOptions().n_fft(512).win_length(400).hop_length(200),
              MelScaleOptions()
                  .sample_rate(22050)
                  .n_mels(20)
                  .f_min(50.0)
                  .f_max(7600.0)
                  .norm(MelNorm::slaney)
                  .mel_scale(MelScaleType::slaney));
    check_mel("magnitude", SpectrogramOptions().n_fft(128).win_length(100).hop_length(64).power(1.0).center(false),
              MelScaleOptions().sample_rate(8000).n_mels(10));
    check_mel("constant", SpectrogramOptions().n_fft(101).hop_length(50).power(1.5).pad_mode("constant"),
              MelScaleOptions().sample_rate(8000).n_mels(8));
}

TEST_CASE("mel_spectrogram: the complex spectrum") {
    Spectrogram transform(SpectrogramOptions().n_fft(64).hop_length(32).power(std::nullopt));
    check_equal(at::view_as_real(transform(chirp())), recorded().at("complex"));
}

TEST_CASE("mel_spectrogram: any leading dimensions") {
    MelSpectrogram transform(SpectrogramOptions().n_fft(64), MelScaleOptions().n_mels(5));
    const at::Tensor waveform = chirp();
    const at::Tensor expected = transform(waveform);
    CHECK(at::equal(transform(waveform[1]), expected[1]));
    const at::Tensor batch = transform(waveform.view({2, 1, 1, 1200}));
    CHECK(batch.sizes() == at::IntArrayRef({2, 1, 1, 5, expected.size(-1)}));
    CHECK(at::equal(batch.view(expected.sizes()), expected));
}

TEST_CASE("mel_spectrogram: gradients flow to the waveform") {
    at::manual_seed(0);
    const at::Tensor waveform = chirp().to(at::kDouble).requires_grad_();
    for (const double power : {1.0, 2.0}) {
        MelSpectrogram transform(SpectrogramOptions().n_fft(64).power(power), MelScaleOptions().n_mels(5));
        transform->to(at::kDouble);
        waveform.mutable_grad() = at::Tensor();
        transform(waveform).sum().backward();
        const at::Tensor direction = at::randn_like(waveform);
        const double slope = (waveform.grad() * direction).sum().item<double>();
        const double step = 1e-6;
        const at::Tensor change = transform(waveform.detach() + step * direction).sum() -
                                  transform(waveform.detach() - step * direction).sum();
        CHECK(change.item<double>() / (2.0 * step) == doctest::Approx(slope).epsilon(1e-3));
    }
}

TEST_CASE("mel_spectrogram: buffers have torchaudio's names and follow the module") {
    MelSpectrogram transform;
    const auto buffers = transform->named_buffers();
    CHECK(buffers.keys() == std::vector<std::string>{"spectrogram.window", "mel_scale.fb"});
    CHECK(buffers["mel_scale.fb"].sizes() == at::IntArrayRef({201, 128}));
    CHECK(transform->parameters().empty());
    transform->to(at::kDouble);
    CHECK((transform(chirp().to(at::kDouble)).scalar_type() == at::kDouble));
}

TEST_CASE("mel_spectrogram: impossible options are refused") {
    CHECK_THROWS_AS(Spectrogram(SpectrogramOptions().n_fft(100).win_length(101)), audyn::UsageError);
    CHECK_THROWS_AS(Spectrogram(SpectrogramOptions().hop_length(0)), audyn::UsageError);
    CHECK_THROWS_AS(MelScale(MelScaleOptions().n_mels(0)), audyn::UsageError);
    CHECK_THROWS_AS(MelScale(MelScaleOptions().f_min(4000.0).f_max(4000.0)), audyn::UsageError);
}

TEST_CASE("mu_law: equal to torchaudio's, and inverse to each other") {
    const at::Tensor signal = at::linspace(-1.0, 1.0, 41);
    const at::Tensor encoded = mu_law_encode(signal);
    CHECK(at::equal(encoded, at::tensor(recorded().at("mu_law_encoding").get<std::vector<int64_t>>())));
    const at::Tensor decoded = mu_law_decode(encoded);
    CHECK((decoded.scalar_type() == at::kFloat));
    CHECK(at::allclose(decoded, at::tensor(recorded().at("mu_law_decoding").get<std::vector<float>>()), 1e-5, 1e-6));
    const at::Tensor every_code = at::arange(64);
    CHECK(at::equal(mu_law_encode(mu_law_decode(every_code, 64), 64), every_code));
}
