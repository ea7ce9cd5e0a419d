#pragma once

#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::checkpoint {

/// The path patterns of a run's checkpoints, `last` first.
[[nodiscard]] AUDYN_INLINE std::vector<std::string> checkpoint_patterns(const SaveCheckpoint& entries);

/// True when `path` is what `format_checkpoint_path` makes of `pattern` for some numbers.
[[nodiscard]] AUDYN_INLINE bool matches_checkpoint_pattern(std::string_view pattern, std::string_view path);

namespace detail {

/// The folder of `pattern` before its first field, and the beginning of the names in it.
[[nodiscard]] AUDYN_INLINE std::pair<std::filesystem::path, std::string> fixed_beginning(const std::string& pattern);

/// Appends the files that `pattern` describes.
AUDYN_INLINE void find_matches(const std::string& pattern, std::vector<std::filesystem::path>& found);

} // namespace detail

/// Files that exist, the newest first.
[[nodiscard]] AUDYN_INLINE std::vector<std::filesystem::path> newest_first(std::vector<std::filesystem::path> files);

/// The checkpoints of a run that exist, by what its entries call them, the newest first; `last` first among equals.
/// They may be damaged.
[[nodiscard]] AUDYN_INLINE std::vector<std::filesystem::path> find_checkpoints(const SaveCheckpoint& entries);

/// Removes what a run that died while it was writing a checkpoint has left in the folders of `entries`; returns the
/// names. \throws Error
AUDYN_INLINE std::vector<std::filesystem::path> remove_leftovers(const SaveCheckpoint& entries);

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/find.ipp>
#endif
