#pragma once

#include <audyn/checkpoint/pickle_reader.hpp>
#include <audyn/checkpoint/zip_reader.hpp>
#include <audyn/core/error.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/Device.h>
#include <c10/core/Storage.h>
#include <c10/core/TensorOptions.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace audyn::checkpoint {

/// How a checkpoint is read.
struct LoadOptions {
    /// Where its tensors are placed, whatever device they were saved from.
    at::Device device{at::kCPU};
};

namespace detail {

/// One file being read: the archive, and the storages that tensors share.
class CheckpointReader {
public:
    CheckpointReader(const std::filesystem::path& path, const LoadOptions& options)
        : zip_(path), device_(options.device), folder_(find_folder()) {}

    [[nodiscard]] state::Value read() {
        if (ZipReader::Record* record = zip_.find(folder_ + "byteorder")) {
            if (const std::string order = zip_.read(*record); order != "little") {
                zip_.fail(record->name, "says '" + order + "'; only files of little-endian machines are read");
            }
        }
        ZipReader::Record& record = *zip_.find(folder_ + "data.pkl");
        const std::string pickle = zip_.read(record);
        state::Value value = read_pickle(record.name, pickle);
        zip_.verify_rest();
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
        at::Tensor bytes = at::empty({static_cast<int64_t>(record.size)}, at::TensorOptions(at::kByte));
        zip_.read(record, bytes.mutable_data_ptr());
        return bytes.to(device_).storage();
    }

    ZipReader zip_;
    at::Device device_;
    std::string folder_;
    std::unordered_map<std::string, c10::Storage> storages_;
};

} // namespace detail

/// Reads a dictionary that `save` or Python's `torch.save` wrote. Nothing in the file is executed. Every record's
/// checksum is checked. `OrderedDict` and `Counter` become dictionaries, `torch.Size` a tuple, `nn.Parameter` a tensor,
/// dtypes, devices and layouts their names as strings ("torch.float32", "cuda:0").
/// \throws CheckpointError that names the file and, where known, the record: not there, truncated, damaged, or
/// holding something that a state dictionary cannot.
[[nodiscard]] inline StateDict load(const std::filesystem::path& path, const LoadOptions& options = {}) {
    state::Value value;
    try {
        value = detail::CheckpointReader(path, options).read();
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
