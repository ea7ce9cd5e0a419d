#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/logging/crc32c.hpp>
#include <audyn/logging/tensorboard.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

namespace audyn::logging::detail {

AUDYN_INLINE void ProtobufWriter::varint(int field, uint64_t value) {
    tag(field, 0);
    raw_varint(value);
}

AUDYN_INLINE void ProtobufWriter::fixed64(int field, double value) {
    tag(field, 1);
    raw_fixed(std::bit_cast<uint64_t>(value), 8);
}

AUDYN_INLINE void ProtobufWriter::fixed32(int field, float value) {
    tag(field, 5);
    raw_fixed(std::bit_cast<uint32_t>(value), 4);
}

AUDYN_INLINE void ProtobufWriter::bytes(int field, std::string_view value) {
    tag(field, 2);
    raw_varint(value.size());
    text_ += value;
}

AUDYN_INLINE void ProtobufWriter::raw_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        text_ += static_cast<char>(value | 0x80);
    }
    text_ += static_cast<char>(value);
}

AUDYN_INLINE void ProtobufWriter::raw_fixed(uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
        text_ += static_cast<char>(value >> (8 * i));
    }
}

AUDYN_INLINE std::string tfrecord(std::string_view content) {
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

} // namespace audyn::logging::detail

namespace audyn::logging {

AUDYN_INLINE TensorBoardLogger::TensorBoardLogger(const std::filesystem::path& folder) : file_(unused_name(folder)) {
    file_.append(first_record());
    file_.flush();
    for (const std::filesystem::path& file : other_files()) {
        earlier_.emplace(file.filename().string(), std::filesystem::file_size(file));
    }
}

AUDYN_INLINE void TensorBoardLogger::log_scalars(std::span<const Scalar> scalars, int64_t step) {
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

AUDYN_INLINE void TensorBoardLogger::flush() {
    file_.flush();
    last_flush_ = now();
}

AUDYN_INLINE StateDict TensorBoardLogger::state_dict() const {
    StateDict files;
    for (const auto& [name, size] : earlier_) {
        files.set(name, static_cast<int64_t>(size));
    }
    files.set(path().filename().string(), static_cast<int64_t>(file_.size()));
    return {{"tensorboard", path().parent_path().string()}, {"files", std::move(files)}};
}

AUDYN_INLINE void TensorBoardLogger::load_state_dict(const StateDict& state) {
    const state::Value* const folder = state.find("tensorboard");
    if (folder == nullptr || folder->as_string() != path().parent_path().string()) {
        return;
    }
    earlier_.clear();
    for (const auto& [name, size] : state.at("files").as_dict()) {
        earlier_.emplace(name.string(), static_cast<uint64_t>(size.as_int()));
    }
    cut_other_files();
}

AUDYN_INLINE void TensorBoardLogger::restart() {
    earlier_.clear();
    cut_other_files();
}

AUDYN_INLINE std::string TensorBoardLogger::first_record() {
    detail::ProtobufWriter writer;
    writer.bytes(writer_field, "audyn");
    detail::ProtobufWriter event;
    event.fixed64(wall_time_field, now());
    event.bytes(file_version_field, "brain.Event:2");
    event.bytes(source_metadata_field, writer.text());
    return detail::tfrecord(event.text());
}

AUDYN_INLINE std::vector<std::filesystem::path> TensorBoardLogger::other_files() const {
    const std::string own = first_record();
    constexpr std::size_t begin = 8 + 4 + 1 + 8; // length, its checksum, the field's tag, the time
    const std::size_t size = own.size() - begin - 4;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path().parent_path())) {
        std::string record(own.size(), '\0');
        if (entry.path() != path() && entry.is_regular_file() &&
            std::ifstream(entry.path(), std::ios::binary)
                .read(record.data(), static_cast<std::streamsize>(own.size())) &&
            record.compare(begin, size, own, begin, size) == 0) {
            files.push_back(entry.path());
        }
    }
    return files;
}

AUDYN_INLINE void TensorBoardLogger::cut_other_files() const {
    for (const std::filesystem::path& file : other_files()) {
        const auto kept = earlier_.find(file.filename().string());
        if (kept == earlier_.end()) {
            std::filesystem::remove(file);
        } else if (std::filesystem::file_size(file) > kept->second) {
            std::filesystem::resize_file(file, kept->second);
        }
    }
}

AUDYN_INLINE double TensorBoardLogger::now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

AUDYN_INLINE std::filesystem::path TensorBoardLogger::unused_name(const std::filesystem::path& folder) {
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

} // namespace audyn::logging
