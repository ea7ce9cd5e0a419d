#pragma once

#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

namespace audyn::checkpoint::detail {

AUDYN_INLINE void append_storage(ZipWriter& zip, const c10::Storage& storage, std::size_t size) {
    if (storage.device().is_cpu()) {
        zip.append(storage.data(), size);
        return;
    }
    constexpr std::size_t piece_size = std::size_t{32} << 20;
    for (std::size_t offset = 0; offset < size; offset += piece_size) {
        const auto piece = static_cast<int64_t>(std::min(piece_size, size - offset));
        at::Tensor bytes = at::empty({0}, at::TensorOptions(at::kByte).device(storage.device()));
        bytes.set_(storage, static_cast<int64_t>(offset), {piece}, {1});
        const at::Tensor host = bytes.to(at::kCPU);
        zip.append(host.const_data_ptr(), static_cast<std::size_t>(piece));
    }
}

AUDYN_INLINE void write(core::File& file, const PickleWriter& pickle, bool will_be_synced) {
    static_assert(std::endian::native == std::endian::little, "checkpoints are written on little-endian machines");
    ZipWriter zip(file, "archive");
    uint64_t size = 0;
    for (const PickleWriter::StorageRecord& record : pickle.storages()) {
        size += record.size;
    }
    zip.reserve(size);
    if (will_be_synced) {
        zip.write_back_early();
    }
    zip.add("data.pkl", pickle.pickle());
    zip.add(".format_version", "1");
    zip.add(".storage_alignment", "64");
    zip.add("byteorder", "little");
    for (std::size_t i = 0; i < pickle.storages().size(); ++i) {
        const PickleWriter::StorageRecord& record = pickle.storages()[i];
        zip.begin("data/" + std::to_string(i), record.size);
        append_storage(zip, record.storage, record.size);
        zip.end();
    }
    zip.add("version", "3\n");
    zip.finish();
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE void write(core::File& file, const StateDict& state, bool will_be_synced) {
    detail::write(file, PickleWriter(state), will_be_synced);
}

AUDYN_INLINE void save(const std::filesystem::path& path, const StateDict& state) {
    try {
        core::AtomicFile file(path);
        write(file.file(), state, /*will_be_synced=*/true);
        file.commit();
    } catch (const Error& error) {
        throw CheckpointError("cannot save the checkpoint " + path.string() + ": " + error.what());
    }
}

AUDYN_INLINE void save_value(const std::filesystem::path& path, const state::Value& value, bool durable) {
    try {
        core::AtomicFile file(path, durable);
        detail::write(file.file(), PickleWriter(value), durable);
        file.commit();
    } catch (const Error& error) {
        throw CheckpointError("cannot save " + path.string() + ": " + error.what());
    }
}

} // namespace audyn::checkpoint
