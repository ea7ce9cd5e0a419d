#pragma once

#include <audyn/core/inline.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

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
    [[nodiscard]] std::optional<std::string> resume_path() const;
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
[[nodiscard]] AUDYN_INLINE std::string format_integer(int64_t value, std::string_view specification);

/// The text for the replacement field `field`, "iteration" or "epoch:03d".
[[nodiscard]] AUDYN_INLINE std::string format_field(std::string_view field, const CheckpointNumbers& numbers);

} // namespace detail

/// `pattern` with `{iteration}` and `{epoch}` replaced, as Python's `str.format` does; `{iteration:06d}` pads, `{{` and
/// `}}` stand for braces. \throws UsageError that quotes the pattern.
[[nodiscard]] AUDYN_INLINE std::filesystem::path format_checkpoint_path(std::string_view pattern,
                                                                        const CheckpointNumbers& numbers);

} // namespace audyn::checkpoint

namespace audyn {
using checkpoint::AsyncSave;
using checkpoint::MonitorMode;
using checkpoint::SaveCheckpoint;
using checkpoint::SaveFailure;
using checkpoint::TopKCheckpoints;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/save_checkpoint.ipp>
#endif
