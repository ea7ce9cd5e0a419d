#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

namespace audyn::core {

AUDYN_INLINE File::File(std::filesystem::path path, int flags) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), flags | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
        fail("cannot open");
    }
}

AUDYN_INLINE File& File::operator=(File&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

AUDYN_INLINE File::~File() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

AUDYN_INLINE uint64_t File::size() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) {
        fail("cannot read the size of");
    }
    return static_cast<uint64_t>(status.st_size);
}

AUDYN_INLINE void File::write(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::write(descriptor_, bytes, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            fail("cannot write");
        }
        bytes += written;
        size -= static_cast<std::size_t>(written);
    }
}

AUDYN_INLINE void File::write_at(const void* data, std::size_t size, uint64_t offset) {
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::pwrite(descriptor_, bytes, size, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            fail("cannot write");
        }
        bytes += written;
        offset += static_cast<uint64_t>(written);
        size -= static_cast<std::size_t>(written);
    }
}

AUDYN_INLINE void File::read_at(void* data, std::size_t size, uint64_t offset) const {
    auto* bytes = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t count = ::pread(descriptor_, bytes, size, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            fail("cannot read");
        }
        if (count == 0) {
            throw Error("cannot read " + path_.string() + ": the file ends too early");
        }
        bytes += count;
        offset += static_cast<uint64_t>(count);
        size -= static_cast<std::size_t>(count);
    }
}

AUDYN_INLINE void File::sync() {
    if (::fsync(descriptor_) != 0) {
        fail("cannot write");
    }
}

AUDYN_INLINE bool File::try_lock() {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    if (errno != EWOULDBLOCK) {
        fail("cannot lock");
    }
    return false;
}

AUDYN_INLINE void File::close() {
    if (::close(std::exchange(descriptor_, -1)) != 0) {
        fail("cannot write");
    }
}

AUDYN_INLINE void File::fail(std::string_view action) const {
    const int reason = errno;
    throw Error(std::string(action) + " " + path_.string() + ": " + std::strerror(reason));
}

AUDYN_INLINE void create_folders(const std::filesystem::path& folder, bool durable) {
    std::error_code reason;
    if (folder.empty() || std::filesystem::exists(folder, reason)) {
        return;
    }
    create_folders(folder.parent_path(), durable);
    if (!std::filesystem::create_directory(folder, reason) && reason) {
        throw Error("cannot create the folder " + folder.string() + ": " + reason.message());
    }
    if (durable) {
        sync_folder(folder.parent_path());
    }
}

AUDYN_INLINE AtomicFile::~AtomicFile() {
    if (!committed_) {
        ::unlink(file_.path().c_str());
    }
}

AUDYN_INLINE void AtomicFile::commit() {
    if (durable_) {
        file_.sync();
    }
    if (::rename(file_.path().c_str(), path_.c_str()) != 0) {
        const int reason = errno;
        throw Error("cannot replace " + path_.string() + ": " + std::strerror(reason));
    }
    committed_ = true;
    file_.close();
    if (durable_) {
        sync_folder(path_.parent_path());
    }
}

AUDYN_INLINE File AtomicFile::create_temporary(const std::filesystem::path& path, bool durable) {
    create_folders(path.parent_path(), durable);
    // Exclusive creation rather than mkstemp: the file gets the permissions that the umask gives any other.
    for (int attempt = 0;; ++attempt) {
        std::filesystem::path temporary = path;
        temporary += "." + std::to_string(::getpid()) + "-" + std::to_string(attempt) + ".tmp";
        if (attempt == max_attempts || !std::filesystem::exists(temporary)) {
            File file(std::move(temporary), O_RDWR | O_CREAT | O_EXCL);
            static_cast<void>(file.try_lock()); // Nobody else knows the name yet.
            return file;
        }
    }
}

} // namespace audyn::core

namespace audyn::core::detail {

AUDYN_INLINE bool is_temporary_name(std::string_view name, std::string_view prefix) {
    constexpr std::string_view suffix = ".tmp";
    const auto digits = [](std::string_view text) {
        return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    };
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) {
        return false;
    }
    name.remove_suffix(suffix.size());
    const std::size_t dash = name.rfind('-');
    const std::size_t dot = name.rfind('.', dash);
    return dash != name.npos && dot != name.npos && dot >= prefix.size() && digits(name.substr(dash + 1)) &&
           digits(name.substr(dot + 1, dash - dot - 1));
}

} // namespace audyn::core::detail

namespace audyn::core {

AUDYN_INLINE std::vector<std::filesystem::path> remove_leftovers(const std::filesystem::path& folder,
                                                                 std::string_view prefix) {
    std::vector<std::filesystem::path> removed;
    std::error_code reason;
    for (const auto& entry : std::filesystem::directory_iterator(folder.empty() ? "." : folder, reason)) {
        const std::string name = entry.path().filename().string();
        if (!detail::is_temporary_name(name, prefix)) {
            continue;
        }
        File file(folder / name, O_RDONLY);
        if (!file.try_lock()) {
            continue;
        }
        if (::unlink(file.path().c_str()) != 0) {
            file.fail("cannot remove");
        }
        removed.push_back(file.path());
    }
    return removed;
}

} // namespace audyn::core
