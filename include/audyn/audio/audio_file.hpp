#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <optional>
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

/// How `save` writes.
struct SaveOptions {
    /// 16, 24 or 32; nothing: 32-bit floating point in WAV, 24 bits in FLAC. 32 are for WAV alone.
    std::optional<int> bits_per_sample = {};
};

namespace detail {

/// The format of libsndfile that the name and the options mean. \throws UsageError
[[nodiscard]] inline int sound_format(const std::filesystem::path& path, const SaveOptions& options) {
    const std::string extension = path.extension().string();
    const bool is_flac = extension == ".flac";
    if (!is_flac && extension != ".wav") {
        throw UsageError(path.string() + ": audio is written to files .wav and .flac");
    }
    if (!options.bits_per_sample) {
        return is_flac ? SF_FORMAT_FLAC | SF_FORMAT_PCM_24 : SF_FORMAT_WAV | SF_FORMAT_FLOAT;
    }
    const int container = is_flac ? SF_FORMAT_FLAC : SF_FORMAT_WAV;
    switch (*options.bits_per_sample) {
    case 16:
        return container | SF_FORMAT_PCM_16;
    case 24:
        return container | SF_FORMAT_PCM_24;
    case 32:
        if (!is_flac) {
            return container | SF_FORMAT_PCM_32;
        }
        [[fallthrough]];
    default:
        throw UsageError(path.string() + ": bits_per_sample must be 16" + (is_flac ? " or 24" : ", 24 or 32") +
                         ", got " + std::to_string(*options.bits_per_sample));
    }
}

} // namespace detail

/// Writes `waveform`, (frames) or (channels, frames) of real numbers, to a WAV or FLAC file, by the extension;
/// torchaudio's `save`. Whole numbers of bits clip at [-1, 1]. The file appears at once or not at all;
/// nothing waits for the disk.
/// \throws UsageError for another extension or number of bits; DataError for another shape, or a value that is not
/// finite; Error when the file cannot be written.
inline void save(const std::filesystem::path& path, const at::Tensor& waveform, int64_t sample_rate,
                 const SaveOptions& options = {}) {
    const bool is_audio =
        (waveform.dim() == 1 || waveform.dim() == 2) && !waveform.is_complex() && waveform.numel() > 0;
    if (!is_audio || !at::isfinite(waveform).all().item<bool>()) {
        throw DataError(path.string() + ": audio needs finite real values, (frames) or (channels, frames)");
    }
    const at::Tensor channels = waveform.dim() == 1 ? waveform.unsqueeze(0) : waveform;
    const at::Tensor frames = channels.detach().t().to(at::kCPU, at::kFloat).contiguous();
    SF_INFO info{};
    info.samplerate = static_cast<int>(sample_rate);
    info.channels = static_cast<int>(frames.size(1));
    info.format = detail::sound_format(path, options);
    if (sf_format_check(&info) == 0) {
        throw UsageError(path.string() + ": this format cannot hold " + std::to_string(info.channels) +
                         " channels at " + std::to_string(sample_rate) + " Hz");
    }
    core::AtomicFile target(path, /*durable=*/false);
    SNDFILE* const file = sf_open_fd(target.file().descriptor(), SFM_WRITE, &info, SF_FALSE);
    if (file == nullptr) {
        throw Error("cannot write " + path.string() + ": " + sf_strerror(nullptr));
    }
    sf_command(file, SFC_SET_CLIPPING, nullptr, SF_TRUE);
    const sf_count_t written = sf_writef_float(file, frames.const_data_ptr<float>(), frames.size(0));
    const std::string reason = written == frames.size(0) ? "" : sf_strerror(file);
    if (sf_close(file) != 0 || !reason.empty()) {
        throw Error("cannot write " + path.string() + ": " + (reason.empty() ? "the disk is full" : reason));
    }
    target.commit();
}

} // namespace audyn::audio
