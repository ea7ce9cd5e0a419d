#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/logging/append_file.hpp>

namespace audyn::logging {

AUDYN_INLINE AppendFile::~AppendFile() {
    try {
        flush();
    } catch (const Error&) {
    }
}

AUDYN_INLINE void AppendFile::append(std::string_view record) {
    buffer_ += record;
    if (buffer_.size() >= buffer_limit) {
        flush();
    }
}

AUDYN_INLINE void AppendFile::flush() {
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

AUDYN_INLINE core::File AppendFile::open(const std::filesystem::path& path) {
    core::create_folders(path.parent_path());
    return {path, O_WRONLY | O_CREAT | O_APPEND};
}

} // namespace audyn::logging
