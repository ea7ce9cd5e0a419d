#pragma once

#include <audyn/adapter/generator.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/audio/audio_file.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace audyn::adapter {

/// Adds what writes audio files to the targets of a program: `audyn.AudioFile`, for `test.output.audio`.
inline void add_audio_targets(Targets& targets) {
    targets.add_function<AudioWriter>(
        "audyn.AudioFile", constructor<std::optional<int>>(arg("bits_per_sample") = std::optional<int>()),
        [](std::optional<int> bits_per_sample) -> AudioWriter {
            const audio::SaveOptions options{bits_per_sample};
            return [options](const std::filesystem::path& path, const at::Tensor& waveform, int64_t sample_rate) {
                audio::save(path, waveform, sample_rate, options);
            };
        });
}

} // namespace audyn::adapter

namespace audyn {
using adapter::add_audio_targets;
} // namespace audyn
