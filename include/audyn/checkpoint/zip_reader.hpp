#pragma once

#include <audyn/checkpoint/crc32.hpp>
#include <audyn/checkpoint/zip_writer.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::checkpoint {

/// Reads a zip archive of stored records, as PyTorch and ZipWriter write it. The whole directory is checked when the
/// file is opened, the content of a record when it is read. Nothing in the file is trusted: all places and sizes must
/// lie inside it, and records may not overlap, so that no more memory is asked for than the file is long.
class ZipReader {
public:
    struct Record {
        std::string name;
        uint64_t offset = 0; // of the content
        uint64_t size = 0;
        uint32_t crc = 0;
        bool is_compressed = false;
        bool is_verified = false;
    };

    /// \throws CheckpointError that names the file and what is wrong with it.
    explicit ZipReader(const std::filesystem::path& path);

    [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }
    [[nodiscard]] const core::File& file() const { return file_; }
    [[nodiscard]] const std::vector<Record>& records() const { return records_; }

    /// The record `name`, or nullptr.
    [[nodiscard]] Record* find(std::string_view name);

    /// Reads the content to `target`, which has room for `record.size` bytes, and checks it.
    /// \throws CheckpointError when it is damaged.
    void read(Record& record, void* target);

    /// Reads the content of a small record.
    [[nodiscard]] std::string read(Record& record);

    /// Checks all records that were not read. \throws CheckpointError when one is damaged.
    void verify_rest();

    /// \throws CheckpointError when the content is not in the file as it is.
    void require_stored(const Record& record) const;

    /// \throws CheckpointError that names the file and the record.
    [[noreturn]] void fail(std::string_view record, const std::string& reason) const;
    /// \throws CheckpointError that names the file.
    [[noreturn]] void fail(const std::string& reason) const { throw CheckpointError(path().string() + ": " + reason); }

private:
    static constexpr std::size_t piece_size = 256 * 1024;
    static constexpr uint64_t end_size = 22;
    static constexpr uint64_t zip64_end_size = 56;
    static constexpr uint64_t zip64_locator_size = 20;
    static constexpr uint64_t central_header_size = 46;
    static constexpr uint64_t local_header_size = 30;
    static constexpr uint16_t encrypted_flag = 1;
    static constexpr uint16_t descriptor_flag = 1 << 3; // sizes and checksum stand behind the content, not before it

    struct Directory {
        uint64_t offset = 0;
        uint64_t size = 0;
        uint64_t count = 0;
    };

    static uint64_t number(std::string_view bytes, std::size_t offset, std::size_t size);
    static uint64_t u16(std::string_view bytes, std::size_t offset) { return number(bytes, offset, 2); }
    static uint64_t u32(std::string_view bytes, std::size_t offset) { return number(bytes, offset, 4); }
    static uint64_t u64(std::string_view bytes, std::size_t offset) { return number(bytes, offset, 8); }

    [[nodiscard]] std::string bytes_at(uint64_t offset, uint64_t size) const;

    /// PyTorch's archives end with the end record; there is no comment behind it.
    [[nodiscard]] Directory find_directory() const;

    void check_beginning() const;

    /// Where the zip64 end record begins, when a locator lies before `end`.
    [[nodiscard]] std::optional<uint64_t> zip64_end_offset(uint64_t end) const;

    /// Moves `end` to where the directory ends.
    [[nodiscard]] Directory find_zip64_directory(uint64_t& end) const;

    void read_directory(const Directory& directory);

    /// Reads the directory's entry at the beginning of `rest` and returns its length.
    std::size_t read_entry(std::string_view rest, uint64_t directory_offset);

    /// Replaces each of `fields` that stands at its 32-bit maximum by the 64-bit number of the zip64 header field.
    void read_zip64_extra(const Record& record, std::string_view extra, const std::vector<uint64_t*>& fields) const;

    /// Finds the content behind the record's own header, which must agree with the directory.
    void place_content(Record& record, uint64_t header_offset, uint64_t directory_offset);

    void check_overlaps() const;

    void check(Record& record, uint32_t crc) const;

    core::File file_;
    uint64_t file_size_;
    std::vector<Record> records_;
    std::vector<std::size_t> by_name_;
};

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/zip_reader.ipp>
#endif
