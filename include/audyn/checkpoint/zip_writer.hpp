#pragma once

#include <audyn/checkpoint/crc32.hpp>
#include <audyn/core/file.hpp>

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::checkpoint {

namespace detail {

/// Numbers as zip files hold them, little-endian, one after the other.
class ZipFields {
public:
    ZipFields& u16(uint64_t value) { return put(value, 2); }
    ZipFields& u32(uint64_t value) { return put(value, 4); }
    ZipFields& u64(uint64_t value) { return put(value, 8); }
    ZipFields& text(std::string_view value);
    [[nodiscard]] const std::string& bytes() const { return text_; }

private:
    ZipFields& put(uint64_t value, int size);
    std::string text_;
};

inline constexpr uint32_t zip_local_signature = 0x04034B50;
inline constexpr uint32_t zip_central_signature = 0x02014B50;
inline constexpr uint32_t zip_end_signature = 0x06054B50;
inline constexpr uint32_t zip64_end_signature = 0x06064B50;
inline constexpr uint32_t zip64_locator_signature = 0x07064B50;
inline constexpr uint64_t zip_max32 = std::numeric_limits<uint32_t>::max();
inline constexpr uint64_t zip_max16 = std::numeric_limits<uint16_t>::max();

} // namespace detail

/// Writes a zip archive as PyTorch does: every record stored (not compressed), its content aligned to 64 bytes so that
/// it can be mapped, zip64 where sizes or places need it. Content passes through once, from where it lies.
class ZipWriter {
public:
    /// \param file empty and open for writing; must live longer. \param folder first part of every record's name.
    /// \param zip64_from sizes and places that need zip64; smaller only for tests.
    ZipWriter(core::File& file, std::string folder, uint64_t zip64_from = detail::zip_max32);

    /// Takes `size` bytes of the disk at once: a disk that is too full says so before anything is written, and large
    /// files are written in half the time. \throws Error
    void reserve(uint64_t size);

    /// Lets the disk begin with what is written while the rest still comes, for files that will be synced at the end.
    void write_back_early() { writes_back_early_ = true; }

    /// Begins the record `name`, whose content of `size` bytes comes by `append`.
    void begin(std::string_view name, uint64_t size);

    /// Adds content to the record that was begun. It is checked and written in pieces that the last level of cache
    /// holds between.
    void append(const void* data, std::size_t size);

    /// Ends the record; exactly as many bytes came as were announced.
    void end();

    /// A whole record.
    void add(std::string_view name, std::string_view content);

    /// Writes the directory, after which the archive is complete.
    void finish();

private:
    struct Record {
        std::string name;
        uint64_t header_offset = 0;
        uint64_t size = 0;
        uint32_t crc = 0;
    };

    static constexpr uint64_t alignment = 64;
    // Below this the page cache costs more for each byte.
    static constexpr std::size_t piece_size = std::size_t{4} << 20;
    static constexpr uint64_t write_back_size = uint64_t{8} << 20;
    static constexpr uint64_t local_header_size = 30;
    static constexpr uint64_t crc_offset = 14;
    static constexpr uint64_t utf8_flag = 1 << 11;
    static constexpr uint64_t stored = 0;
    static constexpr uint64_t date_1980 = (1 << 5) | 1; // the first day that a zip file can name
    static constexpr uint64_t zip64_extra = 0x0001;
    static constexpr uint64_t padding_extra = 0x4246; // "FB"

    void write(const void* data, std::size_t size);

    void write_directory_entry(const Record& record);

    void write_end(uint64_t directory_begin, uint64_t directory_size);

    core::File& file_;
    std::string folder_;
    uint64_t zip64_from_;
    bool writes_back_early_ = false;
    uint64_t written_back_ = 0;
    uint64_t position_ = 0;
    uint64_t content_begin_ = 0;
    Record record_;
    std::vector<Record> records_;
};

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/zip_writer.ipp>
#endif
