#pragma once

#include <audyn/config/config.hpp>
#include <audyn/config/emit.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace audyn::config {

/// Makes the configuration that of job `number` of a sweep.
AUDYN_INLINE void set_job_number(const Config& config, std::int64_t number);

/// Where a run writes: `hydra.run.dir`, or for a job of a sweep `hydra.sweep.dir` and `hydra.sweep.subdir`. As an
/// absolute path. Throws `ConfigError`.
[[nodiscard]] AUDYN_INLINE std::filesystem::path output_folder(const Config& config);

namespace detail {

AUDYN_INLINE void make_folder(const std::filesystem::path& folder);

AUDYN_INLINE void write_file(const std::filesystem::path& file, std::string_view text);

/// What was composed, as Hydra and Audyn keep it.
AUDYN_INLINE void write_record(const Config& config, const std::string& resolved, const std::filesystem::path& folder);

} // namespace detail

/// Prepares the process for a run: makes its folder with the record of the configuration, changes into it when
/// `hydra.job.chdir` says so, and sets the variables of `hydra.job.env_set`. `hydra.runtime.output_dir` is the folder
/// from then on. Throws `ConfigError`.
AUDYN_INLINE void enter_run_folder(const Config& config, const std::filesystem::path& folder,
                                   RunFolder use = RunFolder::record);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/run_folder.ipp>
#endif
