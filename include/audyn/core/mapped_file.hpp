#pragma once

#include <audyn/core/file.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <sys/mman.h>
#include <utility>

namespace audyn::core {

/// The content of a file as memory. Pages are read when they are touched; writing to one changes this copy and never
/// the file. The file must not be made shorter meanwhile (replacing it by renaming another is fine): touching what no
/// longer exists ends the program.
class MappedFile {
public:
    /// Maps the whole of `file`, which may be closed afterwards. \throws Error
    explicit MappedFile(const File& file) : size_(static_cast<std::size_t>(file.size())) {
        if (size_ > 0) {
            void* address =
                ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.descriptor(), 0);
            if (address == MAP_FAILED) {
                file.fail("cannot map");
            }
            data_ = static_cast<char*>(address);
        }
    }
    MappedFile(MappedFile&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile() {
        if (data_ != nullptr) {
            ::munmap(data_, size_);
        }
    }

    [[nodiscard]] char* data() { return data_; }
    [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace audyn::core
