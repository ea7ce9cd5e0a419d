#pragma once

#include <audyn/core/error.hpp>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace audyn::checkpoint {

/// A checkpoint written every so often; `path` may hold `{iteration}` or `{epoch}`.
struct PeriodicCheckpoint {
    int64_t every = 1;
    std::string path;
};

/// Which checkpoints a run writes: Audyn's `train.output.save_checkpoint`. Each entry may be absent.
struct SaveCheckpoint {
    /// After every `every`-th iteration; `{iteration}` in the path.
    std::optional<PeriodicCheckpoint> iteration = {};
    /// After every `every`-th epoch; `{epoch}` in the path.
    std::optional<PeriodicCheckpoint> epoch = {};
    /// After every epoch, always under the same name unless it holds `{iteration}` or `{epoch}`.
    std::optional<std::string> last = {};
    /// After an epoch whose total validation loss is the least so far; `{epoch}` in the path.
    std::optional<std::string> best_epoch = {};
};

/// The numbers that a path may name: counts of finished iterations and epochs, so the first is 1.
struct CheckpointNumbers {
    std::optional<int64_t> iteration;
    std::optional<int64_t> epoch;
};

namespace detail {

/// `value` as Python's format specification `[0][width][d]` has it.
[[nodiscard]] inline std::string format_integer(int64_t value, std::string_view specification) {
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

/// The text for the replacement field `field`, "iteration" or "epoch:03d".
[[nodiscard]] inline std::string format_field(std::string_view field, const CheckpointNumbers& numbers) {
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

} // namespace detail

/// `pattern` with `{iteration}` and `{epoch}` replaced, as Python's `str.format` does; `{iteration:06d}` pads, `{{` and
/// `}}` stand for braces. \throws UsageError that quotes the pattern.
[[nodiscard]] inline std::filesystem::path format_checkpoint_path(std::string_view pattern,
                                                                  const CheckpointNumbers& numbers) {
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

} // namespace audyn::checkpoint

namespace audyn {
using checkpoint::SaveCheckpoint;
} // namespace audyn
