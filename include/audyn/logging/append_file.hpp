#pragma once

#include <audyn/core/file.hpp>

#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

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
    ~AppendFile() {
        try {
            flush();
        } catch (const Error&) {
        }
    }

    [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

    /// Adds a whole record. \throws Error when the buffer was full and could not be written.
    void append(std::string_view record) {
        buffer_ += record;
        if (buffer_.size() >= buffer_limit) {
            flush();
        }
    }

    /// Writes the buffer. \throws Error; the records stay in the buffer.
    void flush() {
        if (buffer_.empty()) {
            return;
        }
        try {
            file_.write(buffer_.data(), buffer_.size());
        } catch (const Error&) {
            [[maybe_unused]] const int result = ::ftruncate(file_.descriptor(), static_cast<off_t>(size_));
            throw;
        }
        size_ += buffer_.size();
        buffer_.clear();
    }

private:
    static core::File open(const std::filesystem::path& path) {
        core::create_folders(path.parent_path());
        return {path, O_WRONLY | O_CREAT | O_APPEND};
    }

    static constexpr std::size_t buffer_limit = 64 * 1024;

    core::File file_;
    uint64_t size_;
    std::string buffer_;
};

} // namespace audyn::logging
