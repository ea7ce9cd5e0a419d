#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/logging/append_file.hpp>
#include <audyn/logging/logger.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace audyn::logging {

namespace detail {

/// Writes the few field kinds of protobuf that an event needs.
class ProtobufWriter {
public:
    void varint(int field, uint64_t value);
    void fixed64(int field, double value);
    void fixed32(int field, float value);
    /// A string or a message.
    void bytes(int field, std::string_view value);
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    void tag(int field, int kind) { raw_varint(static_cast<uint64_t>(field << 3 | kind)); }
    void raw_varint(uint64_t value);
    void raw_fixed(uint64_t value, int size);

    std::string text_;
};

/// A record of a TFRecord file: length, its checksum, content, its checksum; little-endian.
[[nodiscard]] AUDYN_INLINE std::string tfrecord(std::string_view content);

} // namespace detail

/// Scalars as TensorBoard reads them: an event file in a folder, written without protobuf. A resumed run adds a new
/// file to the same folder, which TensorBoard joins with the earlier ones; before that it takes back the events after
/// its checkpoint, from files that this class wrote only. Values are stored in single precision, as the format has it.
/// Flushes itself about every ten seconds, so that a run can be watched.
class TensorBoardLogger : public Logger {
public:
    /// Creates `folder` and in it `events.out.tfevents.<seconds>.<host>.<process>.<n>`. \throws Error
    explicit TensorBoardLogger(const std::filesystem::path& folder);

    [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

    AUDYN_INLINE void log_scalars(std::span<const Scalar> scalars, int64_t step) override;

    AUDYN_INLINE void flush() override;

    [[nodiscard]] AUDYN_INLINE StateDict state_dict() const override;
    AUDYN_INLINE void load_state_dict(const StateDict& state) override;
    AUDYN_INLINE void restart() override;

private:
    // Field numbers of tensorflow.Event, tensorflow.Summary and tensorflow.Summary.Value.
    static constexpr int wall_time_field = 1;
    static constexpr int step_field = 2;
    static constexpr int file_version_field = 3;
    static constexpr int summary_field = 5;
    static constexpr int source_metadata_field = 10;
    static constexpr int writer_field = 1;
    static constexpr int value_field = 1;
    static constexpr int tag_field = 1;
    static constexpr int simple_value_field = 2;
    static constexpr double flush_interval = 10.0; // seconds

    static double now();

    /// TensorBoard orders the files of a folder by name, hence the time in ten digits.
    static std::filesystem::path unused_name(const std::filesystem::path& folder);

    /// What every file of this class begins with.
    [[nodiscard]] static std::string first_record();
    /// Files of this class in the folder, this logger's excepted.
    [[nodiscard]] std::vector<std::filesystem::path> other_files() const;
    /// Cuts the other files to the sizes that `earlier_` names, and removes those that it does not.
    void cut_other_files() const;

    AppendFile file_;
    /// The other files of this run, and how many bytes of them belong to it.
    std::map<std::string, uint64_t> earlier_;
    double last_flush_ = now();
};

} // namespace audyn::logging

#ifndef AUDYN_COMPILED
#    include <audyn/logging/tensorboard.ipp>
#endif
