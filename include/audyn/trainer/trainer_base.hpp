#pragma once

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/version.hpp>
#include <audyn/data/loader.hpp>
#include <audyn/logging/console.hpp>
#include <audyn/logging/logger.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>
#include <audyn/trainer/callback.hpp>
#include <audyn/trainer/metric_sums.hpp>
#include <audyn/trainer/options.hpp>
#include <audyn/trainer/random_state.hpp>
#include <audyn/trainer/report.hpp>

#include <ATen/ops/isfinite.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <exception>
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
    /// \throws TrainingError when a loss is not finite; whatever callbacks, loaders and loggers throw.
    void fit(data::Loader& train, std::vector<NamedLoader> validation = {});
    void fit(data::Loader& train, data::Loader& validation) { fit(train, {{"validation", validation}}); }

    /// Evaluates the step on all of `loader` without gradients and in evaluation mode; returns the mean of each metric.
    std::vector<Metric> validate(data::Loader& loader, const std::string& name = "validation");
    std::vector<Metric> test(data::Loader& loader) { return validate(loader, "test"); }

    /// Continues from a checkpoint: call it before `fit`. \throws CheckpointError, StateError
    void resume(const std::string& path);
    /// Writes the whole state. \throws TrainingError when a loss or a parameter is not finite: nothing is written then.
    void save_checkpoint(const std::string& path);

    void add_callback(std::shared_ptr<Callback> callback) { callbacks_.push_back(std::move(callback)); }
    void add_logger(std::shared_ptr<logging::Logger> logger) { report_.add_logger(std::move(logger)); }
    /// It must have been made for this trainer's optimizer.
    void set_lr_scheduler(std::shared_ptr<optim::LRScheduler> scheduler) { lr_scheduler_ = std::move(scheduler); }
    /// Written into every checkpoint as `resolved_config`.
    void set_resolved_config(StateDict config) { resolved_config_ = std::move(config); }

    /// How long training on `train` will last under the options; `fit` begins with it. \throws DataError, UsageError
    Progress plan(const data::Loader& train);

    /// Ends the training at the next iteration boundary, after validation and the last checkpoint.
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

    /// The newest value of a metric, named as "validation/total" or "train/total"; nothing before it was measured.
    [[nodiscard]] std::optional<double> metric(std::string_view name) const;
    /// Means over the batches of the newest iteration, the total first. Waits for the device.
    [[nodiscard]] std::vector<Metric> iteration_metrics() const { return train_sums_.iteration_means(); }
    /// Adds a metric to the epoch's line and numbers of the loader being validated: from `on_validation_end`.
    void log(std::string name, double value) { pass_metrics_.push_back({std::move(name), value}); }

    [[nodiscard]] logging::Console& console() { return report_.console(); }
    /// The bare module, never a wrapper.
    [[nodiscard]] virtual torch::nn::Module& module() = 0;
    [[nodiscard]] virtual const std::vector<optim::ParamGroup>& parameter_groups() const = 0;
    [[nodiscard]] virtual bool is_main_process() const = 0;

protected:
    TrainerBase(TrainerOptions options, std::shared_ptr<logging::Console> console)
        : options_(std::move(options)), report_(std::move(console), options_.progress_bar()) {}

    /// Names of what every step measures; the first is the total.
    void initialize_metrics(const std::vector<std::string>& names) {
        metric_names_ = names;
        train_sums_ = MetricSums(names);
    }
    void notify_validation_batch(const data::Batch& batch, const Outputs& outputs) {
        notify([&](Callback& callback) { callback.on_validation_batch_end(*this, batch, outputs); });
    }
    void clip_gradients(const std::vector<at::Tensor>& parameters);

    /// Forward and backward of one batch; gradients add up. `window`: batches of the iteration.
    virtual void train_batch(const data::Batch& batch, MetricSums& sums, bool synchronize, int64_t window) = 0;
    virtual void zero_grad() = 0;
    virtual void optimizer_step(bool clip) = 0;
    virtual void evaluate_batch(const data::Batch& batch, MetricSums& sums) = 0;
    [[nodiscard]] virtual StateDict optimizer_state() const = 0;
    virtual void load_optimizer_state(const StateDict& state) = 0;
    [[nodiscard]] virtual StateDict scaler_state() const = 0;
    virtual void load_scaler_state(const StateDict& state) = 0;

private:
    struct PassMetric {
        std::string loader;
        Metric metric;
    };

    [[nodiscard]] bool finished() const {
        return stop_reason_.has_value() || epoch_idx_ >= epochs_ || iteration_idx_ >= iterations_;
    }
    void run_epochs(data::Loader& train, std::vector<NamedLoader>& validation);
    void train_epoch(data::Loader& train);
    void run_iteration(data::Loader& train);
    void log_iteration();
    void end_epoch(std::vector<NamedLoader>& validation);
    void validate_all(std::vector<NamedLoader>& validation);
    void save_epoch_checkpoints(double monitored);
    void save_iteration_checkpoint();
    void require_finite();
    void require_finite_parameters();
    [[nodiscard]] StateDict checkpoint_state();
    void load_position(const StateDict& state);
    void remember(const std::string& loader, const std::vector<Metric>& metrics);
    [[nodiscard]] data::Batch next_batch(data::Loader& loader);

    template <class Function>
    void notify(const Function& function) {
        for (const auto& callback : callbacks_) {
            function(*callback);
        }
    }

    TrainerOptions options_;
    Report report_;
    std::vector<std::shared_ptr<Callback>> callbacks_;
    std::shared_ptr<optim::LRScheduler> lr_scheduler_;
    StateDict resolved_config_;
    std::vector<std::string> metric_names_;
    MetricSums train_sums_;

    int64_t batches_per_epoch_ = 0;
    int64_t iterations_per_epoch_ = 0;
    int64_t epochs_ = 0;
    int64_t iterations_ = 0;

    int64_t epoch_idx_ = 0;
    int64_t iteration_idx_ = 0;
    /// Batches of the current epoch that are done.
    int64_t batch_idx_ = 0;
    int64_t consumed_samples_ = 0;
    double best_loss_ = std::numeric_limits<double>::infinity();
    std::optional<std::string> best_checkpoint_;
    std::optional<std::string> last_checkpoint_;
    std::optional<std::string> stop_reason_;
    std::vector<PassMetric> metrics_;
    std::vector<Metric> pass_metrics_;
};

namespace detail {

/// Evaluation mode and no gradients while it lives; afterwards the module trains again, if it did before.
class EvaluationScope {
public:
    explicit EvaluationScope(torch::nn::Module& module) : module_(module), was_training_(module.is_training()) {
        module_.eval();
    }
    EvaluationScope(const EvaluationScope&) = delete;
    EvaluationScope& operator=(const EvaluationScope&) = delete;
    ~EvaluationScope() {
        if (was_training_) {
            module_.train();
        }
    }

private:
    torch::nn::Module& module_;
    bool was_training_;
    c10::NoGradGuard no_grad_;
};

} // namespace detail

inline Progress TrainerBase::plan(const data::Loader& train) {
    options_.check();
    const bool dry = options_.fast_dev_run();
    const int64_t accumulation = options_.gradient_accumulation();
    batches_per_epoch_ = dry ? std::min<int64_t>(1, train.size()) : options_.limit_train_batches().of(train.size());
    if (batches_per_epoch_ < 1) {
        throw DataError("there is nothing to train on: the loader gives " + std::to_string(train.size()) +
                        " batches an epoch" + (train.size() > 0 ? ", and limit_train_batches leaves none" : ""));
    }
    iterations_per_epoch_ = (batches_per_epoch_ + accumulation - 1) / accumulation;
    if (dry) {
        epochs_ = epoch_idx_ + 1;
        iterations_ = iteration_idx_ + 1;
    } else if (options_.max_epochs()) {
        epochs_ = *options_.max_epochs();
        iterations_ = epochs_ * iterations_per_epoch_;
    } else {
        iterations_ = *options_.max_iterations();
        epochs_ = (iterations_ + iterations_per_epoch_ - 1) / iterations_per_epoch_;
    }
    return progress();
}

inline void TrainerBase::fit(data::Loader& train, std::vector<NamedLoader> validation) {
    plan(train);
    stop_reason_.reset();
    if (options_.fast_dev_run()) {
        report_.mute_loggers();
    }
    module().train();
    try {
        notify([&](Callback& callback) { callback.on_fit_start(*this); });
        run_epochs(train, validation);
        notify([&](Callback& callback) { callback.on_fit_end(*this); });
    } catch (const std::exception& error) {
        report_.bar().finish();
        notify([&](Callback& callback) { callback.on_exception(*this, error); });
        throw;
    }
    report_.flush();
}

inline void TrainerBase::run_epochs(data::Loader& train, std::vector<NamedLoader>& validation) {
    if (finished()) {
        console().info("Nothing to train: " + std::to_string(iteration_idx_) + " of " + std::to_string(iterations_) +
                       " iterations are done.");
    }
    report_.bar().start_training(iterations_, iteration_idx_);
    while (!finished()) {
        train_epoch(train);
        end_epoch(validation);
    }
    report_.bar().finish();
    if (stop_reason_) {
        console().info("Training stopped: " + *stop_reason_ + ".");
    }
    if (best_checkpoint_) {
        console().info("Best total loss: " + format_number(best_loss_) + ", saved in " + *best_checkpoint_ + ".");
    }
}

inline data::Batch TrainerBase::next_batch(data::Loader& loader) {
    std::optional<data::Batch> batch = loader.next();
    if (!batch) {
        throw DataError("the loader ended before the " + std::to_string(loader.size()) +
                        " batches that its size() promises");
    }
    if (!options_.device().is_cpu()) {
        batch->to(options_.device());
    }
    return std::move(*batch);
}

inline void TrainerBase::train_epoch(data::Loader& train) {
    if (batch_idx_ == 0) {
        train_sums_.reset();
        consumed_samples_ = 0;
    }
    train.start_epoch(epoch_idx_, consumed_samples_);
    notify([&](Callback& callback) { callback.on_epoch_start(*this); });
    report_.bar().start_epoch(epoch_idx_ + 1, epochs_, iterations_per_epoch_,
                              batch_idx_ / options_.gradient_accumulation());
    while (batch_idx_ < batches_per_epoch_ && !finished()) {
        run_iteration(train);
    }
}

inline void TrainerBase::run_iteration(data::Loader& train) {
    const int64_t window = std::min(options_.gradient_accumulation(), batches_per_epoch_ - batch_idx_);
    zero_grad();
    train_sums_.start_iteration();
    int64_t samples = 0;
    for (int64_t i = 0; i < window; ++i) {
        const data::Batch batch = next_batch(train);
        samples += batch.batch_size();
        notify([&](Callback& callback) { callback.on_train_batch_start(*this, batch); });
        train_batch(batch, train_sums_, i + 1 == window, window);
        ++batch_idx_;
        notify([&](Callback& callback) { callback.on_train_batch_end(*this, batch); });
    }
    consumed_samples_ = train.consumed_samples();
    notify([&](Callback& callback) { callback.on_before_optimizer_step(*this); });
    optimizer_step(options_.clip_grad_norm().has_value() || options_.clip_grad_value().has_value());
    ++iteration_idx_;
    report_.bar().advance(samples);
    if (iteration_idx_ % options_.log_every_n_iterations() == 0) {
        log_iteration();
    }
    if (lr_scheduler_ && options_.lr_scheduler() == SchedulerInterval::iteration) {
        lr_scheduler_->step();
    }
    notify([&](Callback& callback) { callback.on_iteration_end(*this); });
    // The last iteration's checkpoint waits for the end of the epoch: it must hold what happens there.
    if (batch_idx_ < batches_per_epoch_ && !finished()) {
        save_iteration_checkpoint();
    }
}

inline void TrainerBase::log_iteration() {
    require_finite();
    const std::vector<Metric> metrics = train_sums_.iteration_means();
    report_.iteration(progress(), metrics, learning_rate());
}

inline void TrainerBase::end_epoch(std::vector<NamedLoader>& validation) {
    require_finite();
    const bool whole = batch_idx_ >= batches_per_epoch_;
    const std::vector<Metric> train_metrics = train_sums_.means();
    remember("train", train_metrics);
    if (lr_scheduler_ && whole && options_.lr_scheduler() == SchedulerInterval::epoch) {
        lr_scheduler_->step();
    }
    report_.epoch(progress(), "train", train_metrics);
    validate_all(validation);
    notify([&](Callback& callback) { callback.on_epoch_end(*this); });
    const std::string monitored = validation.empty() ? "train/total" : validation.front().name + "/total";
    const double loss = metric(monitored).value_or(std::numeric_limits<double>::infinity());
    // An epoch that the budget of iterations cut short stays open, so that a longer run can finish it.
    if (whole) {
        ++epoch_idx_;
        batch_idx_ = 0;
        consumed_samples_ = 0;
    }
    save_epoch_checkpoints(loss);
    save_iteration_checkpoint();
    report_.flush();
}

inline void TrainerBase::validate_all(std::vector<NamedLoader>& validation) {
    for (NamedLoader& named : validation) {
        const std::vector<Metric> metrics = validate(named.loader, named.name);
        report_.epoch(progress(), named.name, metrics);
    }
}

inline std::vector<Metric> TrainerBase::validate(data::Loader& loader, const std::string& name) {
    const detail::EvaluationScope scope(module());
    const int64_t batches = options_.fast_dev_run() ? std::min<int64_t>(1, loader.size())
                                                    : options_.limit_validation_batches().of(loader.size());
    if (batches < 1) {
        throw DataError("there is nothing to evaluate: the loader '" + name + "' gives no batch");
    }
    MetricSums sums(metric_names_);
    pass_metrics_.clear();
    notify([&](Callback& callback) { callback.on_validation_start(*this); });
    report_.bar().start_pass(name, batches);
    loader.start_epoch(0);
    for (int64_t i = 0; i < batches; ++i) {
        const data::Batch batch = next_batch(loader);
        evaluate_batch(batch, sums);
        report_.bar().advance(batch.batch_size());
    }
    notify([&](Callback& callback) { callback.on_validation_end(*this); });
    std::vector<Metric> metrics = sums.means();
    metrics.insert(metrics.end(), pass_metrics_.begin(), pass_metrics_.end());
    remember(name, metrics);
    return metrics;
}

inline void TrainerBase::remember(const std::string& loader, const std::vector<Metric>& metrics) {
    std::erase_if(metrics_, [&](const PassMetric& known) { return known.loader == loader; });
    for (const Metric& metric : metrics) {
        metrics_.push_back({loader, metric});
    }
}

inline std::optional<double> TrainerBase::metric(std::string_view name) const {
    for (const PassMetric& known : metrics_) {
        if (known.loader + "/" + known.metric.name == name) {
            return known.metric.value;
        }
    }
    return std::nullopt;
}

inline void TrainerBase::clip_gradients(const std::vector<at::Tensor>& parameters) {
    if (const auto max_norm = options_.clip_grad_norm()) {
        optim::clip_grad_norm_(parameters, *max_norm, options_.clip_grad_norm_type());
    }
    if (const auto value = options_.clip_grad_value()) {
        optim::clip_grad_value_(parameters, *value);
    }
}

inline void TrainerBase::save_iteration_checkpoint() {
    const auto& entry = options_.save_checkpoint().iteration;
    if (entry && iteration_idx_ % entry->every == 0 && !options_.fast_dev_run()) {
        save_checkpoint(checkpoint::format_checkpoint_path(entry->path, {.iteration = iteration_idx_, .epoch = {}}));
    }
}

inline void TrainerBase::save_epoch_checkpoints(double monitored) {
    const int64_t epoch = batch_idx_ == 0 ? epoch_idx_ : epoch_idx_ + 1;
    const checkpoint::SaveCheckpoint& entries = options_.save_checkpoint();
    const bool best = monitored < best_loss_;
    if (best) {
        best_loss_ = monitored;
    }
    if (options_.fast_dev_run()) {
        return;
    }
    if (best && entries.best_epoch) {
        save_checkpoint(checkpoint::format_checkpoint_path(*entries.best_epoch, {.iteration = {}, .epoch = epoch}));
        best_checkpoint_ = last_checkpoint_;
    }
    if (entries.epoch && epoch % entries.epoch->every == 0) {
        save_checkpoint(checkpoint::format_checkpoint_path(entries.epoch->path, {.iteration = {}, .epoch = epoch}));
    }
    if (entries.last) {
        save_checkpoint(
            checkpoint::format_checkpoint_path(*entries.last, {.iteration = iteration_idx_, .epoch = epoch}));
    }
}

inline void TrainerBase::save_checkpoint(const std::string& path) {
    require_finite();
    require_finite_parameters();
    if (is_main_process()) {
        checkpoint::save(path, checkpoint_state());
        console().info("Save model: " + path + ".");
    }
    last_checkpoint_ = path;
    notify([&](Callback& callback) { callback.on_checkpoint_saved(*this, path); });
}

inline void TrainerBase::require_finite() {
    const auto bad = train_sums_.first_non_finite();
    if (!bad) {
        return;
    }
    const int64_t accumulation = options_.gradient_accumulation();
    const int64_t done_in_epoch = (batch_idx_ + accumulation - 1) / accumulation;
    const int64_t iteration = iteration_idx_ - done_in_epoch + bad->batch / accumulation + 1;
    throw TrainingError("the loss '" + bad->name + "' is not finite at iteration " + std::to_string(iteration) +
                        " (epoch " + std::to_string(epoch_idx_ + 1) + "); training stops. " +
                        (last_checkpoint_ ? "The last good checkpoint is " + *last_checkpoint_
                                          : std::string("No checkpoint was saved before")));
}

inline void TrainerBase::require_finite_parameters() {
    const c10::NoGradGuard no_grad;
    for (const auto& parameter : module().named_parameters()) {
        // A sum that is finite has finite terms; the converse is checked only when it is not.
        if (!at::isfinite(parameter.value().sum()).item<bool>() &&
            !at::isfinite(parameter.value()).all().item<bool>()) {
            throw TrainingError("the parameter '" + parameter.key() + "' is not finite after iteration " +
                                std::to_string(iteration_idx_) + "; nothing is saved. " +
                                (last_checkpoint_ ? "The last good checkpoint is " + *last_checkpoint_
                                                  : std::string("No checkpoint was saved before")));
        }
    }
}

/// Audyn's keys, and under "audyn" what an exact resume needs beside them.
inline StateDict TrainerBase::checkpoint_state() {
    StateDict callbacks;
    for (const auto& callback : callbacks_) {
        callbacks.set(callback->name(), callback->state_dict());
    }
    StateDict position{{"epoch_idx", epoch_idx_},
                       {"batch_idx", batch_idx_},
                       {"consumed_samples", consumed_samples_},
                       {"metric_sums", train_sums_.state_dict()},
                       {"random_state", random_state(options_.device())},
                       {"callbacks", std::move(callbacks)}};
    return {{"model", checkpoint::module_state(module())},
            {"optimizer", optimizer_state()},
            {"lr_scheduler", lr_scheduler_ ? lr_scheduler_->state_dict() : StateDict()},
            {"scaler", scaler_state()},
            {"iteration_idx", iteration_idx_},
            {"best_loss", best_loss_},
            {"resolved_config", resolved_config_},
            {"audyn", std::move(position)},
            {"_metadata", StateDict{{"version", version}, {"driver", "BaseTrainer"}}}};
}

inline void TrainerBase::resume(const std::string& path) {
    const StateDict state = checkpoint::load(path);
    checkpoint::load_module_state(module(), state.at("model").as_dict());
    load_optimizer_state(state.at("optimizer").as_dict());
    if (lr_scheduler_) {
        lr_scheduler_->load_state_dict(state.at("lr_scheduler").as_dict());
    }
    if (!state.at("scaler").as_dict().empty()) {
        load_scaler_state(state.at("scaler").as_dict());
    }
    iteration_idx_ = state.at("iteration_idx").as_int();
    best_loss_ = state.at("best_loss").as_float();
    load_position(state.at("audyn").as_dict());
    last_checkpoint_ = path;
    console().info("Resume training from: " + path + ".");
}

inline void TrainerBase::load_position(const StateDict& state) {
    epoch_idx_ = state.at("epoch_idx").as_int();
    batch_idx_ = state.at("batch_idx").as_int();
    consumed_samples_ = state.at("consumed_samples").as_int();
    train_sums_.load_state_dict(state.at("metric_sums").as_dict());
    load_random_state(state.at("random_state").as_dict(), options_.device());
    for (const auto& callback : callbacks_) {
        if (const state::Value* saved = state.at("callbacks").as_dict().find(callback->name())) {
            callback->load_state_dict(saved->as_dict());
        }
    }
}

} // namespace audyn::trainer

namespace audyn {
using trainer::Metric;
using trainer::NamedLoader;
using trainer::TrainerBase;
} // namespace audyn
