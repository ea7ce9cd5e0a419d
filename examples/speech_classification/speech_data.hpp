#pragma once

#include <audyn/audio/audio_folder.hpp>
#include <audyn/core/error.hpp>
#include <audyn/data/subset.hpp>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

/// The recordings below `root`, which has one folder for each class; a seeded permutation gives a tenth of them to
/// validation. The part "train" has random crops of `duration` seconds, "validation" the same one in each epoch.
inline std::shared_ptr<audyn::Dataset> speech_dataset(const std::string& root, const std::string& part, double duration,
                                                      int64_t sample_rate, uint64_t seed) {
    using namespace audyn;
    if (part != "train" && part != "validation") {
        throw UsageError("part must be 'train' or 'validation', got '" + part + "'");
    }
    const bool training = part == "train";
    const auto all = std::make_shared<audio::AudioFolderDataset>(
        root, audio::AudioFolderOptions()
                  .sample_rate(sample_rate)
                  .segment_length(std::llround(duration * static_cast<double>(sample_rate)))
                  .crop(training ? audio::Crop::random : audio::Crop::center));
    return data::split(all, {0.9, 0.1}, seed)[training ? 0 : 1];
}
