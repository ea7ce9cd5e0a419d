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

/// Whether a metric should fall or rise.
enum class MonitorMode { min, max };

/// The `k` epochs that are the best by a metric are kept; `path` holds `{epoch}`.
struct TopKCheckpoints {
    int64_t k = 1;
    std::string path;
    /// As in `TrainerBase::metric`: "validation/total", "validation/accuracy", ...
    std::string monitor = "validation/total";
    MonitorMode mode = MonitorMode::min;
};

/// Whether checkpoints are written while training goes on, and what happens to one that is due while the two before it
/// are still being written.
enum class AsyncSave {
    off,
    /// Training waits until one of them is written.
    wait,
    /// A checkpoint of `iteration` or `every_seconds` is left out; those of epochs, and the last, wait.
    skip,
};

/// What a run does when a checkpoint cannot be written. Earlier files stay as they were.
enum class SaveFailure {
    /// It ends with the error, at the next iteration boundary.
    stop,
    /// It says so and trains on.
    proceed,
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
    /// Writes `last` (`iteration` where there is no `last`) at the first iteration boundary after so many seconds
    /// without a checkpoint.
    std::optional<double> every_seconds = {};
    /// Of the files of `iteration`, and of those of `epoch`, only the newest so many are kept.
    std::optional<int64_t> keep_last = {};
    std::optional<TopKCheckpoints> top_k = {};
    AsyncSave async = AsyncSave::off;
    /// Also writes `last` (`iteration` where there is no `last`) when an exception ends the run: the state at the last
    /// iteration boundary.
    bool save_on_exception = false;
    SaveFailure on_failure = SaveFailure::stop;

    /// True when no file would ever be written.
    [[nodiscard]] bool empty() const { return !iteration && !epoch && !last && !best_epoch && !top_k; }
    /// The pattern of the file that holds a state between epochs: `last`, else that of `iteration`.
    [[nodiscard]] std::optional<std::string> resume_path() const {
        return last || !iteration ? last : std::optional(iteration->path);
    }
    /// \throws UsageError naming the options that contradict each other or lie out of range.
    void check() const;
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

inline void SaveCheckpoint::check() const {
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

namespace audyn {
using checkpoint::AsyncSave;
using checkpoint::MonitorMode;
using checkpoint::SaveCheckpoint;
using checkpoint::SaveFailure;
using checkpoint::TopKCheckpoints;
} // namespace audyn
