#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/completion.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/difference.hpp>
#include <audyn/config/override.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/show.hpp>
#include <audyn/core/inline.hpp>

#include <functional>
#include <string>

namespace audyn::config {

namespace detail {

/// The value of `hydra.mode`: RUN, MULTIRUN, or empty for neither. Throws `ConfigError` for another one.
[[nodiscard]] AUDYN_INLINE std::string mode_of(const Config& config);

/// `hydra.mode` may say that a call with several values is a sweep, without `--multirun`.
[[nodiscard]] AUDYN_INLINE bool values_are_a_sweep(const CommandLine& command_line, const Program& program);

AUDYN_INLINE void print_warnings(const Config& config);

[[nodiscard]] AUDYN_INLINE std::string answer(const CommandLine& command_line, const Program& program);

AUDYN_INLINE void run_once(const CommandLine& command_line, const Program& program, Config config,
                           const std::function<void(Config&)>& callback);

/// Notes in the run's own tree that this is a plain run, as if the command line had said so.
AUDYN_INLINE void note_mode(const Config& config);

} // namespace detail

/// What a program's main does with its arguments: answers `--help`, `--version`, `--cfg`, `--info` and the shell's
/// completion on `std::cout`; starts the jobs of `--multirun`; otherwise composes the configuration, prepares the run's
/// folder and calls `callback`. Gives the exit code. Throws `ConfigError`, and what `callback` throws. Call it while
/// there is one thread only.
[[nodiscard]] AUDYN_INLINE int run_program(const CommandLine& command_line, const Program& program,
                                           const std::function<void(Config&)>& callback);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/driver.ipp>
#endif
