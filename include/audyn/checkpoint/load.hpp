#pragma once

#include <audyn/checkpoint/legacy_reader.hpp>
#include <audyn/checkpoint/pickle_reader.hpp>
#include <audyn/checkpoint/zip_reader.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/mapped_file.hpp>
#include <audyn/state/state_dict.hpp>

#include <c10/core/Device.h>
#include <c10/core/Storage.h>

#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace audyn::checkpoint {

/// How a checkpoint is read.
struct LoadOptions {
    /// Where its tensors are placed, whatever device they were saved from.
    at::Device device{at::kCPU};
    /// Lets tensors on the CPU lie in the file itself, mapped into memory, instead of copying them: no memory is taken
    /// and pages are read when they are touched. Writing to such a tensor changes it alone, not the file. As long as
    /// any of them lives, the file may be replaced (as `save` does) or removed but not be overwritten in place.
    bool mmap = false;
    /// Checks the checksum of every record before anything is returned, which reads the whole file. With false those of
    /// tensors that are mapped are not checked; all else is.
    bool verify = true;
};

namespace detail {

/// One file being read: the archive, and the storages that tensors share.
class CheckpointReader {
public:
    CheckpointReader(const std::filesystem::path& path, const LoadOptions& options);

    [[nodiscard]] state::Value read();

private:
    /// The folder in the archive, with the slash, that holds `data.pkl`.
    [[nodiscard]] std::string find_folder() const;

    state::Value read_pickle(const std::string& record, std::string_view pickle);

    /// An error that names its own record.
    class DamagedRecord : public CheckpointError {
    public:
        using CheckpointError::CheckpointError;
    };

    c10::Storage storage(const std::string& key, uint64_t size);

    c10::Storage read_storage(ZipReader::Record& record);

    /// The storage keeps the mapping alive.
    c10::Storage mapped_storage(const ZipReader::Record& record);

    /// PyTorch aligns to 64; what other programs packed may lie anywhere, and then it is copied.
    static constexpr uint64_t mapped_alignment = 16;

    ZipReader zip_;
    LoadOptions options_;
    std::string folder_;
    std::shared_ptr<core::MappedFile> mapping_;
    std::unordered_map<std::string, c10::Storage> storages_;
};

} // namespace detail

/// True for a file in PyTorch's format from before 1.6, which has no checksums. \throws Error when it cannot be read.
[[nodiscard]] AUDYN_INLINE bool is_legacy(const std::filesystem::path& path);

/// Reads a dictionary that `save` or Python's `torch.save` wrote, in its format or in that from before 1.6 (which has
/// no checksums and is never mapped). Nothing in the file is executed. `OrderedDict` and `Counter` become dictionaries,
/// `torch.Size` a tuple, `nn.Parameter` a tensor, dtypes, devices and layouts their names as strings ("torch.float32",
/// "cuda:0"). \throws CheckpointError that names the file and, where known, the record: not there, truncated, damaged,
/// or holding something that a state dictionary cannot.
[[nodiscard]] AUDYN_INLINE StateDict load(const std::filesystem::path& path, const LoadOptions& options = {});

/// The same for a file that holds any value, for example a tensor alone.
[[nodiscard]] AUDYN_INLINE state::Value load_value(const std::filesystem::path& path, const LoadOptions& options = {});

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/load.ipp>
#endif
