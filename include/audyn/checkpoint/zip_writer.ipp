#pragma once

#include <audyn/checkpoint/zip_writer.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace audyn::checkpoint::detail {

AUDYN_INLINE ZipFields& ZipFields::text(std::string_view value) {
    text_ += value;
    return *this;
}

AUDYN_INLINE ZipFields& ZipFields::put(uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
        text_ += static_cast<char>(value >> (8 * i));
    }
    return *this;
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE ZipWriter::ZipWriter(core::File& file, std::string folder, uint64_t zip64_from)
    : file_(file), folder_(std::move(folder)), zip64_from_(zip64_from) {}

AUDYN_INLINE void ZipWriter::reserve(uint64_t size) {
    if (size > 0 && ::fallocate(file_.descriptor(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) != 0 &&
        (errno == ENOSPC || errno == EDQUOT)) {
        file_.fail("cannot write");
    }
}

AUDYN_INLINE void ZipWriter::begin(std::string_view name, uint64_t size) {
    record_ = {folder_ + "/" + std::string(name), position_, size, 0};
    const bool is_large = size >= zip64_from_;
    const uint64_t extra_begin = position_ + local_header_size + record_.name.size() + (is_large ? 20 : 0);
    // The padding is a header field of its own kind, as in PyTorch, whose own header takes 4 bytes.
    const uint64_t padding = (alignment - (extra_begin + 4) % alignment) % alignment;

    detail::ZipFields header;
    header.u32(detail::zip_local_signature).u16(is_large ? 45 : 20).u16(utf8_flag).u16(stored).u16(0).u16(date_1980);
    header.u32(0); // the checksum, put here when it is known
    header.u32(is_large ? detail::zip_max32 : size).u32(is_large ? detail::zip_max32 : size);
    header.u16(record_.name.size()).u16((is_large ? 20 : 0) + 4 + padding).text(record_.name);
    if (is_large) {
        header.u16(zip64_extra).u16(16).u64(size).u64(size);
    }
    header.u16(padding_extra).u16(padding).text(std::string(padding, 'Z'));
    write(header.bytes().data(), header.bytes().size());
    content_begin_ = position_;
}

AUDYN_INLINE void ZipWriter::append(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
        const std::size_t piece = std::min(size, piece_size);
        record_.crc = crc32(bytes, piece, record_.crc);
        write(bytes, piece);
        bytes += piece;
        size -= piece;
    }
}

AUDYN_INLINE void ZipWriter::end() {
    if (position_ - content_begin_ != record_.size) {
        throw CheckpointError("the record '" + record_.name + "' was announced with " + std::to_string(record_.size) +
                              " bytes and got " + std::to_string(position_ - content_begin_));
    }
    detail::ZipFields crc;
    crc.u32(record_.crc);
    file_.write_at(crc.bytes().data(), crc.bytes().size(), record_.header_offset + crc_offset);
    records_.push_back(std::move(record_));
}

AUDYN_INLINE void ZipWriter::add(std::string_view name, std::string_view content) {
    begin(name, content.size());
    append(content.data(), content.size());
    end();
}

AUDYN_INLINE void ZipWriter::finish() {
    const uint64_t directory_begin = position_;
    for (const Record& record : records_) {
        write_directory_entry(record);
    }
    write_end(directory_begin, position_ - directory_begin);
}

AUDYN_INLINE void ZipWriter::write(const void* data, std::size_t size) {
    file_.write(data, size);
    position_ += size;
    if (writes_back_early_ && position_ - written_back_ >= write_back_size) {
        // Only a hint: whether the content arrives is what the sync at the end tells.
        static_cast<void>(::sync_file_range(file_.descriptor(), static_cast<off64_t>(written_back_),
                                            static_cast<off64_t>(position_ - written_back_), SYNC_FILE_RANGE_WRITE));
        written_back_ = position_;
    }
}

AUDYN_INLINE void ZipWriter::write_directory_entry(const Record& record) {
    const bool is_large = record.size >= zip64_from_;
    const bool is_far = record.header_offset >= zip64_from_;
    const uint64_t extra = (is_large || is_far) ? 4U + (is_large ? 16U : 0U) + (is_far ? 8U : 0U) : 0U;
    detail::ZipFields entry;
    entry.u32(detail::zip_central_signature).u16(45).u16(extra > 0 ? 45 : 20).u16(utf8_flag).u16(stored);
    entry.u16(0).u16(date_1980).u32(record.crc);
    entry.u32(is_large ? detail::zip_max32 : record.size).u32(is_large ? detail::zip_max32 : record.size);
    entry.u16(record.name.size()).u16(extra).u16(0).u16(0).u16(0).u32(0);
    entry.u32(is_far ? detail::zip_max32 : record.header_offset).text(record.name);
    if (extra > 0) {
        entry.u16(zip64_extra).u16(extra - 4);
    }
    if (is_large) {
        entry.u64(record.size).u64(record.size);
    }
    if (is_far) {
        entry.u64(record.header_offset);
    }
    write(entry.bytes().data(), entry.bytes().size());
}

AUDYN_INLINE void ZipWriter::write_end(uint64_t directory_begin, uint64_t directory_size) {
    const uint64_t count = records_.size();
    const bool is_large = count >= detail::zip_max16 || directory_begin >= zip64_from_ || directory_size >= zip64_from_;
    detail::ZipFields end;
    if (is_large) {
        end.u32(detail::zip64_end_signature).u64(44).u16(45).u16(45).u32(0).u32(0);
        end.u64(count).u64(count).u64(directory_size).u64(directory_begin);
        end.u32(detail::zip64_locator_signature).u32(0).u64(position_).u32(1);
    }
    const uint64_t short_count = is_large ? detail::zip_max16 : count;
    end.u32(detail::zip_end_signature).u16(0).u16(0).u16(short_count).u16(short_count);
    end.u32(is_large ? detail::zip_max32 : directory_size).u32(is_large ? detail::zip_max32 : directory_begin).u16(0);
    write(end.bytes().data(), end.bytes().size());
}

} // namespace audyn::checkpoint
