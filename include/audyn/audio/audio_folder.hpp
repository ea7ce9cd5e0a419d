#pragma once

#include <audyn/audio/audio_file.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/dataset.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace audyn::audio {

/// Which part of a file that is longer than the segment is taken.
enum class Crop { start, center, random };

/// Options of an `AudioFolderDataset`, set one after the other.
class AudioFolderOptions {
public:
    /// Frames of each sample: longer files are cropped, shorter ones get zeros at their end. Unset, a sample is a whole
    /// file, and only files of equal length can be collated.
    AudioFolderOptions& segment_length(int64_t value) { return set(segment_length_, value); }
    /// Which part of a longer file is taken; `random` draws another in each epoch.
    AudioFolderOptions& crop(Crop value) { return set(crop_, value); }
    /// The sample rate that every file must have, in Hz.
    AudioFolderOptions& sample_rate(int64_t value) { return set(sample_rate_, value); }

    [[nodiscard]] std::optional<int64_t> segment_length() const { return segment_length_; }
    [[nodiscard]] Crop crop() const { return crop_; }
    [[nodiscard]] std::optional<int64_t> sample_rate() const { return sample_rate_; }

private:
    template <class T, class U>
    AudioFolderOptions& set(T& option, U value) {
        option = value;
        return *this;
    }

    std::optional<int64_t> segment_length_;
    Crop crop_ = Crop::start;
    std::optional<int64_t> sample_rate_;
};

/// The WAV and FLAC files of a folder that has one folder for each class, which may have folders in turn. A sample is
/// "waveform": float32 (channels, frames); "label": int64, the position of the class among the sorted names of the
/// folders; "filename": the path below the root. Files are sorted by path; nothing of them is read before `get`.
class AudioFolderDataset : public data::Dataset {
public:
    /// \throws DataError that names the folder when it is missing, unreadable or has no audio.
    explicit AudioFolderDataset(std::filesystem::path root, AudioFolderOptions options = {});

    [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(files_.size()); }

    [[nodiscard]] AUDYN_INLINE data::Sample get(int64_t index, data::Random& random) const override;

    /// With a segment length the files are decoded into the batch: "waveform" (batch, channels, segment_length).
    [[nodiscard]] AUDYN_INLINE std::optional<data::Batch> get_batch(std::span<const int64_t> indices,
                                                                    const data::BatchRandom& random) const override;

    [[nodiscard]] std::string sample_name(int64_t index) const override { return path(index).string(); }

    /// The names of the class folders, sorted; a label is a position here.
    [[nodiscard]] const std::vector<std::string>& class_names() const { return class_names_; }
    /// The label of sample `index`, without reading it.
    [[nodiscard]] int64_t label(int64_t index) const { return file(index).label; }
    /// The file of sample `index`.
    [[nodiscard]] std::filesystem::path path(int64_t index) const { return root_ / file(index).name; }

private:
    struct File {
        std::string name;
        int64_t label;
    };

    void scan();

    static bool is_audio(const std::filesystem::path& path);

    [[nodiscard]] const File& file(int64_t index) const;

    [[nodiscard]] AudioFile open(int64_t index) const;

    /// Fills `length` frames of each channel at `target`.
    void read_segment(AudioFile& audio, float* target, int64_t length, data::Random& random) const;

    std::filesystem::path root_;
    AudioFolderOptions options_;
    std::vector<std::string> class_names_;
    std::vector<File> files_;
};

} // namespace audyn::audio

#ifndef AUDYN_COMPILED
#    include <audyn/audio/audio_folder.ipp>
#endif
