#pragma once

#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/logging/console.hpp>
#include <audyn/state/state_dict.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace audyn::trainer {

/// A checkpoint that was read, and where.
struct ResumeSource {
    std::string path;
    StateDict state;
};

namespace detail {

/// The first of `files` that is whole and holds a run's state. Says which ones are damaged.
[[nodiscard]] AUDYN_INLINE std::optional<ResumeSource> load_first(const std::vector<std::filesystem::path>& files,
                                                                  logging::Console& console);

/// Other checkpoints of the run that wrote `path`, the newest first: those of `entries` when `path` is one of them,
/// else what lies beside it.
[[nodiscard]] AUDYN_INLINE std::vector<std::filesystem::path> alternatives(const std::filesystem::path& path,
                                                                           const checkpoint::SaveCheckpoint& entries);

} // namespace detail

/// Reads the checkpoint `path`; when it is damaged, the newest whole one of the same run, with a warning that names
/// both. \throws CheckpointError when there is none
[[nodiscard]] AUDYN_INLINE ResumeSource load_for_resume(const std::string& path,
                                                        const checkpoint::SaveCheckpoint& entries,
                                                        logging::Console& console);

/// Reads the newest whole checkpoint of `entries`; nothing when none exists.
/// \throws CheckpointError when all that exist are damaged
[[nodiscard]] AUDYN_INLINE std::optional<ResumeSource> load_newest(const checkpoint::SaveCheckpoint& entries,
                                                                   logging::Console& console);

} // namespace audyn::trainer

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/resume_source.ipp>
#endif
