#pragma once

#include <audyn/core/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace audyn::core {

/// An open file whose every failure is an `Error` that names the path and the system's reason.
class File {
public:
    /// \param flags those of open(2). \throws Error
    File(std::filesystem::path path, int flags) : path_(std::move(path)) {
        descriptor_ = ::open(path_.c_str(), flags | O_CLOEXEC, 0666);
        if (descriptor_ < 0) {
            fail("cannot open");
        }
    }
    File(File&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] int descriptor() const { return descriptor_; }

    /// Size in bytes. \throws Error
    [[nodiscard]] uint64_t size() const {
        struct stat status {};
        if (::fstat(descriptor_, &status) != 0) {
            fail("cannot read the size of");
        }
        return static_cast<uint64_t>(status.st_size);
    }

    /// Writes all of `data` at the file's position. \throws Error
    void write(const void* data, std::size_t size) {
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

    /// Writes all of `data` at `offset`; the file's position stays. \throws Error
    void write_at(const void* data, std::size_t size, uint64_t offset) {
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

    /// Reads exactly `size` bytes from `offset`. \throws Error, also when the file ends before.
    void read_at(void* data, std::size_t size, uint64_t offset) const {
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

    /// Waits until the content has reached the disk. \throws Error
    void sync() {
        if (::fsync(descriptor_) != 0) {
            fail("cannot write");
        }
    }

    /// Locks the file against every other opening of it, until it is closed. False when it is locked already.
    /// \throws Error
    [[nodiscard]] bool try_lock() {
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        if (errno != EWOULDBLOCK) {
            fail("cannot lock");
        }
        return false;
    }

    /// Closes the file; some file systems report a failed write only here. \throws Error
    void close() {
        if (::close(std::exchange(descriptor_, -1)) != 0) {
            fail("cannot write");
        }
    }

    /// \throws Error "`action` PATH: REASON" with the reason of errno.
    [[noreturn]] void fail(std::string_view action) const {
        const int reason = errno;
        throw Error(std::string(action) + " " + path_.string() + ": " + std::strerror(reason));
    }

private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

/// Makes the names in `folder` durable. \throws Error
inline void sync_folder(const std::filesystem::path& folder) {
    File(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY).sync();
}

/// Makes `folder` and the folders above it, durably. Does nothing when it exists, or is empty. \throws Error
inline void create_folders(const std::filesystem::path& folder) {
    std::error_code reason;
    if (folder.empty() || std::filesystem::exists(folder, reason)) {
        return;
    }
    create_folders(folder.parent_path());
    if (!std::filesystem::create_directory(folder, reason) && reason) {
        throw Error("cannot create the folder " + folder.string() + ": " + reason.message());
    }
    sync_folder(folder.parent_path());
}

/// A new content for `path` that appears at once or not at all: written to a temporary file in the same folder, which
/// `commit` makes durable and renames. Without `commit` the temporary file is removed and an earlier file stays. When
/// the process dies first, `remove_leftovers` finds it: the file is locked while it is being written.
class AtomicFile {
public:
    /// Creates the folder of `path` when it does not exist. \throws Error
    explicit AtomicFile(std::filesystem::path path) : path_(std::move(path)), file_(create_temporary(path_)) {}
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile() {
        if (!committed_) {
            ::unlink(file_.path().c_str());
        }
    }

    /// The temporary file, to write to.
    [[nodiscard]] File& file() { return file_; }

    /// Replaces `path`. \throws Error
    void commit() {
        file_.sync();
        if (::rename(file_.path().c_str(), path_.c_str()) != 0) {
            const int reason = errno;
            throw Error("cannot replace " + path_.string() + ": " + std::strerror(reason));
        }
        committed_ = true;
        file_.close();
        sync_folder(path_.parent_path());
    }

private:
    static File create_temporary(const std::filesystem::path& path) {
        create_folders(path.parent_path());
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

    static constexpr int max_attempts = 1000;

    std::filesystem::path path_;
    File file_;
    bool committed_ = false;
};

namespace detail {

/// True for `PREFIX...PROCESS-NUMBER.tmp`, a name that `AtomicFile` gives.
[[nodiscard]] inline bool is_temporary_name(std::string_view name, std::string_view prefix) {
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

} // namespace detail

/// Removes what `AtomicFile`s of processes that died left behind in `folder`, for files whose name begins with
/// `prefix`. What a living process is writing stays. Does nothing when there is no such folder.
/// Returns the files that were removed. \throws Error
inline std::vector<std::filesystem::path> remove_leftovers(const std::filesystem::path& folder,
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
