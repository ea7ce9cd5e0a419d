#pragma once

#include <audyn/config/builtin.hpp>
#include <audyn/config/command_line.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/version.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace audyn::config {

/// What a process does with the run's folder.
enum class RunFolder {
    /// Makes it, with the record of the configuration.
    record,
    /// Works in it, and leaves the record to another process of the same run.
    share,
    /// A run that is only tried out leaves nothing behind, and stays where it is.
    none,
};

/// What a program brings to its command line.
struct Program {
    std::string version = audyn::version;
    std::string default_config_name = "config";
    SearchPath search_path =
        builtin_search_path(); ///< groups compiled in; folders of the command line come before them
    Resolvers resolvers;
    /// Adds to `--help`: the targets that the program knows, with their arguments.
    std::function<std::string()> more_help;
    /// Names that `_target_` may have, for the shell's completion.
    std::function<std::vector<std::string>()> target_names;
    /// The configuration that a file of the program's own kind keeps, for example a checkpoint; nothing for another
    /// kind of file. For `--cfg diff`.
    std::function<std::optional<Value>(const std::filesystem::path& file)> stored_config;
    /// What a run does with its folder; without it, `RunFolder::record`.
    std::function<RunFolder(const Config& config)> run_folder;
    /// Called with the composed configuration of a run before its folder is made. It may replace the configuration; an
    /// exit code ends the run, for example where other processes did it.
    std::function<std::optional<int>(Config& config)> before_run;
    /// Words with which the arguments may begin: what the program can do, the first of them by default.
    std::vector<std::string> commands;
    /// Keys of the folders and files that a run writes to. A sweep warns when two of its jobs have the same.
    std::vector<std::string> output_keys;
};

/// Takes the word that begins the arguments out of the overrides, where the program knows such words.
/// Throws `ConfigError` for an unknown one.
AUDYN_INLINE void take_command(CommandLine& command_line, const Program& program);

/// Where this run looks configurations up: the folders of the command line, then what the program brings.
[[nodiscard]] AUDYN_INLINE SearchPath search_path_of(const CommandLine& command_line, const Program& program);

/// Composes `config_name` with these overrides as the command line says where and when. Throws `ConfigError`.
[[nodiscard]] AUDYN_INLINE Config compose_from_command_line(const CommandLine& command_line, const Program& program,
                                                            const std::string& config_name,
                                                            const std::vector<std::string>& overrides,
                                                            ComposeOptions options = {});

/// Composes what the command line asks for. Throws `ConfigError`.
[[nodiscard]] AUDYN_INLINE Config compose_from_command_line(const CommandLine& command_line, const Program& program,
                                                            const ComposeOptions& options = {});

/// The tree of the configuration with the run's own below `hydra`, as it was composed. There a value of the run may
/// refer to the configuration, as in `hydra.run.dir=exp/${model.name}`.
[[nodiscard]] AUDYN_INLINE Config with_hydra(const Config& config);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/program.ipp>
#endif
