#pragma once

#include <audyn/checkpoint/find.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/resume_source.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace audyn::trainer::detail {

AUDYN_INLINE std::optional<ResumeSource> load_first(const std::vector<std::filesystem::path>& files,
                                                    logging::Console& console) {
    for (const std::filesystem::path& file : files) {
        try {
            StateDict state = checkpoint::load(file);
            if (state.contains("model") && state.contains("optimizer") && state.contains("iteration_idx")) {
                return ResumeSource{file.string(), std::move(state)};
            }
        } catch (const CheckpointError& error) {
            console.warning(error.what());
        }
    }
    return std::nullopt;
}

AUDYN_INLINE std::vector<std::filesystem::path> alternatives(const std::filesystem::path& path,
                                                             const checkpoint::SaveCheckpoint& entries) {
    const auto is_same = [&path](const std::filesystem::path& other) {
        std::error_code ignored;
        return std::filesystem::equivalent(path, other, ignored);
    };
    std::vector<std::filesystem::path> files = checkpoint::find_checkpoints(entries);
    if (std::none_of(files.begin(), files.end(), is_same)) {
        files.clear();
        const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            if (entry.is_regular_file() && entry.path().extension() == path.extension()) {
                files.push_back(entry.path());
            }
        }
        files = checkpoint::newest_first(std::move(files));
    }
    std::erase_if(files, is_same);
    return files;
}

} // namespace audyn::trainer::detail

namespace audyn::trainer {

AUDYN_INLINE ResumeSource load_for_resume(const std::string& path, const checkpoint::SaveCheckpoint& entries,
                                          logging::Console& console) {
    try {
        return {path, checkpoint::load(path)};
    } catch (const CheckpointError& error) {
        if (!std::filesystem::is_regular_file(path)) {
            throw;
        }
        auto other = detail::load_first(detail::alternatives(path, entries), console);
        if (!other) {
            throw;
        }
        console.warning(std::string(error.what()) + "; the newest whole checkpoint, " + other->path +
                        ", takes the place of " + path);
        return std::move(*other);
    }
}

AUDYN_INLINE std::optional<ResumeSource> load_newest(const checkpoint::SaveCheckpoint& entries,
                                                     logging::Console& console) {
    const std::vector<std::filesystem::path> files = checkpoint::find_checkpoints(entries);
    auto found = detail::load_first(files, console);
    if (!found && !files.empty()) {
        throw CheckpointError("none of the " + std::to_string(files.size()) +
                              " checkpoints of this run can be read, the newest is " + files.front().string() +
                              "; move them away to start from the beginning");
    }
    if (found && found->path != files.front().string()) {
        console.warning(files.front().string() + " cannot be resumed; the newest whole checkpoint is " + found->path);
    }
    return found;
}

} // namespace audyn::trainer
