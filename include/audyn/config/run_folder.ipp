#pragma once

#include <audyn/config/run_folder.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace audyn::config {

AUDYN_INLINE void set_job_number(const Config& config, std::int64_t number) {
    config.hydra().set("job.num", Value(number));
    config.hydra().set("job.id", Value(std::to_string(number)));
}

AUDYN_INLINE std::filesystem::path output_folder(const Config& config) {
    const Config whole = with_hydra(config);
    const auto text = [&whole](std::string_view key) {
        const Config node = whole.at(key);
        if (node.is_null() || node.kind() == Kind::list || node.is_dict()) {
            throw node.mismatch("the name of a folder");
        }
        return python_text(node.to_value(true));
    };
    const bool sweeps = whole.get_optional<std::string>("hydra.mode") == "MULTIRUN";
    const std::filesystem::path folder =
        sweeps ? std::filesystem::path(text("hydra.sweep.dir")) / text("hydra.sweep.subdir")
               : std::filesystem::path(text("hydra.run.dir"));
    const std::filesystem::path normal = std::filesystem::absolute(folder).lexically_normal();
    return normal.has_filename() || !normal.has_parent_path() ? normal : normal.parent_path();
}

} // namespace audyn::config

namespace audyn::config::detail {

AUDYN_INLINE void make_folder(const std::filesystem::path& folder) {
    std::error_code code;
    std::filesystem::create_directories(folder, code);
    if (code) {
        throw ConfigError(concat({"the folder '", folder.string(), "' cannot be made: ", code.message()}));
    }
}

AUDYN_INLINE void write_file(const std::filesystem::path& file, std::string_view text) {
    std::ofstream stream(file, std::ios::binary);
    stream << text;
    stream.close();
    if (!stream) {
        throw ConfigError(
            concat({"'", file.string(), "' cannot be written: ", std::generic_category().message(errno)}));
    }
}

AUDYN_INLINE void write_record(const Config& config, const std::string& resolved, const std::filesystem::path& folder) {
    make_folder(folder);
    Value hydra = Value::dict();
    hydra.set(Key("hydra"), config.hydra().to_value());
    write_file(folder / "config.yaml", config.root().to_yaml());
    write_file(folder / "hydra.yaml", emit_yaml(hydra));
    write_file(folder / "overrides.yaml", config.hydra().at("overrides.task").to_yaml());
    write_file(folder / "resolved_config.yaml", resolved);
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE void enter_run_folder(const Config& config, const std::filesystem::path& folder, RunFolder use) {
    config.hydra().set("runtime.output_dir", Value(folder.string()));
    const Config hydra = with_hydra(config).at("hydra");
    for (const auto& [name, value] : hydra.at("job.env_set").items()) {
        ::setenv(name.c_str(), python_text(value.to_value(true)).c_str(), 1);
    }
    const bool changes_folder = hydra.get_optional<bool>("job.chdir").value_or(false);
    if (use == RunFolder::none || (use == RunFolder::share && !changes_folder)) {
        return;
    }
    const auto subfolder = use == RunFolder::record ? hydra.get_optional<std::string>("output_subdir") : std::nullopt;
    const std::string resolved = subfolder ? config.root().to_yaml(true) : ""; // may fail: then nothing is made
    detail::make_folder(folder);
    if (subfolder) {
        detail::write_record(config, resolved, folder / *subfolder);
    }
    if (changes_folder) {
        std::filesystem::current_path(folder);
    }
}

} // namespace audyn::config
