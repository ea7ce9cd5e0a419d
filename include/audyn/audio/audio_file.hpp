#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

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
    explicit AudioFile(std::filesystem::path path);

    [[nodiscard]] const AudioInfo& info() const { return info_; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Goes to frame `frame`.
    void seek(int64_t frame);

    /// Reads `target.size() / num_channels` frames, the channels of a frame side by side.
    /// \throws DataError when the file ends before.
    void read_interleaved(std::span<float> target);

    /// Reads `frames` frames into `target`, one channel after the other: channel c begins at `target + c * stride`.
    void read(float* target, int64_t stride, int64_t frames);

    /// \throws DataError "<path>: <reason>".
    [[noreturn]] void fail(const std::string& reason) const { throw DataError(path_.string() + ": " + reason); }

private:
    struct Close {
        void operator()(SNDFILE* file) const { sf_close(file); }
    };

    /// What is wrong when the data chunk of a WAV file promises more bytes than the file has: libsndfile would give the
    /// shorter file without a word.
    static std::string find_truncation(int descriptor);

    static int64_t little_endian(const unsigned char* bytes);

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
[[nodiscard]] AUDYN_INLINE Audio load(const std::filesystem::path& path, int64_t frame_offset = 0,
                                      int64_t num_frames = -1);

} // namespace audyn::audio

#ifndef AUDYN_COMPILED
#    include <audyn/audio/audio_file.ipp>
#endif
