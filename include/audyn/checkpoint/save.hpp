#pragma once

#include <audyn/checkpoint/pickle_writer.hpp>
#include <audyn/checkpoint/zip_writer.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/Storage.h>
#include <c10/core/TensorOptions.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <string>

namespace audyn::checkpoint {

namespace detail {

/// Adds `size` bytes of `storage` to the record that was begun. What lies on another device comes to the host in
/// pieces, so that no second copy of a state is ever held.
inline void append_storage(ZipWriter& zip, const c10::Storage& storage, std::size_t size) {
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

} // namespace detail

/// Writes `state` to an open, empty file in the format of `save`, without making it durable. Tensors are streamed from
/// where they are. \param will_be_synced lets the disk begin early. \throws CheckpointError that names the value which
/// the format cannot hold; Error of the file.
inline void write(core::File& file, const StateDict& state, bool will_be_synced = false) {
    static_assert(std::endian::native == std::endian::little, "checkpoints are written on little-endian machines");
    const PickleWriter pickle(state);
    ZipWriter zip(file, "archive");
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
        detail::append_storage(zip, record.storage, record.size);
        zip.end();
    }
    zip.add("version", "3\n");
    zip.finish();
}

/// Writes `state` to `path` in the format of Python's `torch.save`; `torch.load(path, weights_only=True)` reads it.
/// The file appears at once and durably, or not at all: after any failure an earlier file of this name is intact.
/// The folder is created when it does not exist. Tensors are streamed from where they are; those that share memory
/// share it again after loading.
/// \throws CheckpointError that names the path and the system's reason, or the value that the format cannot hold.
inline void save(const std::filesystem::path& path, const StateDict& state) {
    try {
        core::AtomicFile file(path);
        write(file.file(), state, /*will_be_synced=*/true);
        file.commit();
    } catch (const Error& error) {
        throw CheckpointError("cannot save the checkpoint " + path.string() + ": " + error.what());
    }
}

} // namespace audyn::checkpoint
