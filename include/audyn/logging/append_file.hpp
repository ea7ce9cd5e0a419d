#pragma once

#include <audyn/core/file.hpp>

#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <unistd.h>

namespace audyn::logging {

/// A file that only grows, through a buffer. What a failed write left half-done is cut off again, so that the file
/// holds whole records whatever happens.
class AppendFile {
public:
    /// Opens or creates `path` and its folder. \throws Error
    explicit AppendFile(const std::filesystem::path& path) : file_(open(path)), size_(file_.size()) {}
    AppendFile(const AppendFile&) = delete;
    AppendFile& operator=(const AppendFile&) = delete;
    /// Writes what is left in the buffer; a failure here is lost, see `flush`.
    ~AppendFile();

    [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }
    /// In bytes, with what is still in the buffer.
    [[nodiscard]] uint64_t size() const { return size_ + buffer_.size(); }

    /// Adds a whole record. \throws Error when the buffer was full and could not be written.
    void append(std::string_view record);

    /// Writes the buffer. \throws Error; the records stay in the buffer.
    void flush();

private:
    static core::File open(const std::filesystem::path& path);

    static constexpr std::size_t buffer_limit = 64 * 1024;

    core::File file_;
    uint64_t size_;
    std::string buffer_;
};

} // namespace audyn::logging

#ifndef AUDYN_COMPILED
#    include <audyn/logging/append_file.ipp>
#endif
