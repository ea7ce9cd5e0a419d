#pragma once

#include <audyn/checkpoint/find.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <system_error>

namespace audyn::checkpoint {

AUDYN_INLINE std::vector<std::string> checkpoint_patterns(const SaveCheckpoint& entries) {
    std::vector<std::string> patterns;
    const auto add = [&patterns](const auto& entry, const auto& path) {
        if (entry) {
            patterns.push_back(path(*entry));
        }
    };
    const auto path = [](const auto& entry) { return entry.path; };
    const auto itself = [](const std::string& entry) { return entry; };
    add(entries.last, itself);
    add(entries.iteration, path);
    add(entries.epoch, path);
    add(entries.best_epoch, itself);
    add(entries.top_k, path);
    return patterns;
}

AUDYN_INLINE bool matches_checkpoint_pattern(std::string_view pattern, std::string_view path) {
    const auto take_number = [&path] {
        path.remove_prefix(std::min(path.find_first_not_of(' '), path.size()));
        const std::size_t digits = std::min(path.find_first_not_of("0123456789"), path.size());
        path.remove_prefix(digits);
        return digits > 0;
    };
    while (!pattern.empty()) {
        const bool is_doubled = pattern.starts_with("{{") || pattern.starts_with("}}");
        if (pattern.front() == '{' && !is_doubled) {
            pattern.remove_prefix(std::min(pattern.find('}'), pattern.size() - 1) + 1);
            if (!take_number()) {
                return false;
            }
            continue;
        }
        if (path.empty() || path.front() != pattern.front()) {
            return false;
        }
        pattern.remove_prefix(is_doubled ? 2 : 1);
        path.remove_prefix(1);
    }
    return path.empty();
}

} // namespace audyn::checkpoint

namespace audyn::checkpoint::detail {

AUDYN_INLINE std::pair<std::filesystem::path, std::string> fixed_beginning(const std::string& pattern) {
    const std::filesystem::path fixed = pattern.substr(0, pattern.find('{'));
    return {fixed.parent_path(), fixed.filename().string()};
}

AUDYN_INLINE void find_matches(const std::string& pattern, std::vector<std::filesystem::path>& found) {
    const std::filesystem::path folder = fixed_beginning(pattern).first;
    const bool is_deep = pattern.find('/', pattern.find('{')) != pattern.npos;
    std::error_code reason;
    auto entry = std::filesystem::recursive_directory_iterator(
        folder.empty() ? "." : folder, std::filesystem::directory_options::skip_permission_denied, reason);
    for (; !reason && entry != std::filesystem::recursive_directory_iterator(); entry.increment(reason)) {
        if (!is_deep) {
            entry.disable_recursion_pending();
        }
        const std::filesystem::path path = folder.empty() ? entry->path().lexically_relative(".") : entry->path();
        if (matches_checkpoint_pattern(pattern, path.string()) && entry->is_regular_file()) {
            found.push_back(path);
        }
    }
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE std::vector<std::filesystem::path> newest_first(std::vector<std::filesystem::path> files) {
    std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> dated;
    for (std::filesystem::path& file : files) {
        std::error_code reason;
        const auto time = std::filesystem::last_write_time(file, reason);
        const bool is_known =
            std::any_of(dated.begin(), dated.end(), [&](const auto& other) { return other.second == file; });
        if (!reason && !is_known) {
            dated.emplace_back(time, std::move(file));
        }
    }
    std::stable_sort(dated.begin(), dated.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::filesystem::path> sorted;
    for (auto& [time, file] : dated) {
        sorted.push_back(std::move(file));
    }
    return sorted;
}

AUDYN_INLINE std::vector<std::filesystem::path> find_checkpoints(const SaveCheckpoint& entries) {
    std::vector<std::filesystem::path> found;
    for (const std::string& pattern : checkpoint_patterns(entries)) {
        detail::find_matches(pattern, found);
    }
    return newest_first(std::move(found));
}

AUDYN_INLINE std::vector<std::filesystem::path> remove_leftovers(const SaveCheckpoint& entries) {
    std::vector<std::filesystem::path> removed;
    for (const std::string& pattern : checkpoint_patterns(entries)) {
        const auto [folder, prefix] = detail::fixed_beginning(pattern);
        const auto files = core::remove_leftovers(folder, prefix);
        removed.insert(removed.end(), files.begin(), files.end());
    }
    return removed;
}

} // namespace audyn::checkpoint
