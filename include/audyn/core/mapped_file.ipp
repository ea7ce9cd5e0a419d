#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/core/mapped_file.hpp>

#include <utility>

namespace audyn::core {

AUDYN_INLINE MappedFile::MappedFile(const File& file) : size_(static_cast<std::size_t>(file.size())) {
    if (size_ > 0) {
        void* address =
            ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.descriptor(), 0);
        if (address == MAP_FAILED) {
            file.fail("cannot map");
        }
        data_ = static_cast<char*>(address);
    }
}

AUDYN_INLINE MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AUDYN_INLINE MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

AUDYN_INLINE MappedFile::~MappedFile() {
    if (data_ != nullptr) {
        ::munmap(data_, size_);
    }
}

} // namespace audyn::core
