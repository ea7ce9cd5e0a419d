#pragma once

#include <audyn/core/error.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace audyn::audio {

/// What the header of an audio file says; torchaudio's `AudioMetaData`.
struct AudioInfo {
    int64_t sample_rate = 0;
    int64_t num_frames = 0;
    int64_t num_channels = 0;
};

/// A decoded file.
struct Audio {
    /// float32 in [-1, 1], (channels, frames).
    at::Tensor waveform;
    int64_t sample_rate = 0;
};

/// An open WAV or FLAC file (or another format that libsndfile reads). Every error is a DataError that names the file.
class AudioFile {
public:
    /// \throws DataError when the file is missing, is not audio, or is shorter than its header says.
    explicit AudioFile(std::filesystem::path path) : path_(std::move(path)) {
        const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) {
            fail(std::strerror(errno));
        }
        SF_INFO info{};
        // sf_open_fd closes the descriptor in any case.
        const std::string truncation = find_truncation(descriptor);
        file_.reset(sf_open_fd(descriptor, SFM_READ, &info, SF_TRUE));
        if (!file_) {
            fail(sf_strerror(nullptr));
        }
        if (!truncation.empty()) {
            fail(truncation);
        }
        info_ = {info.samplerate, info.frames, info.channels};
    }

    [[nodiscard]] const AudioInfo& info() const { return info_; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Goes to frame `frame`.
    void seek(int64_t frame) {
        if (frame != position_ && sf_seek(file_.get(), frame, SF_SEEK_SET) != frame) {
            fail("cannot go to frame " + std::to_string(frame) + " of " + std::to_string(info_.num_frames));
        }
        position_ = frame;
    }

    /// Reads `target.size() / num_channels` frames, the channels of a frame side by side.
    /// \throws DataError when the file ends before.
    void read_interleaved(std::span<float> target) {
        const auto frames = static_cast<int64_t>(target.size()) / info_.num_channels;
        const sf_count_t read = sf_readf_float(file_.get(), target.data(), frames);
        if (read != frames) {
            const bool failed = sf_error(file_.get()) != SF_ERR_NO_ERROR;
            fail("ends after " + std::to_string(position_ + std::max<int64_t>(read, 0)) + " of " +
                 std::to_string(info_.num_frames) + " frames" +
                 (failed ? std::string(": ") + sf_strerror(file_.get()) : ""));
        }
        position_ += frames;
    }

    /// Reads `frames` frames into `target`, one channel after the other: channel c begins at `target + c * stride`.
    void read(float* target, int64_t stride, int64_t frames) {
        if (info_.num_channels == 1) {
            read_interleaved({target, static_cast<std::size_t>(frames)});
            return;
        }
        std::vector<float> interleaved(static_cast<std::size_t>(frames * info_.num_channels));
        read_interleaved(interleaved);
        const float* source = interleaved.data();
        for (int64_t frame = 0; frame < frames; ++frame) {
            for (int64_t channel = 0; channel < info_.num_channels; ++channel) {
                target[channel * stride + frame] = *source++;
            }
        }
    }

    /// \throws DataError "<path>: <reason>".
    [[noreturn]] void fail(const std::string& reason) const { throw DataError(path_.string() + ": " + reason); }

private:
    struct Close {
        void operator()(SNDFILE* file) const { sf_close(file); }
    };

    /// What is wrong when the data chunk of a WAV file promises more bytes than the file has: libsndfile would give the
    /// shorter file without a word.
    static std::string find_truncation(int descriptor) {
        std::array<unsigned char, 256> header{};
        struct stat status {};
        const ssize_t read = ::pread(descriptor, header.data(), header.size(), 0);
        if (read < 12 || ::fstat(descriptor, &status) != 0 || std::memcmp(header.data(), "RIFF", 4) != 0 ||
            std::memcmp(header.data() + 8, "WAVE", 4) != 0) {
            return {};
        }
        int64_t chunk = 12;
        while (chunk + 8 <= status.st_size) {
            std::array<unsigned char, 8> name_and_size{};
            if (chunk + 8 <= read) {
                std::memcpy(name_and_size.data(), header.data() + chunk, 8);
            } else if (::pread(descriptor, name_and_size.data(), 8, chunk) != 8) {
                return {};
            }
            const int64_t size = little_endian(name_and_size.data() + 4);
            const int64_t present = status.st_size - chunk - 8;
            if (std::memcmp(name_and_size.data(), "data", 4) == 0) {
                // A recorder that writes to a pipe leaves the largest size.
                const bool unknown = size >= 0x7FFFF000;
                return size <= present || unknown ? std::string()
                                                  : "is truncated: its header promises " + std::to_string(size) +
                                                        " bytes of audio, it holds " + std::to_string(present);
            }
            chunk += 8 + size + (size & 1);
        }
        return "is truncated: it has no audio data";
    }

    static int64_t little_endian(const unsigned char* bytes) {
        return static_cast<int64_t>(bytes[0]) | static_cast<int64_t>(bytes[1]) << 8 |
               static_cast<int64_t>(bytes[2]) << 16 | static_cast<int64_t>(bytes[3]) << 24;
    }

    std::filesystem::path path_;
    std::unique_ptr<SNDFILE, Close> file_;
    AudioInfo info_;
    int64_t position_ = 0;
};

/// The header of `path`; torchaudio's `info`. \throws DataError that names the file.
[[nodiscard]] inline AudioInfo info(const std::filesystem::path& path) {
    return AudioFile(path).info();
}

/// Decodes `path` from frame `frame_offset` on, `num_frames` frames or, with -1, all that follow (fewer when the file
/// ends before); torchaudio's `load`. \throws DataError that names the file.
[[nodiscard]] inline Audio load(const std::filesystem::path& path, int64_t frame_offset = 0, int64_t num_frames = -1) {
    AudioFile file(path);
    const AudioInfo& info = file.info();
    if (frame_offset < 0 || frame_offset > info.num_frames || num_frames < -1) {
        file.fail("cannot read " + std::to_string(num_frames) + " frames from frame " + std::to_string(frame_offset) +
                  " on, it has " + std::to_string(info.num_frames) + " frames");
    }
    const int64_t rest = info.num_frames - frame_offset;
    const int64_t frames = num_frames < 0 ? rest : std::min(num_frames, rest);
    at::Tensor waveform = at::empty({info.num_channels, frames}, at::kFloat);
    file.seek(frame_offset);
    file.read(waveform.mutable_data_ptr<float>(), frames, frames);
    return {std::move(waveform), info.sample_rate};
}

} // namespace audyn::audio
