#pragma once

#include <audyn/config/program.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <ctime>
#include <utility>

namespace audyn::config {

AUDYN_INLINE void take_command(CommandLine& command_line, const Program& program) {
    std::vector<std::string>& overrides = command_line.overrides;
    const bool has_word = program.commands.size() > 1 && !overrides.empty() && !overrides.front().empty() &&
                          overrides.front().find_first_not_of("abcdefghijklmnopqrstuvwxyz_-") == std::string::npos;
    if (!has_word) {
        return;
    }
    const std::string word = overrides.front();
    if (std::ranges::find(program.commands, word) == program.commands.end()) {
        throw ConfigError(concat({"unknown command '", word, "'", did_you_mean(word, program.commands),
                                  "\nThis program knows: ", join(program.commands), ". An override is key=value."}));
    }
    command_line.command = word;
    overrides.erase(overrides.begin());
}

AUDYN_INLINE SearchPath search_path_of(const CommandLine& command_line, const Program& program) {
    struct Folder {
        const char* option;
        const std::optional<std::string>& path;
        const char* provider;
    };
    SearchPath search_path;
    for (const Folder& folder : {Folder{"--config-path", command_line.config_path, "main"},
                                 Folder{"--config-dir", command_line.config_dir, "command-line"}}) {
        if (!folder.path) {
            continue;
        }
        if (!FolderSource(*folder.path).is_available()) {
            throw ConfigError(concat({std::string(folder.option), ": there is no folder '", *folder.path, "'"}));
        }
        search_path.add_folder(*folder.path, folder.provider);
    }
    return search_path.add(program.search_path);
}

AUDYN_INLINE Config compose_from_command_line(const CommandLine& command_line, const Program& program,
                                              const std::string& config_name, const std::vector<std::string>& overrides,
                                              ComposeOptions options) {
    if (command_line.job.start && !options.start) {
        options.start = static_cast<std::time_t>(*command_line.job.start);
    }
    Config config = compose(search_path_of(command_line, program), config_name, overrides, program.resolvers, options);
    Config hydra = config.hydra();
    if (hydra.at("job.name").is_missing()) {
        hydra.set("job.name", command_line.program);
    }
    return config;
}

AUDYN_INLINE Config compose_from_command_line(const CommandLine& command_line, const Program& program,
                                              const ComposeOptions& options) {
    return compose_from_command_line(command_line, program,
                                     command_line.config_name.value_or(program.default_config_name),
                                     command_line.overrides, options);
}

AUDYN_INLINE Config with_hydra(const Config& config) {
    Value root = Value::dict();
    root.set(Key("hydra"), config.hydra().to_value());
    const Value job = config.root().to_value();
    for (const Value::Entry& entry : job.entries()) {
        root.set(entry.key, *entry.value);
    }
    return Config(std::move(root), config.environment());
}

} // namespace audyn::config
