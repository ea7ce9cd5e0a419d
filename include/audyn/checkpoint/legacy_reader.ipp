#pragma once

#include <audyn/checkpoint/legacy_reader.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <unordered_set>

namespace audyn::checkpoint {

AUDYN_INLINE LegacyReader::LegacyReader(const std::filesystem::path& path, at::Device device)
    : file_(path, O_RDONLY), mapping_(file_), device_(device) {}

AUDYN_INLINE state::Value LegacyReader::read() {
    position_ = magic.size();
    const state::Value version = read_pickle("the version");
    if (!version.is<int64_t>() || version.as_int() != protocol_version) {
        fail("it is of an unknown version of PyTorch's format from before 1.6");
    }
    check_machine(read_pickle("the description of the machine"));
    state::Value value = read_pickle("the value");
    read_storages(read_pickle("the list of storages"));
    return value;
}

AUDYN_INLINE void LegacyReader::fail(const std::string& reason) const {
    throw CheckpointError(file_.path().string() + ": " + reason);
}

AUDYN_INLINE state::Value LegacyReader::read_pickle(const char* what) {
    try {
        PickleReader reader(mapping_.bytes().substr(position_),
                            [this](const std::string& key, uint64_t size) { return storage(key, size); });
        state::Value value = reader.read();
        position_ += reader.position();
        return value;
    } catch (const Error& error) {
        fail(std::string(what) + " cannot be read: " + error.what());
    } catch (const c10::Error& error) {
        fail(std::string(what) + " cannot be read: " + error.what_without_backtrace());
    }
}

AUDYN_INLINE void LegacyReader::check_machine(const state::Value& value) const {
    const state::Value* little = value.is<StateDict>() ? value.as_dict().find("little_endian") : nullptr;
    if (little == nullptr || !little->is<bool>()) {
        fail("the description of the machine is not one of PyTorch's");
    }
    if (!little->as_bool()) {
        fail("it was written by a big-endian machine; only files of little-endian machines are read");
    }
}

AUDYN_INLINE c10::Storage LegacyReader::storage(const std::string& key, uint64_t size) {
    const auto [known, is_new] = storages_.try_emplace(key);
    if (is_new) {
        total_ += std::min<uint64_t>(size, mapping_.bytes().size());
        if (size > mapping_.bytes().size() || total_ > mapping_.bytes().size()) {
            throw CheckpointError("the storage '" + key + "' would be larger than the file");
        }
        const auto options = at::TensorOptions(at::kByte).device(device_);
        known->second = {at::empty({static_cast<int64_t>(size)}, options).storage(), size};
    } else if (known->second.size != size) {
        throw CheckpointError("the storage '" + key + "' has two sizes");
    }
    return known->second.storage;
}

AUDYN_INLINE void LegacyReader::read_storages(const state::Value& keys) {
    if (!keys.is<state::List>()) {
        fail("the list of storages is none");
    }
    std::unordered_set<std::string> done;
    for (const state::Value& key : keys.as_list()) {
        const auto found = key.is<std::string>() ? storages_.find(key.as_string()) : storages_.end();
        if (found == storages_.end() || !done.insert(found->first).second) {
            fail("the list of storages is not that of the value's tensors");
        }
        read_storage(found->first, found->second);
    }
    if (done.size() != storages_.size()) {
        fail("the list of storages is not complete");
    }
}

AUDYN_INLINE void LegacyReader::read_storage(const std::string& key, LegacyStorage& storage) {
    constexpr uint64_t count_size = 8;
    const std::string_view rest = mapping_.bytes().substr(position_);
    if (rest.size() < count_size || storage.size > rest.size() - count_size) {
        fail("it is truncated: the content of the storage '" + key + "' is missing");
    }
    uint64_t count = 0;
    for (uint64_t i = 0; i < count_size; ++i) {
        count |= static_cast<uint64_t>(static_cast<unsigned char>(rest[i])) << (8 * i);
    }
    if (count == 0 ? storage.size != 0 : (storage.size % count != 0 || storage.size / count > max_element_size)) {
        fail("it is damaged: the storage '" + key + "' has another size than its tensors say");
    }
    copy_content(position_ + count_size, storage);
    position_ += count_size + storage.size;
}

AUDYN_INLINE void LegacyReader::copy_content(uint64_t offset, LegacyStorage& storage) const {
    if (storage.storage.device().is_cpu()) {
        file_.read_at(storage.storage.mutable_data(), storage.size, offset);
        return;
    }
    at::Tensor host = at::empty({static_cast<int64_t>(storage.size)}, at::TensorOptions(at::kByte));
    file_.read_at(host.mutable_data_ptr(), storage.size, offset);
    at::Tensor target = at::empty({0}, at::TensorOptions(at::kByte).device(device_));
    target.set_(storage.storage, 0, host.sizes(), host.strides());
    target.copy_(host);
}

} // namespace audyn::checkpoint
