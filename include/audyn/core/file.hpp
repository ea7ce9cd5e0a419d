#pragma once

#include <audyn/core/inline.hpp>

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace audyn::core {

/// An open file whose every failure is an `Error` that names the path and the system's reason.
class File {
public:
    /// \param flags those of open(2). \throws Error
    File(std::filesystem::path path, int flags);
    File(File&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] int descriptor() const { return descriptor_; }

    /// Size in bytes. \throws Error
    [[nodiscard]] uint64_t size() const;

    /// Writes all of `data` at the file's position. \throws Error
    void write(const void* data, std::size_t size);

    /// Writes all of `data` at `offset`; the file's position stays. \throws Error
    void write_at(const void* data, std::size_t size, uint64_t offset);

    /// Reads exactly `size` bytes from `offset`. \throws Error, also when the file ends before.
    void read_at(void* data, std::size_t size, uint64_t offset) const;

    /// Waits until the content has reached the disk. \throws Error
    void sync();

    /// Locks the file against every other opening of it, until it is closed. False when it is locked already.
    /// \throws Error
    [[nodiscard]] bool try_lock();

    /// Closes the file; some file systems report a failed write only here. \throws Error
    void close();

    /// \throws Error "`action` PATH: REASON" with the reason of errno.
    [[noreturn]] void fail(std::string_view action) const;

private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

/// Makes the names in `folder` durable. \throws Error
inline void sync_folder(const std::filesystem::path& folder) {
    File(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY).sync();
}

/// Makes `folder` and the folders above it. Does nothing when it exists, or is empty. \throws Error
AUDYN_INLINE void create_folders(const std::filesystem::path& folder, bool durable = true);

/// A new content for `path` that appears at once or not at all: written to a temporary file in the same folder, which
/// `commit` makes durable and renames. Without `commit` the temporary file is removed and an earlier file stays. When
/// the process dies first, `remove_leftovers` finds it: the file is locked while it is being written.
/// One that is not durable does not wait for the disk: only when the machine fails soon after may its content be lost.
class AtomicFile {
public:
    /// Creates the folder of `path` when it does not exist. \throws Error
    explicit AtomicFile(std::filesystem::path path, bool durable = true)
        : path_(std::move(path)), durable_(durable), file_(create_temporary(path_, durable)) {}
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    /// The temporary file, to write to.
    [[nodiscard]] File& file() { return file_; }

    /// Replaces `path`. \throws Error
    void commit();

private:
    static File create_temporary(const std::filesystem::path& path, bool durable);

    static constexpr int max_attempts = 1000;

    std::filesystem::path path_;
    bool durable_;
    File file_;
    bool committed_ = false;
};

namespace detail {

/// True for `PREFIX...PROCESS-NUMBER.tmp`, a name that `AtomicFile` gives.
[[nodiscard]] AUDYN_INLINE bool is_temporary_name(std::string_view name, std::string_view prefix);

} // namespace detail

/// Removes what `AtomicFile`s of processes that died left behind in `folder`, for files whose name begins with
/// `prefix`. What a living process is writing stays. Does nothing when there is no such folder.
/// Returns the files that were removed. \throws Error
AUDYN_INLINE std::vector<std::filesystem::path> remove_leftovers(const std::filesystem::path& folder,
                                                                 std::string_view prefix);

} // namespace audyn::core

#ifndef AUDYN_COMPILED
#    include <audyn/core/file.ipp>
#endif
