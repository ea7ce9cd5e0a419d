#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/launch_options.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::distributed {

/// A word as a shell reads it back.
[[nodiscard]] AUDYN_INLINE std::string shell_quoted(std::string_view word);

/// A command as one line for a shell.
[[nodiscard]] AUDYN_INLINE std::string shell_command(const std::vector<std::string>& words);

/// The torchrun command that the options mean for `program`, whose name is the first of `arguments`. On one machine it
/// is a rendezvous of its own. \throws OptionError for an option that is missing or wrong.
[[nodiscard]] AUDYN_INLINE std::vector<std::string>
torchrun_command(const LaunchOptions& options, int64_t nproc_per_node, const std::vector<std::string>& arguments);

/// The file that `name` runs, looked up as a shell does; nothing where there is none.
[[nodiscard]] AUDYN_INLINE std::optional<std::filesystem::path> find_program(const std::string& name);

namespace detail {

/// Major and minor number: "2.13" of "2.13.0+cpu".
[[nodiscard]] AUDYN_INLINE std::string minor_version(const std::string& version);

} // namespace detail

/// The version of torch that a torchrun belongs to, as its own Python knows it; torch is not imported for it. Nothing
/// where that cannot be found out.
[[nodiscard]] AUDYN_INLINE std::optional<std::string> torchrun_version(const std::filesystem::path& torchrun);

/// Prints the command on the error stream and becomes it. `linked_version` is that of the libtorch in this program,
/// empty for one that has none: a torchrun of another minor version is refused, as the stores of two versions need not
/// understand each other. \throws DistributedError when there is no torchrun or it does not fit.
[[noreturn]] AUDYN_INLINE void execute_torchrun(std::vector<std::string> command, const std::string& linked_version);

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/torchrun.ipp>
#endif
