#pragma once

#include <audyn/checkpoint/legacy_reader.hpp>
#include <audyn/checkpoint/pickle_reader.hpp>
#include <audyn/checkpoint/zip_reader.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/mapped_file.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/Device.h>
#include <c10/core/Storage.h>
#include <c10/core/TensorOptions.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

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
    CheckpointReader(const std::filesystem::path& path, const LoadOptions& options)
        : zip_(path), options_(options), folder_(find_folder()) {
        if (options_.mmap && options_.device.is_cpu()) {
            mapping_ = std::make_shared<core::MappedFile>(zip_.file());
        }
    }

    [[nodiscard]] state::Value read() {
        if (ZipReader::Record* record = zip_.find(folder_ + "byteorder")) {
            if (const std::string order = zip_.read(*record); order != "little") {
                zip_.fail(record->name, "says '" + order + "'; only files of little-endian machines are read");
            }
        }
        ZipReader::Record& record = *zip_.find(folder_ + "data.pkl");
        const std::string pickle = zip_.read(record);
        state::Value value = read_pickle(record.name, pickle);
        if (options_.verify) {
            zip_.verify_rest();
        }
        return value;
    }

private:
    /// The folder in the archive, with the slash, that holds `data.pkl`.
    [[nodiscard]] std::string find_folder() const {
        constexpr std::string_view pickle = "/data.pkl";
        const auto& records = zip_.records();
        const auto found = std::find_if(records.begin(), records.end(), [=](const ZipReader::Record& record) {
            return record.name.ends_with(pickle) && record.name.find('/') == record.name.size() - pickle.size();
        });
        if (found == records.end()) {
            zip_.fail("it is a zip archive, but not a checkpoint: it has no record 'data.pkl'");
        }
        const std::string folder = found->name.substr(0, found->name.size() - pickle.size() + 1);
        if (std::any_of(records.begin(), records.end(),
                        [&](const ZipReader::Record& record) { return record.name == folder + "constants.pkl"; })) {
            zip_.fail("it is a TorchScript archive, not a state dictionary; in Python, save the module's state_dict()");
        }
        return folder;
    }

    state::Value read_pickle(const std::string& record, std::string_view pickle) {
        try {
            return PickleReader(pickle, [this](const std::string& key, uint64_t size) { return storage(key, size); })
                .read();
        } catch (const DamagedRecord& error) {
            throw CheckpointError(error.what());
        } catch (const Error& error) {
            zip_.fail(record, std::string("cannot be read: ") + error.what());
        } catch (const c10::Error& error) {
            zip_.fail(record, std::string("cannot be read: ") + error.what_without_backtrace());
        }
    }

    /// An error that names its own record.
    class DamagedRecord : public CheckpointError {
    public:
        using CheckpointError::CheckpointError;
    };

    c10::Storage storage(const std::string& key, uint64_t size) {
        const auto known = storages_.find(key);
        ZipReader::Record* record = zip_.find(folder_ + "data/" + key);
        try {
            if (record == nullptr) {
                zip_.fail(folder_ + "data/" + key, "is missing");
            }
            if (record->size != size) {
                zip_.fail(record->name,
                          "has " + std::to_string(record->size) + " bytes where data.pkl says " + std::to_string(size));
            }
            return known != storages_.end() ? known->second
                                            : storages_.emplace(key, read_storage(*record)).first->second;
        } catch (const Error& error) {
            throw DamagedRecord(error.what());
        }
    }

    c10::Storage read_storage(ZipReader::Record& record) {
        if (mapping_ != nullptr && record.offset % mapped_alignment == 0) {
            return mapped_storage(record);
        }
        at::Tensor bytes = at::empty({static_cast<int64_t>(record.size)}, at::TensorOptions(at::kByte));
        zip_.read(record, bytes.mutable_data_ptr());
        return bytes.to(options_.device).storage();
    }

    /// The storage keeps the mapping alive.
    c10::Storage mapped_storage(const ZipReader::Record& record) {
        zip_.require_stored(record);
        using Owner = std::shared_ptr<core::MappedFile>;
        void* data = mapping_->data() + record.offset;
        return {c10::Storage::use_byte_size_t(), static_cast<std::size_t>(record.size),
                at::DataPtr(
                    data, new Owner(mapping_), [](void* owner) { delete static_cast<Owner*>(owner); },
                    at::Device(at::kCPU)),
                /*allocator=*/nullptr, /*resizable=*/false};
    }

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
[[nodiscard]] inline bool is_legacy(const std::filesystem::path& path) {
    const core::File file(path, O_RDONLY);
    std::string head(static_cast<std::size_t>(std::min<uint64_t>(file.size(), 16)), '\0');
    file.read_at(head.data(), head.size(), 0);
    return LegacyReader::recognizes(head);
}

/// Reads a dictionary that `save` or Python's `torch.save` wrote, in its format or in that from before 1.6 (which has
/// no checksums and is never mapped). Nothing in the file is executed. `OrderedDict` and `Counter` become dictionaries,
/// `torch.Size` a tuple, `nn.Parameter` a tensor, dtypes, devices and layouts their names as strings ("torch.float32",
/// "cuda:0"). \throws CheckpointError that names the file and, where known, the record: not there, truncated, damaged,
/// or holding something that a state dictionary cannot.
[[nodiscard]] inline StateDict load(const std::filesystem::path& path, const LoadOptions& options = {}) {
    state::Value value;
    try {
        value = is_legacy(path) ? LegacyReader(path, options.device).read()
                                : detail::CheckpointReader(path, options).read();
    } catch (const Error& error) {
        throw CheckpointError(std::string("cannot load the checkpoint: ") + error.what());
    }
    if (!value.is<StateDict>()) {
        throw CheckpointError("cannot load the checkpoint: " + path.string() + " holds a value of kind " +
                              value.kind() + ", not a dictionary");
    }
    return std::move(std::get<StateDict>(value.storage()));
}

} // namespace audyn::checkpoint
