#pragma once

#include <audyn/core/file.hpp>

#include <cstddef>
#include <string_view>
#include <sys/mman.h>

namespace audyn::core {

/// The content of a file as memory. Pages are read when they are touched; writing to one changes this copy and never
/// the file. The file must not be made shorter meanwhile (replacing it by renaming another is fine): touching what no
/// longer exists ends the program.
class MappedFile {
public:
    /// Maps the whole of `file`, which may be closed afterwards. \throws Error
    explicit MappedFile(const File& file);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    [[nodiscard]] char* data() { return data_; }
    [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace audyn::core

#ifndef AUDYN_COMPILED
#    include <audyn/core/mapped_file.ipp>
#endif
