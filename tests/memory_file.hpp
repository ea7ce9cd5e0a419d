#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

/// A file that lies in memory only and has a path: for tests that write thousands of them.
class MemoryFile {
public:
    MemoryFile() : descriptor_(::memfd_create("test", MFD_CLOEXEC)) { require(descriptor_ >= 0); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { ::close(descriptor_); }

    [[nodiscard]] std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

    /// Replaces the content.
    void set(std::string_view content) const {
        require(::ftruncate(descriptor_, 0) == 0);
        require(::pwrite(descriptor_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()));
    }

private:
    static void require(bool condition) {
        if (!condition) {
            throw std::system_error(errno, std::generic_category(), "memory file");
        }
    }

    int descriptor_;
};
