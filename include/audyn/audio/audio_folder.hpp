#pragma once

#include <audyn/audio/audio_file.hpp>
#include <audyn/core/error.hpp>
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
    explicit AudioFolderDataset(std::filesystem::path root, AudioFolderOptions options = {})
        : root_(std::move(root)), options_(options) {
        if (options_.segment_length() && *options_.segment_length() < 1) {
            throw UsageError("segment_length must be at least 1, got " + std::to_string(*options_.segment_length()));
        }
        if (!std::filesystem::is_directory(root_)) {
            throw DataError("the data folder " + root_.string() +
                            (std::filesystem::exists(root_) ? " is not a folder" : " does not exist"));
        }
        try {
            scan();
        } catch (const std::filesystem::filesystem_error& error) {
            throw DataError("cannot list the data folder " + root_.string() + ": " + error.what());
        }
        if (files_.empty()) {
            throw DataError("the data folder " + root_.string() +
                            " has no WAV or FLAC files; it needs one folder for each class, with the files in it");
        }
    }

    [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(files_.size()); }

    [[nodiscard]] data::Sample get(int64_t index, data::Random& random) const override {
        AudioFile file = open(index);
        const AudioInfo& info = file.info();
        const int64_t length = options_.segment_length().value_or(info.num_frames);
        at::Tensor waveform = at::empty({info.num_channels, length}, at::kFloat);
        read_segment(file, waveform.mutable_data_ptr<float>(), length, random);
        return {{"waveform", std::move(waveform)},
                {"label", this->file(index).label},
                {"filename", this->file(index).name}};
    }

    /// With a segment length the files are decoded into the batch: "waveform" (batch, channels, segment_length).
    [[nodiscard]] std::optional<data::Batch> get_batch(std::span<const int64_t> indices,
                                                       const data::BatchRandom& random) const override {
        if (!options_.segment_length()) {
            return std::nullopt;
        }
        const auto size = static_cast<int64_t>(indices.size());
        const int64_t length = *options_.segment_length();
        int64_t channels = 0;
        at::Tensor waveform;
        at::Tensor label = at::empty({size}, at::kLong);
        std::vector<std::string> filename;
        filename.reserve(indices.size());
        for (std::size_t i = 0; i < indices.size(); ++i) {
            AudioFile audio = open(indices[i]);
            if (!waveform.defined()) {
                channels = audio.info().num_channels;
                waveform = at::empty({size, channels, length}, at::kFloat);
            } else if (audio.info().num_channels != channels) {
                audio.fail("has " + std::to_string(audio.info().num_channels) + " channels where " +
                           sample_name(indices[0]) + " has " + std::to_string(channels));
            }
            data::Random generator = random[i];
            read_segment(audio, waveform.mutable_data_ptr<float>() + static_cast<int64_t>(i) * channels * length,
                         length, generator);
            label.mutable_data_ptr<int64_t>()[i] = file(indices[i]).label;
            filename.push_back(file(indices[i]).name);
        }
        return data::Batch{
            {"waveform", std::move(waveform)}, {"label", std::move(label)}, {"filename", std::move(filename)}};
    }

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

    void scan() {
        for (const auto& entry : std::filesystem::directory_iterator(root_)) {
            if (entry.is_directory() && !entry.path().filename().string().starts_with('.')) {
                class_names_.push_back(entry.path().filename().string());
            }
        }
        std::sort(class_names_.begin(), class_names_.end());
        constexpr auto follow = std::filesystem::directory_options::follow_directory_symlink;
        for (std::size_t label = 0; label < class_names_.size(); ++label) {
            for (const auto& entry :
                 std::filesystem::recursive_directory_iterator(root_ / class_names_[label], follow)) {
                if (is_audio(entry.path()) && entry.is_regular_file()) {
                    files_.push_back({entry.path().lexically_relative(root_).string(), static_cast<int64_t>(label)});
                }
            }
        }
        std::sort(files_.begin(), files_.end(), [](const File& a, const File& b) {
            return std::pair(a.label, std::string_view(a.name)) < std::pair(b.label, std::string_view(b.name));
        });
    }

    static bool is_audio(const std::filesystem::path& path) {
        std::string extension = path.extension().string();
        std::transform(extension.begin(), extension.end(), extension.begin(),
                       [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
        return extension == ".wav" || extension == ".flac";
    }

    [[nodiscard]] const File& file(int64_t index) const {
        if (index < 0 || index >= size()) {
            throw DataError("sample " + std::to_string(index) + " does not exist: the data folder " + root_.string() +
                            " has " + std::to_string(size()) + " files");
        }
        return files_[static_cast<std::size_t>(index)];
    }

    [[nodiscard]] AudioFile open(int64_t index) const {
        AudioFile audio(path(index));
        if (options_.sample_rate() && audio.info().sample_rate != *options_.sample_rate()) {
            audio.fail("has a sample rate of " + std::to_string(audio.info().sample_rate) + " Hz where " +
                       std::to_string(*options_.sample_rate()) + " is needed");
        }
        return audio;
    }

    /// Fills `length` frames of each channel at `target`.
    void read_segment(AudioFile& audio, float* target, int64_t length, data::Random& random) const {
        const int64_t surplus = audio.info().num_frames - length;
        if (surplus > 0) {
            audio.seek(options_.crop() == Crop::random   ? random.integer(surplus + 1)
                       : options_.crop() == Crop::center ? surplus / 2
                                                         : 0);
        }
        const int64_t frames = std::min(length, audio.info().num_frames);
        audio.read(target, length, frames);
        for (int64_t channel = 0; channel < audio.info().num_channels; ++channel) {
            std::fill(target + channel * length + frames, target + (channel + 1) * length, 0.0F);
        }
    }

    std::filesystem::path root_;
    AudioFolderOptions options_;
    std::vector<std::string> class_names_;
    std::vector<File> files_;
};

} // namespace audyn::audio
