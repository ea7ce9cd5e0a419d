#pragma once

#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/trainer/key_mapping.hpp>

#include <c10/core/Device.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::trainer {

/// When a scheduler steps; Audyn's `train.steps.lr_scheduler`.
enum class SchedulerInterval { never, iteration, epoch };

/// How many batches of a loader are used: a number, a fraction in (0, 1], or all.
class BatchLimit {
public:
    BatchLimit() = default;
    BatchLimit(int count) : BatchLimit(static_cast<int64_t>(count)) {}
    BatchLimit(int64_t count);
    BatchLimit(double fraction);

    /// The number of batches out of `batches`.
    [[nodiscard]] int64_t of(int64_t batches) const;

private:
    std::variant<std::monostate, int64_t, double> limit_;
};

/// Options of a trainer, set one after the other: `TrainerOptions().max_epochs(20).clip_grad_norm(1.0)`.
class TrainerOptions {
public:
    /// Whole epochs to train. Exclusive with `max_iterations`.
    TrainerOptions& max_epochs(int64_t value) { return set(max_epochs_, value); }
    /// Iterations (optimizer steps) to train. Exclusive with `max_epochs`.
    TrainerOptions& max_iterations(int64_t value) { return set(max_iterations_, value); }
    /// Batches whose gradients are averaged in one iteration.
    TrainerOptions& gradient_accumulation(int64_t value) { return set(gradient_accumulation_, value); }
    /// Clips gradients before each optimizer step.
    TrainerOptions& clip_gradient(optim::GradClipper value) { return set(clip_gradient_, std::move(value)); }
    /// The same, by the norm of all gradients together: at most `max_norm`. \throws UsageError unless it is positive
    TrainerOptions& clip_grad_norm(double max_norm);
    /// When the learning rate scheduler steps.
    TrainerOptions& lr_scheduler(SchedulerInterval value) { return set(lr_scheduler_, value); }
    /// Losses are read from the device and logged at every n-th iteration.
    TrainerOptions& log_every_n_iterations(int64_t value) { return set(log_every_n_iterations_, value); }
    TrainerOptions& limit_train_batches(BatchLimit value) { return set(limit_train_batches_, value); }
    TrainerOptions& limit_validation_batches(BatchLimit value) { return set(limit_validation_batches_, value); }
    /// One training and one validation batch, nothing saved or logged to files: does it run?
    TrainerOptions& fast_dev_run(bool value) { return set(fast_dev_run_, value); }
    /// Where the model and the batches live.
    TrainerOptions& device(at::Device value) { return set(device_, value); }
    /// Which values of a batch the model takes and what its outputs are called.
    TrainerOptions& key_mapping(KeyMapping value) { return set(key_mapping_, std::move(value)); }
    /// The same for validation and test, where it differs.
    TrainerOptions& validation_key_mapping(KeyMapping value) { return set(validation_key_mapping_, std::move(value)); }
    /// Which checkpoints are written, and when. Default: none.
    TrainerOptions& save_checkpoint(checkpoint::SaveCheckpoint value);
    /// What signals do while a run that writes `last` or `iteration` trains: by default SIGTERM saves and ends with
    /// `Interrupted` (exit code 143 in `audyn::main`), and SIGUSR1 saves and goes on.
    TrainerOptions& signals(std::vector<SignalAction> value) { return set(signals_, std::move(value)); }
    /// The live line on a terminal.
    TrainerOptions& progress_bar(bool value) { return set(progress_bar_, value); }

    [[nodiscard]] std::optional<int64_t> max_epochs() const { return max_epochs_; }
    [[nodiscard]] std::optional<int64_t> max_iterations() const { return max_iterations_; }
    [[nodiscard]] int64_t gradient_accumulation() const { return gradient_accumulation_; }
    [[nodiscard]] const std::optional<optim::GradClipper>& clip_gradient() const { return clip_gradient_; }
    [[nodiscard]] SchedulerInterval lr_scheduler() const { return lr_scheduler_; }
    [[nodiscard]] int64_t log_every_n_iterations() const { return log_every_n_iterations_; }
    [[nodiscard]] BatchLimit limit_train_batches() const { return limit_train_batches_; }
    [[nodiscard]] BatchLimit limit_validation_batches() const { return limit_validation_batches_; }
    [[nodiscard]] bool fast_dev_run() const { return fast_dev_run_; }
    [[nodiscard]] at::Device device() const { return device_; }
    [[nodiscard]] const KeyMapping& key_mapping() const { return key_mapping_; }
    [[nodiscard]] const KeyMapping& validation_key_mapping() const;
    [[nodiscard]] const checkpoint::SaveCheckpoint& save_checkpoint() const { return save_checkpoint_; }
    [[nodiscard]] const std::vector<SignalAction>& signals() const { return signals_; }
    [[nodiscard]] bool progress_bar() const { return progress_bar_; }

    /// \throws UsageError naming the options that contradict each other or lie out of range.
    void check() const;

private:
    template <class T, class V>
    TrainerOptions& set(T& member, V value) {
        member = std::move(value);
        return *this;
    }
    static void require(bool holds, const char* message);

    std::optional<int64_t> max_epochs_;
    std::optional<int64_t> max_iterations_;
    int64_t gradient_accumulation_ = 1;
    std::optional<optim::GradClipper> clip_gradient_;
    SchedulerInterval lr_scheduler_ = SchedulerInterval::iteration;
    int64_t log_every_n_iterations_ = 10;
    BatchLimit limit_train_batches_;
    BatchLimit limit_validation_batches_;
    bool fast_dev_run_ = false;
    at::Device device_{at::kCPU};
    KeyMapping key_mapping_;
    std::optional<KeyMapping> validation_key_mapping_;
    checkpoint::SaveCheckpoint save_checkpoint_;
    std::vector<SignalAction> signals_{{SIGTERM, SignalReaction::save_and_exit}, {SIGUSR1, SignalReaction::save}};
    bool progress_bar_ = true;
};

} // namespace audyn::trainer

namespace audyn {
using trainer::BatchLimit;
using trainer::SchedulerInterval;
using trainer::TrainerOptions;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/options.ipp>
#endif
