#pragma once

#include <audyn/logging/append_file.hpp>
#include <audyn/logging/crc32c.hpp>
#include <audyn/logging/logger.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>

namespace audyn::logging {

namespace detail {

/// Writes the few field kinds of protobuf that an event needs.
class ProtobufWriter {
public:
    void varint(int field, uint64_t value) {
        tag(field, 0);
        raw_varint(value);
    }
    void fixed64(int field, double value) {
        tag(field, 1);
        raw_fixed(std::bit_cast<uint64_t>(value), 8);
    }
    void fixed32(int field, float value) {
        tag(field, 5);
        raw_fixed(std::bit_cast<uint32_t>(value), 4);
    }
    /// A string or a message.
    void bytes(int field, std::string_view value) {
        tag(field, 2);
        raw_varint(value.size());
        text_ += value;
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    void tag(int field, int kind) { raw_varint(static_cast<uint64_t>(field << 3 | kind)); }
    void raw_varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7) {
            text_ += static_cast<char>(value | 0x80);
        }
        text_ += static_cast<char>(value);
    }
    void raw_fixed(uint64_t value, int size) {
        for (int i = 0; i < size; ++i) {
            text_ += static_cast<char>(value >> (8 * i));
        }
    }

    std::string text_;
};

/// A record of a TFRecord file: length, its checksum, content, its checksum; little-endian.
[[nodiscard]] inline std::string tfrecord(std::string_view content) {
    std::string record;
    const auto put = [&record](uint64_t value, int size) {
        for (int i = 0; i < size; ++i) {
            record += static_cast<char>(value >> (8 * i));
        }
    };
    put(content.size(), 8);
    put(masked_crc32c(record), 4);
    record += content;
    put(masked_crc32c(content), 4);
    return record;
}

} // namespace detail

/// Scalars as TensorBoard reads them: an event file in a folder, written without protobuf. A resumed run adds a new
/// file to the same folder, which TensorBoard joins with the earlier ones. Values are stored in single precision,
/// as the format has it. Flushes itself about every ten seconds, so that a run can be watched.
class TensorBoardLogger : public Logger {
public:
    /// Creates `folder` and in it `events.out.tfevents.<seconds>.<host>.<process>.<n>`. \throws Error
    explicit TensorBoardLogger(const std::filesystem::path& folder) : file_(unused_name(folder)) {
        detail::ProtobufWriter event;
        event.fixed64(wall_time_field, now());
        event.bytes(file_version_field, "brain.Event:2");
        file_.append(detail::tfrecord(event.text()));
        file_.flush();
    }

    [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

    void log_scalars(std::span<const Scalar> scalars, int64_t step) override {
        if (scalars.empty()) {
            return;
        }
        detail::ProtobufWriter summary;
        for (const Scalar& scalar : scalars) {
            detail::ProtobufWriter value;
            value.bytes(tag_field, scalar.tag);
            value.fixed32(simple_value_field, static_cast<float>(scalar.value));
            summary.bytes(value_field, value.text());
        }
        const double time = now();
        detail::ProtobufWriter event;
        event.fixed64(wall_time_field, time);
        event.varint(step_field, static_cast<uint64_t>(step));
        event.bytes(summary_field, summary.text());
        file_.append(detail::tfrecord(event.text()));
        if (time - last_flush_ >= flush_interval) {
            flush();
        }
    }

    void flush() override {
        file_.flush();
        last_flush_ = now();
    }

private:
    // Field numbers of tensorflow.Event, tensorflow.Summary and tensorflow.Summary.Value.
    static constexpr int wall_time_field = 1;
    static constexpr int step_field = 2;
    static constexpr int file_version_field = 3;
    static constexpr int summary_field = 5;
    static constexpr int value_field = 1;
    static constexpr int tag_field = 1;
    static constexpr int simple_value_field = 2;
    static constexpr double flush_interval = 10.0; // seconds

    static double now() {
        return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    }

    /// TensorBoard orders the files of a folder by name, hence the time in ten digits.
    static std::filesystem::path unused_name(const std::filesystem::path& folder) {
        std::array<char, 256> host{};
        if (::gethostname(host.data(), host.size() - 1) != 0) {
            host = {"localhost"};
        }
        std::array<char, 32> seconds{};
        std::snprintf(seconds.data(), seconds.size(), "%010lld", static_cast<long long>(now()));
        const std::string stem = std::string("events.out.tfevents.") + seconds.data() + "." + host.data() + "." +
                                 std::to_string(::getpid()) + ".";
        for (int i = 0;; ++i) {
            std::filesystem::path path = folder / (stem + std::to_string(i));
            if (!std::filesystem::exists(path)) {
                return path;
            }
        }
    }

    AppendFile file_;
    double last_flush_ = now();
};

} // namespace audyn::logging
