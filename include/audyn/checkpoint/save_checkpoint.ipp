#pragma once

#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <charconv>
#include <system_error>

namespace audyn::checkpoint {

AUDYN_INLINE std::optional<std::string> SaveCheckpoint::resume_path() const {
    return last || !iteration ? last : std::optional(iteration->path);
}

} // namespace audyn::checkpoint

namespace audyn::checkpoint::detail {

AUDYN_INLINE std::string format_integer(int64_t value, std::string_view specification) {
    std::string_view rest = specification;
    if (!rest.empty() && rest.back() == 'd') {
        rest.remove_suffix(1);
    }
    const bool zeros = !rest.empty() && rest.front() == '0';
    std::size_t width = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), width);
    if ((!rest.empty() && (error != std::errc() || end != rest.data() + rest.size())) || width > 100) {
        throw UsageError("the format ':" + std::string(specification) + "' is not known; use for example ':06d'");
    }
    const std::string digits = std::to_string(value);
    return std::string(width > digits.size() ? width - digits.size() : 0, zeros ? '0' : ' ') + digits;
}

AUDYN_INLINE std::string format_field(std::string_view field, const CheckpointNumbers& numbers) {
    const std::size_t colon = field.find(':');
    const std::string_view name = field.substr(0, colon);
    const std::string_view specification = colon == field.npos ? "" : field.substr(colon + 1);
    const std::optional<int64_t> value =
        name == "iteration" ? numbers.iteration : (name == "epoch" ? numbers.epoch : std::nullopt);
    if (!value) {
        const std::string known = std::string(numbers.iteration ? "{iteration}" : "") +
                                  (numbers.iteration && numbers.epoch ? " and " : "") +
                                  (numbers.epoch ? "{epoch}" : "");
        throw UsageError("{" + std::string(field) + "} has no value here; this path may hold " + known);
    }
    return format_integer(*value, specification);
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE std::filesystem::path format_checkpoint_path(std::string_view pattern, const CheckpointNumbers& numbers) {
    std::string path;
    try {
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            const char c = pattern[i];
            if ((c == '{' || c == '}') && i + 1 < pattern.size() && pattern[i + 1] == c) {
                path += pattern[i++];
            } else if (c == '{') {
                const std::size_t end = pattern.find('}', i);
                if (end == pattern.npos) {
                    throw UsageError("a '{' is not closed");
                }
                path += detail::format_field(pattern.substr(i + 1, end - i - 1), numbers);
                i = end;
            } else if (c == '}') {
                throw UsageError("a '}' closes nothing; write '}}' for the character itself");
            } else {
                path += c;
            }
        }
    } catch (const UsageError& error) {
        throw UsageError("the checkpoint path '" + std::string(pattern) + "': " + error.what());
    }
    return path;
}

AUDYN_INLINE void SaveCheckpoint::check() const {
    const auto require = [](bool holds, const std::string& message) {
        if (!holds) {
            throw UsageError("save_checkpoint: " + message);
        }
    };
    require(!iteration || iteration->every >= 1, "iteration.every must be at least 1");
    require(!epoch || epoch->every >= 1, "epoch.every must be at least 1");
    require(!every_seconds || *every_seconds > 0.0, "every_seconds must be positive");
    require(!keep_last || *keep_last >= 1, "keep_last must be at least 1");
    require(!every_seconds || resume_path(), "every_seconds needs the entry last or iteration");
    require(!save_on_exception || resume_path(), "save_on_exception needs the entry last or iteration");
    if (iteration) {
        static_cast<void>(format_checkpoint_path(iteration->path, {.iteration = 1, .epoch = {}}));
    }
    if (epoch) {
        static_cast<void>(format_checkpoint_path(epoch->path, {.iteration = {}, .epoch = 1}));
    }
    if (last) {
        static_cast<void>(format_checkpoint_path(*last, {.iteration = 1, .epoch = 1}));
    }
    if (best_epoch) {
        static_cast<void>(format_checkpoint_path(*best_epoch, {.iteration = {}, .epoch = 1}));
    }
    if (top_k) {
        require(top_k->k >= 1, "top_k.k must be at least 1");
        require(format_checkpoint_path(top_k->path, {.iteration = {}, .epoch = 1}) !=
                    format_checkpoint_path(top_k->path, {.iteration = {}, .epoch = 2}),
                "top_k.path must hold {epoch}, or each file would replace the one before");
    }
}

} // namespace audyn::checkpoint
