#pragma once

#include <audyn/checkpoint/zip_reader.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <utility>

namespace audyn::checkpoint {

AUDYN_INLINE ZipReader::ZipReader(const std::filesystem::path& path) : file_(path, O_RDONLY), file_size_(file_.size()) {
    read_directory(find_directory());
    check_overlaps();
}

AUDYN_INLINE auto ZipReader::find(std::string_view name) -> Record* {
    const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                        [this](std::size_t i, std::string_view n) { return records_[i].name < n; });
    return found != by_name_.end() && records_[*found].name == name ? &records_[*found] : nullptr;
}

AUDYN_INLINE void ZipReader::read(Record& record, void* target) {
    require_stored(record);
    auto* bytes = static_cast<char*>(target);
    uint32_t crc = 0;
    for (uint64_t done = 0; done < record.size;) {
        const auto piece = static_cast<std::size_t>(std::min<uint64_t>(piece_size, record.size - done));
        file_.read_at(bytes + done, piece, record.offset + done);
        crc = crc32(bytes + done, piece, crc);
        done += piece;
    }
    check(record, crc);
}

AUDYN_INLINE std::string ZipReader::read(Record& record) {
    std::string content(static_cast<std::size_t>(record.size), '\0');
    read(record, content.data());
    return content;
}

AUDYN_INLINE void ZipReader::verify_rest() {
    std::string piece;
    for (Record& record : records_) {
        if (record.is_verified) {
            continue;
        }
        require_stored(record);
        uint32_t crc = 0;
        for (uint64_t done = 0; done < record.size; done += piece.size()) {
            piece.resize(static_cast<std::size_t>(std::min<uint64_t>(piece_size, record.size - done)));
            file_.read_at(piece.data(), piece.size(), record.offset + done);
            crc = crc32(piece.data(), piece.size(), crc);
        }
        check(record, crc);
    }
}

AUDYN_INLINE void ZipReader::require_stored(const Record& record) const {
    if (record.is_compressed) {
        fail(record.name, "is compressed; PyTorch stores its records as they are");
    }
}

AUDYN_INLINE void ZipReader::fail(std::string_view record, const std::string& reason) const {
    throw CheckpointError(path().string() + ": the record '" + std::string(record) + "' " + reason);
}

AUDYN_INLINE uint64_t ZipReader::number(std::string_view bytes, std::size_t offset, std::size_t size) {
    uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[offset + i])) << (8 * i);
    }
    return value;
}

AUDYN_INLINE std::string ZipReader::bytes_at(uint64_t offset, uint64_t size) const {
    if (offset > file_size_ || size > file_size_ - offset) {
        fail("it is truncated or damaged: a part of it would lie beyond its end");
    }
    std::string bytes(static_cast<std::size_t>(size), '\0');
    file_.read_at(bytes.data(), bytes.size(), offset);
    return bytes;
}

AUDYN_INLINE auto ZipReader::find_directory() const -> Directory {
    check_beginning();
    const std::string end = file_size_ >= end_size ? bytes_at(file_size_ - end_size, end_size) : std::string();
    if (end.empty() || u32(end, 0) != detail::zip_end_signature || u16(end, 20) != 0) {
        fail("it is truncated or damaged: the end of the archive is missing");
    }
    Directory directory{u32(end, 16), u32(end, 12), u16(end, 10)};
    uint64_t directory_end = file_size_ - end_size;
    if (directory.offset == detail::zip_max32 || directory.size == detail::zip_max32 ||
        directory.count == detail::zip_max16) {
        directory = find_zip64_directory(directory_end);
    } else if (const auto with_zip64 = zip64_end_offset(directory_end)) {
        directory_end = *with_zip64; // both forms are there; the short one is complete
    }
    if (directory.size > directory_end || directory.offset != directory_end - directory.size) {
        fail("it is truncated or damaged: the archive's directory is not where it should be");
    }
    return directory;
}

AUDYN_INLINE void ZipReader::check_beginning() const {
    const std::string head = bytes_at(0, std::min<uint64_t>(file_size_, 4));
    if (head.empty()) {
        fail("the file is empty");
    }
    if (head.starts_with("\x80\x02\x8a\x0a")) {
        fail("it is no zip archive but in PyTorch's format from before 1.6");
    }
    if (head.size() == 4 && u32(head, 0) != detail::zip_local_signature) {
        fail("it is not a checkpoint: PyTorch's are zip archives, and this is something else");
    }
}

AUDYN_INLINE std::optional<uint64_t> ZipReader::zip64_end_offset(uint64_t end) const {
    if (end < zip64_locator_size + zip64_end_size) {
        return std::nullopt;
    }
    const std::string locator = bytes_at(end - zip64_locator_size, zip64_locator_size);
    if (u32(locator, 0) != detail::zip64_locator_signature) {
        return std::nullopt;
    }
    return u64(locator, 8);
}

AUDYN_INLINE auto ZipReader::find_zip64_directory(uint64_t& end) const -> Directory {
    const std::optional<uint64_t> offset = zip64_end_offset(end);
    const std::string record = offset ? bytes_at(*offset, zip64_end_size) : std::string();
    if (record.empty() || u32(record, 0) != detail::zip64_end_signature) {
        fail("it is truncated or damaged: the zip64 end of the archive is missing");
    }
    end = *offset;
    return {u64(record, 48), u64(record, 40), u64(record, 32)};
}

AUDYN_INLINE void ZipReader::read_directory(const Directory& directory) {
    const std::string bytes = bytes_at(directory.offset, directory.size);
    std::string_view rest = bytes;
    while (!rest.empty()) {
        rest.remove_prefix(read_entry(rest, directory.offset));
    }
    if (records_.size() != directory.count) {
        fail("it is damaged: the archive's directory has " + std::to_string(records_.size()) + " records and not " +
             std::to_string(directory.count));
    }
    by_name_.resize(records_.size());
    for (std::size_t i = 0; i < by_name_.size(); ++i) {
        by_name_[i] = i;
    }
    std::sort(by_name_.begin(), by_name_.end(),
              [this](std::size_t a, std::size_t b) { return records_[a].name < records_[b].name; });
    const auto twice = std::adjacent_find(by_name_.begin(), by_name_.end(), [this](std::size_t a, std::size_t b) {
        return records_[a].name == records_[b].name;
    });
    if (twice != by_name_.end()) {
        fail(records_[*twice].name, "exists twice");
    }
}

AUDYN_INLINE std::size_t ZipReader::read_entry(std::string_view rest, uint64_t directory_offset) {
    const std::size_t name_size = rest.size() < central_header_size ? 0 : u16(rest, 28);
    const std::size_t extra_size = rest.size() < central_header_size ? 0 : u16(rest, 30);
    const std::size_t length =
        central_header_size + name_size + extra_size + (rest.size() < central_header_size ? 0 : u16(rest, 32));
    if (rest.size() < length || u32(rest, 0) != detail::zip_central_signature) {
        fail("it is damaged: an entry of the archive's directory cannot be read");
    }
    Record record;
    record.name = rest.substr(central_header_size, name_size);
    record.crc = static_cast<uint32_t>(u32(rest, 16));
    // A TorchScript archive has compressed records too; which file it is shows later, so only reading refuses them.
    record.is_compressed = u16(rest, 10) != 0;
    uint64_t stored_size = u32(rest, 20);
    record.size = u32(rest, 24);
    uint64_t header_offset = u32(rest, 42);
    read_zip64_extra(record, rest.substr(central_header_size + name_size, extra_size),
                     {&record.size, &stored_size, &header_offset});
    if (!record.is_compressed && stored_size != record.size) {
        fail(record.name, "is damaged: it has two sizes");
    }
    record.size = stored_size;
    if ((u16(rest, 8) & encrypted_flag) != 0) {
        fail(record.name, "is encrypted");
    }
    place_content(record, header_offset, directory_offset);
    records_.push_back(std::move(record));
    return length;
}

AUDYN_INLINE void ZipReader::read_zip64_extra(const Record& record, std::string_view extra,
                                              const std::vector<uint64_t*>& fields) const {
    while (extra.size() >= 4) {
        const std::size_t size = u16(extra, 2);
        if (size > extra.size() - 4) {
            break;
        }
        std::string_view content = extra.substr(4, size);
        const bool is_zip64 = u16(extra, 0) == 1;
        for (uint64_t* field : fields) {
            if (is_zip64 && *field == detail::zip_max32 && content.size() >= 8) {
                *field = u64(content, 0);
                content.remove_prefix(8);
            }
        }
        extra.remove_prefix(4 + size);
    }
    for (const uint64_t* field : fields) {
        if (*field > file_size_ && !record.is_compressed) {
            fail(record.name, "is damaged: its size or place lies beyond the end of the file");
        }
    }
}

AUDYN_INLINE void ZipReader::place_content(Record& record, uint64_t header_offset, uint64_t directory_offset) {
    const std::string header = bytes_at(header_offset, local_header_size);
    if (u32(header, 0) != detail::zip_local_signature) {
        fail(record.name, "is damaged: its header is not where it should be");
    }
    const uint64_t name_size = u16(header, 26);
    const uint64_t extra_size = u16(header, 28);
    const std::string name = bytes_at(header_offset + local_header_size, name_size);
    if (name != record.name || (u16(header, 8) != 0) != record.is_compressed) {
        fail(record.name, "is damaged: its header says something else than the archive's directory");
    }
    if ((u16(header, 6) & descriptor_flag) == 0) {
        uint64_t size = u32(header, 22);
        uint64_t stored_size = u32(header, 18);
        const std::string extra = bytes_at(header_offset + local_header_size + name_size, extra_size);
        read_zip64_extra(record, extra, {&size, &stored_size});
        if (u32(header, 14) != record.crc || stored_size != record.size ||
            (size != record.size && !record.is_compressed)) {
            fail(record.name, "is damaged: its header says something else than the archive's directory");
        }
    }
    record.offset = header_offset + local_header_size + name_size + extra_size;
    if (record.offset > directory_offset || record.size > directory_offset - record.offset) {
        fail(record.name, "is damaged: its content would lie behind the archive's directory");
    }
}

AUDYN_INLINE void ZipReader::check_overlaps() const {
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (const Record& record : records_) {
        ranges.emplace_back(record.offset, record.offset + record.size);
    }
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i) {
        if (ranges[i].first < ranges[i - 1].second) {
            fail("it is damaged: records of the archive overlap");
        }
    }
}

AUDYN_INLINE void ZipReader::check(Record& record, uint32_t crc) const {
    if (crc != record.crc) {
        fail(record.name, "is damaged: its content does not have the checksum that was stored with it");
    }
    record.is_verified = true;
}

} // namespace audyn::checkpoint
