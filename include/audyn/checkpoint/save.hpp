#pragma once

#include <audyn/checkpoint/pickle_writer.hpp>
#include <audyn/checkpoint/zip_writer.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <c10/core/Storage.h>

#include <filesystem>

namespace audyn::checkpoint {

namespace detail {

/// Adds `size` bytes of `storage` to the record that was begun. What lies on another device comes to the host in
/// pieces, so that no second copy of a state is ever held.
AUDYN_INLINE void append_storage(ZipWriter& zip, const c10::Storage& storage, std::size_t size);

/// Writes what `pickle` describes.
AUDYN_INLINE void write(core::File& file, const PickleWriter& pickle, bool will_be_synced);

} // namespace detail

/// Writes `state` to an open, empty file in the format of `save`, without making it durable. Tensors are streamed from
/// where they are. \param will_be_synced lets the disk begin early. \throws CheckpointError that names the value which
/// the format cannot hold; Error of the file.
AUDYN_INLINE void write(core::File& file, const StateDict& state, bool will_be_synced = false);

/// Writes `state` to `path` in the format of Python's `torch.save`; `torch.load(path, weights_only=True)` reads it.
/// The file appears at once and durably, or not at all: after any failure an earlier file of this name is intact.
/// The folder is created when it does not exist. Tensors are streamed from where they are; those that share memory
/// share it again after loading.
/// \throws CheckpointError that names the path and the system's reason, or the value that the format cannot hold.
AUDYN_INLINE void save(const std::filesystem::path& path, const StateDict& state);

/// The same for any value, for example a tensor alone: `torch.save(value, path)`. A tensor that is a view takes the
/// whole of its storage with it, as in Python.
AUDYN_INLINE void save_value(const std::filesystem::path& path, const state::Value& value, bool durable = true);

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/save.ipp>
#endif
