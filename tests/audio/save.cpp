#include "../temporary_folder.hpp"

#include <audyn/adapter/audio.hpp>
#include <audyn/audio/audio_file.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <iterator>
#include <string>

using namespace audyn::audio;

namespace {

at::Tensor waveform() {
    return at::linspace(-0.9, 0.9, 2000).view({2, 1000});
}

} // namespace

TEST_CASE("audio files are written as they are read") {
    const TemporaryFolder folder;
    save(folder / "float.wav", waveform(), 16000);
    const Audio whole = load(folder / "float.wav");
    CHECK(whole.sample_rate == 16000);
    CHECK(at::equal(whole.waveform, waveform()));

    save(folder / "mono.flac", waveform()[0].to(at::kBFloat16), 8000);
    CHECK(at::allclose(load(folder / "mono.flac").waveform, waveform()[0].to(at::kBFloat16).to(at::kFloat).unsqueeze(0),
                       0.0, 1.0 / (1 << 23)));

    save(folder / "short.wav", waveform(), 8000, {.bits_per_sample = 16});
    const at::Tensor rounded = load(folder / "short.wav").waveform;
    CHECK(at::allclose(rounded, waveform(), 0.0, 1.0 / (1 << 15)));
    CHECK(std::filesystem::file_size(folder / "short.wav") < 5000);
}

TEST_CASE("loud samples clip, and do not wrap around") {
    const TemporaryFolder folder;
    save(folder / "loud.wav", at::full({10}, 1.5), 8000, {.bits_per_sample = 16});
    CHECK(load(folder / "loud.wav").waveform.min().item<float>() > 0.999F);
}

TEST_CASE("what is no audio is not written, and the file of before stays") {
    const TemporaryFolder folder;
    save(folder / "a.wav", waveform(), 8000);
    CHECK_THROWS_AS(save(folder / "a.wav", at::full({10}, std::nan("")), 8000), audyn::DataError);
    CHECK_THROWS_AS(save(folder / "a.wav", at::ones({1, 2, 3}), 8000), audyn::DataError);
    CHECK_THROWS_AS(save(folder / "a.wav", at::ones({2000, 3}), 8000), audyn::UsageError); // (frames, channels)
    CHECK_THROWS_WITH_AS(save(folder / "a.ogg", waveform(), 8000), doctest::Contains(".wav and .flac"),
                         audyn::UsageError);
    CHECK_THROWS_AS(save(folder / "a.flac", waveform(), 8000, {.bits_per_sample = 32}), audyn::UsageError);
    CHECK(at::equal(load(folder / "a.wav").waveform, waveform()));
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()) ==
          1);
}

TEST_CASE("test.output names audio files and what becomes of them") {
    const TemporaryFolder folder;
    audyn::Targets targets;
    targets.add_function<audyn::trainer::OutputTransform>(
        "Half", audyn::constructor<double>(audyn::arg("factor") = 0.5), [](double factor) {
            return audyn::trainer::OutputTransform([factor](const at::Tensor& value) { return value * factor; });
        });
    const auto files = [&](const std::string& text) {
        return audyn::adapter::output_files(audyn::config::config_from_yaml(text, "test.yaml"), targets);
    };
    const std::string audio = "audio: {sample_rate: 8000, key_mapping: {inference: {output: {estimate: '{name}.wav'}}}";
    CHECK_THROWS_WITH_AS(files(audio + "}"), doctest::Contains("add_audio_targets"), audyn::ConfigError);
    audyn::add_audio_targets(targets);
    const auto made = files(audio + ", transforms: {inference: {output: {estimate: {_target_: Half}}}}}");
    REQUIRE(made.size() == 1);
    made[0].write(folder / "x.wav", made[0].transform(waveform()));
    CHECK(at::equal(load(folder / "x.wav").waveform, waveform() * 0.5));
    const auto short_files = files(audio + ", writer: {_target_: audyn.AudioFile, bits_per_sample: 16}}");
    short_files[0].write(folder / "y.wav", waveform());
    CHECK(std::filesystem::file_size(folder / "y.wav") < 5000);

    CHECK(files("{audio: null, torch_dump: {key_mapping: {reference: {a: '{name}.pth', b: null}}}}").size() == 1);
    CHECK_THROWS_WITH_AS(files(audio + ", transforms: {output: {estimat: {_target_: Half}}}}"),
                         doctest::Contains("'estimat'"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(files("{video: {}}"), doctest::Contains("unknown key 'video'"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(files("{audio: {sample_rate: null, key_mapping: {output: {a: '{name}.wav'}}}}"),
                         doctest::Contains("sample rate"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(files("{torch_dump: {key_mapping: {output: {a: '{.pth'}}}}"), doctest::Contains("brace"),
                         audyn::ConfigError);
}
