#pragma once

#include <audyn/checkpoint/save.hpp>
#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/checkpoint/saver.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/data/loader.hpp>
#include <audyn/logging/console.hpp>
#include <audyn/logging/logger.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/optim/moving_average.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>
#include <audyn/trainer/callback.hpp>
#include <audyn/trainer/metric_sums.hpp>
#include <audyn/trainer/options.hpp>
#include <audyn/trainer/random_state.hpp>
#include <audyn/trainer/report.hpp>
#include <audyn/trainer/resume_source.hpp>

#include <torch/nn/module.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// A loader for validation or test, with the name that its metrics are reported under.
struct NamedLoader {
    std::string name;
    data::Loader& loader;
};

/// Everything of a training that does not depend on the types of its parts: the loop over epochs and iterations,
/// callbacks, logging, saving and resuming. One iteration is one optimizer step, that is `gradient_accumulation`
/// batches; logging, schedulers, checkpoints and stopping act at that boundary only. The types come with `Trainer`.
class TrainerBase {
public:
    TrainerBase(const TrainerBase&) = delete;
    TrainerBase& operator=(const TrainerBase&) = delete;
    virtual ~TrainerBase() = default;

    /// Trains until the budget of the options is spent, or a callback stops it; validates after every epoch.
    /// \throws TrainingError when a loss is not finite; Interrupted when a signal ended the run, after its state was
    /// saved; CheckpointError; whatever callbacks, loaders and loggers throw.
    void fit(data::Loader& train, std::vector<NamedLoader> validation = {});
    void fit(data::Loader& train, data::Loader& validation) { fit(train, {{"validation", validation}}); }

    /// Evaluates the step on all of `loader` without gradients and in evaluation mode, by the moving average of the
    /// parameters where the optimizer has one; returns the mean of each metric.
    std::vector<Metric> validate(data::Loader& loader, const std::string& name = "validation");
    std::vector<Metric> test(data::Loader& loader) { return validate(loader, "test"); }

    /// Continues from a checkpoint, bit for bit: call it before `fit`. When the file is damaged, the newest whole one
    /// of the same run takes its place, with a warning that names both. A file that Python's Audyn wrote continues as
    /// Audyn would. \throws CheckpointError when there is none, StateError when it does not fit
    void resume(const std::string& path);
    /// Continues from the newest whole checkpoint among the files of the `save_checkpoint` option. False when there is
    /// none: then the run starts from the beginning. \throws CheckpointError when all that exist are damaged;
    /// StateError when it does not fit
    bool resume_newest();
    /// Writes the whole state, at once. Call it between iterations, on all ranks. \throws TrainingError when a loss or
    /// a parameter is not finite: nothing is written then; UsageError within an iteration; CheckpointError
    void save_checkpoint(const std::string& path);

    void add_callback(std::shared_ptr<Callback> callback) { callbacks_.push_back(std::move(callback)); }
    void add_logger(std::shared_ptr<logging::Logger> logger) { report_.add_logger(std::move(logger)); }
    /// It must have been made for this trainer's optimizer, or for that of the `part` it trains. One that follows a
    /// metric (ReduceLROnPlateau) steps at the end of an epoch, after validation, by the first validation loader's
    /// total unless it names another; where schedulers step by iteration, it may be a part of one that does, as after a
    /// warm-up. \throws UsageError when there is no such part
    void set_lr_scheduler(std::shared_ptr<optim::LRScheduler> scheduler, std::string_view part = {});
    /// Written into every checkpoint as `resolved_config`.
    void set_resolved_config(StateDict config) { resolved_config_ = std::move(config); }

    /// How long training on `train` will last under the options; `fit` begins with it. \throws DataError, UsageError
    Progress plan(const data::Loader& train);

    /// Ends the training at the next iteration boundary, after validation and the last checkpoint. On several ranks all
    /// of them call it at the same boundary.
    void stop(std::string reason) { stop_reason_ = std::move(reason); }
    [[nodiscard]] const std::optional<std::string>& stop_reason() const { return stop_reason_; }

    [[nodiscard]] const TrainerOptions& options() const { return options_; }
    /// Finished epochs.
    [[nodiscard]] int64_t epoch_idx() const { return epoch_idx_; }
    /// Finished iterations.
    [[nodiscard]] int64_t iteration_idx() const { return iteration_idx_; }
    /// Epochs and iterations of the whole run, known from `fit` on.
    [[nodiscard]] Progress progress() const { return {epoch_idx_ + 1, epochs_, iteration_idx_, iterations_}; }
    /// Least total loss of the first validation loader (of training where there is none) so far.
    [[nodiscard]] double best_loss() const { return best_loss_; }
    /// Where the best epoch was saved last, if it was.
    [[nodiscard]] const std::optional<std::string>& best_checkpoint() const { return best_checkpoint_; }
    /// The checkpoint written last by this run, if any.
    [[nodiscard]] const std::optional<std::string>& last_checkpoint() const { return last_checkpoint_; }
    /// Of the first parameter group.
    [[nodiscard]] double learning_rate() const { return parameter_groups().front().lr; }
    /// Of each parameter group as the log names it: "learning_rate"; of several groups "learning_rate pg1", ...; of
    /// several optimizers "learning_rate body", ...
    [[nodiscard]] virtual std::vector<Metric> learning_rates() const;

    /// The newest value of a metric, named as "validation/total" or "train/total"; nothing before it was measured.
    [[nodiscard]] std::optional<double> metric(std::string_view name) const;
    /// The same for `option`, which names one. \throws UsageError that tells those there are
    [[nodiscard]] double monitored_metric(const std::string& option, const std::string& name) const;
    /// Means over this rank's batches of the newest iteration, the total first. Waits for the device.
    [[nodiscard]] std::vector<Metric> iteration_metrics() const { return train_sums_.iteration_means(); }
    /// Adds a metric to the epoch's line and numbers of the loader being validated: from `on_validation_end`, on all
    /// ranks, whose mean counts.
    void log(std::string name, double value) { pass_metrics_.push_back({std::move(name), value}); }

    [[nodiscard]] logging::Console& console() { return report_.console(); }
    /// The bare module, never a wrapper.
    [[nodiscard]] virtual torch::nn::Module& module() = 0;
    [[nodiscard]] virtual const std::vector<optim::ParamGroup>& parameter_groups() const = 0;
    /// Of the parameters, or nullptr. Checkpoints hold it as `moving_average_model`.
    [[nodiscard]] virtual optim::AveragedParameters* moving_average() = 0;
    [[nodiscard]] virtual bool is_main_process() const = 0;
    [[nodiscard]] virtual int64_t rank() const = 0;
    [[nodiscard]] virtual int64_t world_size() const = 0;
    /// Adds `tensor` up over all ranks, in place; all of them call it.
    void sum_over_ranks(at::Tensor& tensor) { all_reduce_sum(tensor); }

protected:
    /// `driver`: the trainer's name, in log lines and in checkpoints.
    TrainerBase(TrainerOptions options, std::string driver, int64_t rank);

    /// Names of what every step measures; the first is the total.
    void initialize_metrics(const std::vector<std::string>& names);
    void notify_validation_batch(const data::Batch& batch, const Outputs& outputs);
    /// Clips, if `clipper` does, the gradients of a part: one of those that were set, or else 0.
    void clip_gradients(const std::optional<optim::GradClipper>& clipper, const std::vector<optim::ParamGroup>& groups,
                        std::size_t part = 0);
    /// In place of a single one: parts that have an optimizer and a scheduler each, and a total called "total PART".
    void set_parts(const std::vector<std::pair<std::string, SchedulerInterval>>& parts);
    /// An iteration changes parameters from here on: what goes wrong before its end cannot be taken back.
    void enter_step() { phase_ = Phase::step; }

    /// What a process would do at a boundary, by what only it sees.
    struct Wishes {
        int exit_signal = 0;
        int save_signal = 0;
        bool is_save_due = false;
    };
    /// The distribution's part: all ranks call these together.
    [[nodiscard]] virtual std::vector<at::Tensor> all_gather(const at::Tensor& tensor) = 0;
    /// Whether ranks may have different numbers of batches. \throws UsageError that says why not.
    virtual void check_join() = 0;
    /// Takes part in a forward and backward of ranks that have a batch more, with gradients of zero.
    virtual void join_batch(bool synchronize) = 0;
    virtual void all_reduce_sum(at::Tensor& tensor) = 0;
    virtual void synchronize_buffers() = 0;
    /// What only the distribution knows of the run, of this rank.
    [[nodiscard]] virtual StateDict distribution_state() = 0;
    virtual void load_distribution_state(const StateDict& state) = 0;

    /// Batches of a whole iteration.
    [[nodiscard]] virtual int64_t batches_per_iteration() const { return options_.gradient_accumulation(); }
    /// How often a whole iteration measures `metric`.
    [[nodiscard]] virtual int64_t values_per_iteration(std::string_view /*metric*/) const {
        return batches_per_iteration();
    }
    /// Forward and backward of one batch; gradients add up. `window`: batches of the iteration.
    virtual void train_batch(const data::Batch& batch, MetricSums& sums, bool synchronize, int64_t window) = 0;
    virtual void zero_grad() = 0;
    virtual void optimizer_step() = 0;
    /// Whether the optimizer computes the loss several times in a step, as LBFGS: by the next function.
    [[nodiscard]] virtual bool needs_closure() const { return false; }
    virtual void closure_step(const optim::Closure& /*closure*/) {}
    virtual void evaluate_batch(const data::Batch& batch, MetricSums& sums) = 0;
    [[nodiscard]] virtual StateDict optimizer_state() const = 0;
    virtual void load_optimizer_state(const StateDict& state) = 0;
    [[nodiscard]] virtual StateDict scaler_state() const = 0;
    virtual void load_scaler_state(const StateDict& state) = 0;

    /// What a checkpoint holds as `model`.
    [[nodiscard]] virtual StateDict model_state();
    virtual void load_model_state(const StateDict& state);
    /// What a checkpoint holds as `moving_average_model`, where there is one.
    [[nodiscard]] virtual StateDict moving_average_state();
    /// Appends the rates of `groups`, named as in learning_rates() with `prefix` for "learning_rate".
    static void append_learning_rates(const std::vector<optim::ParamGroup>& groups, const std::string& prefix,
                                      std::vector<Metric>& rates);

private:
    struct PassMetric {
        std::string loader;
        Metric metric;
    };
    using Clock = std::chrono::steady_clock;

    /// What an optimizer of its own trains.
    struct Part {
        std::string name;
        SchedulerInterval interval;
        std::shared_ptr<optim::LRScheduler> scheduler = nullptr;
        /// Of before the last clipping, a scalar on the gradients' device; undefined without.
        at::Tensor gradient_norm = {};

        [[nodiscard]] bool is_by(SchedulerInterval value) const { return scheduler && interval == value; }
    };

    /// Between iterations, in one before its optimizer step, or in that step.
    enum class Phase { boundary, batches, step };

    /// What an iteration changes before its optimizer step.
    struct IterationStart {
        int64_t batch_idx;
        MetricSums sums;
        StateDict random_state;
        std::vector<at::Tensor> buffers;
    };

    /// Ends the run, from wherever it is thrown.
    struct ExitSignal {
        int number;
    };

    [[nodiscard]] bool finished() const;
    /// True when the run was interrupted between the budget's last iteration and the end of its epoch.
    [[nodiscard]] bool is_end_of_epoch_missing() const;
    [[nodiscard]] std::vector<int64_t> gather_numbers(int64_t own);
    [[nodiscard]] int64_t gather_batches(int64_t own, int64_t minimum);
    [[nodiscard]] bool saves() const { return !options_.fast_dev_run() && !options_.save_checkpoint().empty(); }
    void run(data::Loader& train, std::vector<NamedLoader>& validation);
    void run_epochs(data::Loader& train, std::vector<NamedLoader>& validation);
    void train_epoch(data::Loader& train);
    void run_iteration(data::Loader& train);
    void run_batch(data::Loader& train, bool is_last, int64_t window, int64_t& samples);
    void step_by_closure();
    [[nodiscard]] at::Tensor window_loss(const MetricSums& sums);
    void at_boundary();
    [[nodiscard]] Wishes wishes();
    [[nodiscard]] Wishes agree(Wishes own);
    void heed_exit_signal(int64_t done, int64_t common);
    [[nodiscard]] bool is_writer_busy();
    [[nodiscard]] std::vector<StateDict> gather(const StateDict& own);
    [[nodiscard]] std::vector<Metric> epoch_means(const MetricSums& sums);
    void add_pass_metrics(std::vector<Metric>& metrics);
    void log_iteration(const std::vector<Metric>& learning_rates);
    void end_epoch(std::vector<NamedLoader>& validation);
    void validate_all(std::vector<NamedLoader>& validation);
    void step_by_metric(const std::string& loader);
    void check_monitors(const std::vector<NamedLoader>& validation) const;
    [[nodiscard]] StateDict lr_scheduler_state() const;
    void load_lr_scheduler_state(const state::Value& state);

    /// Files that are due at one boundary, all with the same state.
    using Paths = std::vector<std::filesystem::path>;
    void save_epoch_checkpoints(double monitored);
    void save_iteration_checkpoints(const Wishes& wishes);
    void add_iteration_checkpoint(Paths& paths);
    void save(Paths paths);
    void finish_saves();
    void settle_saves() noexcept;
    void take_saved();
    [[noreturn]] void exit_by(int signal);
    void save_after_exception() noexcept;
    void roll_back_iteration();
    [[nodiscard]] std::optional<std::string> resume_path() const;
    [[nodiscard]] std::string good_checkpoint() const;
    void require_finite();
    [[nodiscard]] StateDict current_state();
    [[nodiscard]] StateDict checkpoint_state();
    [[nodiscard]] StateDict position();
    [[nodiscard]] StateDict rank_state();

    void load_state_dict(const StateDict& state, const std::string& path);
    void write_missing_files(const ResumeSource& source);
    void load_position(const StateDict& state);
    void load_rank_state(const StateDict& position);
    void continue_on_other_ranks(data::Loader& train);
    void continue_with(data::Loader& train);
    void restore_random_state();
    void remember(const std::string& loader, const std::vector<Metric>& metrics);
    [[nodiscard]] std::optional<data::Batch> next_batch(data::Loader& loader, bool may_end = false);

    template <class Function>
    void notify(const Function& function) {
        for (const auto& callback : callbacks_) {
            function(*callback);
        }
    }

    TrainerOptions options_;
    std::string driver_;
    Report report_;
    std::vector<std::shared_ptr<Callback>> callbacks_;
    std::vector<Part> parts_;
    StateDict resolved_config_;
    std::vector<std::string> metric_names_;
    MetricSums train_sums_;

    /// Of the rank that has most.
    int64_t batches_per_epoch_ = 0;
    /// Whether others have fewer, and join in with gradients of zero when theirs are done.
    bool is_uneven_ = false;
    int64_t iterations_per_epoch_ = 0;
    int64_t epochs_ = 0;
    int64_t iterations_ = 0;

    int64_t epoch_idx_ = 0;
    int64_t iteration_idx_ = 0;
    /// Batches of the current epoch that are done.
    int64_t batch_idx_ = 0;
    int64_t consumed_samples_ = 0;
    /// The iteration's, kept for an optimizer that needs a closure; nothing stands for one that others have.
    std::vector<std::optional<data::Batch>> window_;
    double best_loss_ = std::numeric_limits<double>::infinity();
    std::optional<std::string> best_checkpoint_;
    std::optional<std::string> last_checkpoint_;
    std::optional<std::string> stop_reason_;
    std::vector<PassMetric> metrics_;
    std::vector<Metric> pass_metrics_;

    checkpoint::Saver saver_;
    Clock::time_point last_save_ = Clock::now();
    Phase phase_ = Phase::boundary;
    /// With `save_on_exception` only.
    std::optional<IterationStart> iteration_start_;
    /// The state before the end of the epoch that is being done.
    std::optional<StateDict> boundary_state_;
    /// Iterations at the last end of an epoch, be it whole or the budget's part of one.
    int64_t ended_iteration_idx_ = 0;
    /// Of the checkpoint that is continued: what waits for `fit`.
    StateDict resumed_;
    StateDict resumed_random_state_;
    bool is_position_unknown_ = false;
    bool is_restarted_ = false;
    bool has_other_world_size_ = false;
    /// True when `fit` has done an iteration.
    bool is_trained_ = false;
    /// Batches of an epoch that the loader of the rank with most of them gives.
    int64_t loader_batches_ = 0;
    StateDict loader_state_;
    /// While they are being written.
    Paths due_files_;
};

namespace detail {

/// Evaluation mode and no gradients while it lives; afterwards the module trains again, if it did before.
class EvaluationScope {
public:
    explicit EvaluationScope(torch::nn::Module& module);
    EvaluationScope(const EvaluationScope&) = delete;
    EvaluationScope& operator=(const EvaluationScope&) = delete;
    ~EvaluationScope();

private:
    torch::nn::Module& module_;
    bool was_training_;
    c10::NoGradGuard no_grad_;
};

} // namespace detail

} // namespace audyn::trainer

namespace audyn {
using trainer::Metric;
using trainer::NamedLoader;
using trainer::TrainerBase;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/resuming.ipp>
#    include <audyn/trainer/saving.ipp>
#    include <audyn/trainer/trainer_base.ipp>
#endif
