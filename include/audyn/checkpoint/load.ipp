#pragma once

#include <audyn/checkpoint/load.hpp>
#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

namespace audyn::checkpoint::detail {

AUDYN_INLINE CheckpointReader::CheckpointReader(const std::filesystem::path& path, const LoadOptions& options)
    : zip_(path), options_(options), folder_(find_folder()) {
    if (options_.mmap && options_.device.is_cpu()) {
        mapping_ = std::make_shared<core::MappedFile>(zip_.file());
    }
}

AUDYN_INLINE state::Value CheckpointReader::read() {
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

AUDYN_INLINE std::string CheckpointReader::find_folder() const {
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

AUDYN_INLINE state::Value CheckpointReader::read_pickle(const std::string& record, std::string_view pickle) {
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

AUDYN_INLINE c10::Storage CheckpointReader::storage(const std::string& key, uint64_t size) {
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
        return known != storages_.end() ? known->second : storages_.emplace(key, read_storage(*record)).first->second;
    } catch (const Error& error) {
        throw DamagedRecord(error.what());
    }
}

AUDYN_INLINE c10::Storage CheckpointReader::read_storage(ZipReader::Record& record) {
    if (mapping_ != nullptr && record.offset % mapped_alignment == 0) {
        return mapped_storage(record);
    }
    at::Tensor bytes = at::empty({static_cast<int64_t>(record.size)}, at::TensorOptions(at::kByte));
    zip_.read(record, bytes.mutable_data_ptr());
    return bytes.to(options_.device).storage();
}

AUDYN_INLINE c10::Storage CheckpointReader::mapped_storage(const ZipReader::Record& record) {
    zip_.require_stored(record);
    using Owner = std::shared_ptr<core::MappedFile>;
    void* data = mapping_->data() + record.offset;
    return {
        c10::Storage::use_byte_size_t(), static_cast<std::size_t>(record.size),
        at::DataPtr(
            data, new Owner(mapping_), [](void* owner) { delete static_cast<Owner*>(owner); }, at::Device(at::kCPU)),
        /*allocator=*/nullptr, /*resizable=*/false};
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE bool is_legacy(const std::filesystem::path& path) {
    const core::File file(path, O_RDONLY);
    std::string head(static_cast<std::size_t>(std::min<uint64_t>(file.size(), 16)), '\0');
    file.read_at(head.data(), head.size(), 0);
    return LegacyReader::recognizes(head);
}

AUDYN_INLINE state::Value load_value(const std::filesystem::path& path, const LoadOptions& options) {
    try {
        return is_legacy(path) ? LegacyReader(path, options.device).read()
                               : detail::CheckpointReader(path, options).read();
    } catch (const Error& error) {
        throw CheckpointError(std::string("cannot load the checkpoint: ") + error.what());
    }
}

AUDYN_INLINE StateDict load(const std::filesystem::path& path, const LoadOptions& options) {
    state::Value value = load_value(path, options);
    if (!value.is<StateDict>()) {
        throw CheckpointError("cannot load the checkpoint: " + path.string() + " holds a value of kind " +
                              value.kind() + ", not a dictionary");
    }
    return std::move(std::get<StateDict>(value.storage()));
}

} // namespace audyn::checkpoint
