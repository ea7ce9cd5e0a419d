#pragma once

#include <audyn/checkpoint/find.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/version.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/trainer/finite.hpp>
#include <audyn/trainer/gather_states.hpp>
#include <audyn/trainer/rank_metrics.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <exception>

namespace audyn::trainer {

AUDYN_INLINE TrainerBase::TrainerBase(TrainerOptions options, std::shared_ptr<logging::Console> console)
    : options_(std::move(options)),
      report_(std::move(console), options_.progress_bar()),
      saver_(options_.save_checkpoint()) {}

AUDYN_INLINE std::shared_ptr<logging::Console> TrainerBase::make_console(int64_t rank) {
    logging::ConsoleOptions options;
    options.main_process = rank == 0;
    if (!options.main_process) {
        options.name += ", rank " + std::to_string(rank);
    }
    return std::make_shared<logging::Console>(std::move(options));
}

AUDYN_INLINE void TrainerBase::initialize_metrics(const std::vector<std::string>& names) {
    metric_names_ = names;
    train_sums_ = MetricSums(names);
}

AUDYN_INLINE void TrainerBase::notify_validation_batch(const data::Batch& batch, const Outputs& outputs) {
    notify([&](Callback& callback) { callback.on_validation_batch_end(*this, batch, outputs); });
}

AUDYN_INLINE bool TrainerBase::finished() const {
    return stop_reason_.has_value() || epoch_idx_ >= epochs_ || iteration_idx_ >= iterations_;
}

AUDYN_INLINE bool TrainerBase::is_end_of_epoch_missing() const {
    return !stop_reason_ && ended_iteration_idx_ < iteration_idx_ && iteration_idx_ <= iterations_;
}

} // namespace audyn::trainer

namespace audyn::trainer::detail {

AUDYN_INLINE EvaluationScope::EvaluationScope(torch::nn::Module& module)
    : module_(module), was_training_(module.is_training()) {
    module_.eval();
}

AUDYN_INLINE EvaluationScope::~EvaluationScope() {
    if (was_training_) {
        module_.train();
    }
}

} // namespace audyn::trainer::detail

namespace audyn::trainer {

AUDYN_INLINE Progress TrainerBase::plan(const data::Loader& train) {
    options_.check();
    if (world_size() > 1 && options_.save_checkpoint().save_on_exception) {
        throw UsageError(
            "save_checkpoint.save_on_exception does not work on several ranks: the state takes the part of "
            "each of them, and one has failed; use save_checkpoint.iteration or every_seconds");
    }
    if (lr_scheduler_ && lr_scheduler_->needs_metric() && options_.lr_scheduler() == SchedulerInterval::iteration) {
        throw UsageError("this scheduler follows a metric of an epoch: it steps per epoch, not per iteration");
    }
    is_uneven_ = false;
    loader_batches_ = gather_batches(train.size());
    const bool dry = options_.fast_dev_run();
    const int64_t accumulation = options_.gradient_accumulation();
    batches_per_epoch_ =
        dry ? std::min<int64_t>(1, loader_batches_) : options_.limit_train_batches().of(loader_batches_);
    if (batches_per_epoch_ < 1) {
        throw DataError("there is nothing to train on: the loader gives " + std::to_string(loader_batches_) +
                        " batches an epoch" + (loader_batches_ > 0 ? ", and limit_train_batches leaves none" : ""));
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

AUDYN_INLINE std::vector<int64_t> TrainerBase::gather_numbers(int64_t own) {
    if (world_size() == 1) {
        return {own};
    }
    std::vector<int64_t> numbers;
    for (const at::Tensor& rank : all_gather(at::full({1}, own, at::kLong))) {
        numbers.push_back(rank.item<int64_t>());
    }
    return numbers;
}

/// Batches of the rank that has most. The others join in when theirs are done.
AUDYN_INLINE int64_t TrainerBase::gather_batches(int64_t own) {
    const std::vector<int64_t> batches = gather_numbers(own);
    const auto [least, most] = std::minmax_element(batches.begin(), batches.end());
    if (*least == *most) {
        return own;
    }
    is_uneven_ = true;
    const auto rank_with = [&](auto found) {
        return "rank " + std::to_string(found - batches.begin()) + " has " + std::to_string(*found) + " batches";
    };
    const std::string uneven = rank_with(least) + " an epoch, and " + rank_with(most);
    if (*least < 1) {
        throw DataError("there is nothing to train on: " + uneven + "; each needs at least one");
    }
    if (batches.front() < *most) {
        throw UsageError(uneven + ": give rank 0 the most, for its buffers and its position are those of the job");
    }
    try {
        check_join();
    } catch (const UsageError& error) {
        throw UsageError(uneven + ", but " + error.what() + "; give all ranks the same number");
    }
    return *most;
}

AUDYN_INLINE void TrainerBase::fit(data::Loader& train, std::vector<NamedLoader> validation) {
    plan(train);
    stop_reason_.reset();
    phase_ = Phase::boundary;
    boundary_state_.reset();
    is_trained_ = false;
    if (options_.fast_dev_run()) {
        report_.mute_loggers();
    }
    module().train();
    const core::SignalScope signals(saves() && resume_path() ? options_.signals() : std::vector<SignalAction>());
    try {
        continue_with(train);
        try {
            run(train, validation);
        } catch (const ExitSignal& signal) {
            exit_by(signal.number);
        }
    } catch (const std::exception& error) {
        report_.bar().finish();
        settle_saves();
        if (options_.save_checkpoint().save_on_exception && dynamic_cast<const Interrupted*>(&error) == nullptr) {
            save_after_exception();
        }
        notify([&](Callback& callback) { callback.on_exception(*this, error); });
        throw;
    }
    report_.flush();
}

AUDYN_INLINE void TrainerBase::run(data::Loader& train, std::vector<NamedLoader>& validation) {
    if (saves() && is_main_process()) {
        for (const auto& file : checkpoint::remove_leftovers(options_.save_checkpoint())) {
            console().info("Removed " + file.string() + ", which a run that died has left half written.");
        }
    }
    last_save_ = Clock::now();
    notify([&](Callback& callback) { callback.on_fit_start(*this); });
    run_epochs(train, validation);
    notify([&](Callback& callback) { callback.on_fit_end(*this); });
}

AUDYN_INLINE void TrainerBase::run_epochs(data::Loader& train, std::vector<NamedLoader>& validation) {
    if (finished() && !is_end_of_epoch_missing()) {
        console().info("Nothing to train: " + std::to_string(iteration_idx_) + " of " + std::to_string(iterations_) +
                       " iterations are done.");
    }
    report_.bar().start_training(iterations_, iteration_idx_);
    while (!finished() || is_end_of_epoch_missing()) {
        train_epoch(train);
        end_epoch(validation);
    }
    finish_saves();
    report_.bar().finish();
    if (stop_reason_) {
        console().info("Training stopped: " + *stop_reason_ + ".");
    }
    if (best_checkpoint_) {
        console().info("Best total loss: " + format_number(best_loss_) + ", saved in " + *best_checkpoint_ + ".");
    }
}

AUDYN_INLINE std::optional<data::Batch> TrainerBase::next_batch(data::Loader& loader, bool may_end) {
    std::optional<data::Batch> batch = loader.next();
    if (!batch && !may_end) {
        throw DataError("the loader ended before the " + std::to_string(loader.size()) +
                        " batches that its size() promises");
    }
    if (batch && !options_.device().is_cpu()) {
        batch->to(options_.device());
    }
    return batch;
}

AUDYN_INLINE void TrainerBase::train_epoch(data::Loader& train) {
    const bool is_resumed_within = batch_idx_ > 0;
    if (!is_resumed_within) {
        restore_random_state();
        train_sums_.reset();
        consumed_samples_ = 0;
    }
    if (batch_idx_ < batches_per_epoch_ && !finished()) {
        train.start_epoch(epoch_idx_, consumed_samples_);
    }
    loader_state_ = train.state_dict();
    if (is_resumed_within) {
        restore_random_state();
    } else {
        notify([&](Callback& callback) { callback.on_epoch_start(*this); });
    }
    report_.bar().start_epoch(epoch_idx_ + 1, epochs_, iterations_per_epoch_,
                              batch_idx_ / options_.gradient_accumulation());
    while (batch_idx_ < batches_per_epoch_ && !finished()) {
        run_iteration(train);
    }
}

AUDYN_INLINE void TrainerBase::run_iteration(data::Loader& train) {
    const int64_t window = std::min(options_.gradient_accumulation(), batches_per_epoch_ - batch_idx_);
    if (options_.save_checkpoint().save_on_exception) {
        iteration_start_ = {batch_idx_, train_sums_, random_state(options_.device()), {}};
        for (const at::Tensor& buffer : module().buffers()) {
            iteration_start_->buffers.push_back(buffer.clone());
        }
    }
    phase_ = Phase::batches;
    zero_grad();
    train_sums_.start_iteration();
    int64_t samples = 0;
    for (int64_t i = 0; i < window; ++i) {
        run_batch(train, i + 1 == window, window, samples);
    }
    notify([&](Callback& callback) { callback.on_before_optimizer_step(*this); });
    phase_ = Phase::step;
    optimizer_step(options_.clip_grad_norm().has_value() || options_.clip_grad_value().has_value());
    const double used_learning_rate = learning_rate();
    if (lr_scheduler_ && options_.lr_scheduler() == SchedulerInterval::iteration) {
        lr_scheduler_->step();
    }
    consumed_samples_ = train.consumed_samples();
    ++iteration_idx_;
    is_trained_ = true;
    phase_ = Phase::boundary;
    report_.bar().advance(samples * world_size());
    if (iteration_idx_ % options_.log_every_n_iterations() == 0) {
        log_iteration(used_learning_rate);
    }
    notify([&](Callback& callback) { callback.on_iteration_end(*this); });
    at_boundary();
}

AUDYN_INLINE void TrainerBase::run_batch(data::Loader& train, bool is_last, int64_t window, int64_t& samples) {
    const std::optional<data::Batch> batch = next_batch(train, is_uneven_);
    if (!batch) {
        join_batch(is_last);
        ++batch_idx_;
        return;
    }
    samples += batch->batch_size();
    notify([&](Callback& callback) { callback.on_train_batch_start(*this, *batch); });
    train_batch(*batch, train_sums_, is_last, window);
    ++batch_idx_;
    notify([&](Callback& callback) { callback.on_train_batch_end(*this, *batch); });
}

/// The one place between iterations where a run saves and heeds signals. The last iteration's checkpoints wait for the
/// end of the epoch: they must hold what happens there.
AUDYN_INLINE void TrainerBase::at_boundary() {
    take_saved();
    // Several ranks ask each other only where an iteration is logged, so that no step waits for it.
    const bool is_asked = world_size() == 1 || iteration_idx_ % options_.log_every_n_iterations() == 0;
    const Wishes agreed = is_asked ? agree(wishes()) : Wishes();
    if (agreed.exit_signal != 0) {
        throw ExitSignal{agreed.exit_signal};
    }
    if (batch_idx_ < batches_per_epoch_ && !finished()) {
        save_iteration_checkpoints(agreed);
    }
}

AUDYN_INLINE TrainerBase::Wishes TrainerBase::wishes() {
    const std::optional<double>& seconds = options_.save_checkpoint().every_seconds;
    return {core::SignalScope::exit_signal(), core::SignalScope::save_signal(),
            seconds && saves() && Clock::now() - last_save_ >= std::chrono::duration<double>(*seconds)};
}

/// What all ranks do at this boundary.
AUDYN_INLINE TrainerBase::Wishes TrainerBase::agree(Wishes own) {
    if (world_size() == 1) {
        return own;
    }
    const at::Tensor wishes = at::empty({3}, at::kLong);
    int64_t* const values = wishes.mutable_data_ptr<int64_t>();
    values[0] = own.exit_signal;
    values[1] = own.save_signal;
    values[2] = own.is_save_due ? 1 : 0;
    Wishes agreed;
    for (const at::Tensor& rank : all_gather(wishes)) {
        const int64_t* const wish = rank.const_data_ptr<int64_t>();
        agreed.exit_signal = std::max(agreed.exit_signal, static_cast<int>(wish[0]));
        agreed.save_signal = std::max(agreed.save_signal, static_cast<int>(wish[1]));
        agreed.is_save_due = agreed.is_save_due || wish[2] != 0;
    }
    return agreed;
}

/// Ends the run within a validation of which `done` batches are done. Several ranks ask each other at some of the
/// `common` batches that all of them have.
AUDYN_INLINE void TrainerBase::heed_exit_signal(int64_t done, int64_t common) {
    if (world_size() > 1 && (done > common || done % options_.log_every_n_iterations() != 0)) {
        return;
    }
    const Wishes agreed =
        agree({.exit_signal = core::SignalScope::exit_signal(), .save_signal = 0, .is_save_due = false});
    if (agreed.exit_signal != 0) {
        throw ExitSignal{agreed.exit_signal};
    }
}

/// Of rank 0, which writes.
AUDYN_INLINE bool TrainerBase::is_writer_busy() {
    return gather_numbers(saver_.is_busy() ? 1 : 0).front() != 0;
}

AUDYN_INLINE std::vector<StateDict> TrainerBase::gather(const StateDict& own) {
    if (world_size() == 1) {
        return {own};
    }
    return gather_states(own, [this](const at::Tensor& tensor) { return all_gather(tensor); });
}

/// Over all ranks: each batch counts once, wherever it was.
AUDYN_INLINE std::vector<Metric> TrainerBase::epoch_means(const MetricSums& sums) {
    return world_size() == 1 ? sums.means() : means_of(merge_sums(gather(sums.state_dict())));
}

AUDYN_INLINE void TrainerBase::log_iteration(double learning_rate) {
    require_finite();
    at::Tensor sums = train_sums_.iteration_sums();
    all_reduce_sum(sums);
    report_.iteration(progress(), train_sums_.iteration_means_of(sums), learning_rate);
}

AUDYN_INLINE void TrainerBase::end_epoch(std::vector<NamedLoader>& validation) {
    require_finite();
    // What interrupts the end of an epoch leaves a state from which all of it is done again.
    boundary_state_ = checkpoint_state();
    const bool whole = batch_idx_ >= batches_per_epoch_;
    const std::vector<Metric> train_metrics = epoch_means(train_sums_);
    remember("train", train_metrics);
    const bool steps_per_epoch = lr_scheduler_ && whole && options_.lr_scheduler() == SchedulerInterval::epoch;
    if (steps_per_epoch && !lr_scheduler_->needs_metric()) {
        lr_scheduler_->step();
    }
    report_.epoch(progress(), "train", train_metrics);
    validate_all(validation);
    notify([&](Callback& callback) { callback.on_epoch_end(*this); });
    const std::string monitored = validation.empty() ? "train/total" : validation.front().name + "/total";
    const double loss = metric(monitored).value_or(std::numeric_limits<double>::infinity());
    if (steps_per_epoch && lr_scheduler_->needs_metric()) {
        step_by_metric(monitored);
    }
    // An epoch that the budget of iterations cut short stays open, so that a longer run can finish it.
    if (whole) {
        ++epoch_idx_;
        batch_idx_ = 0;
        consumed_samples_ = 0;
    }
    ended_iteration_idx_ = iteration_idx_;
    boundary_state_.reset();
    save_epoch_checkpoints(loss);
    report_.flush();
}

AUDYN_INLINE void TrainerBase::step_by_metric(const std::string& monitored) {
    const std::string name = lr_scheduler_->monitor().empty() ? monitored : lr_scheduler_->monitor();
    const auto value = metric(name);
    if (!value) {
        throw UsageError("lr_scheduler: there is no metric '" + name + "' to monitor");
    }
    lr_scheduler_->step(*value);
}

AUDYN_INLINE void TrainerBase::validate_all(std::vector<NamedLoader>& validation) {
    for (NamedLoader& named : validation) {
        const std::vector<Metric> metrics = validate(named.loader, named.name);
        report_.epoch(progress(), named.name, metrics);
    }
}

AUDYN_INLINE std::vector<Metric> TrainerBase::validate(data::Loader& loader, const std::string& name) {
    const detail::EvaluationScope scope(module());
    const int64_t batches = options_.fast_dev_run() ? std::min<int64_t>(1, loader.size())
                                                    : options_.limit_validation_batches().of(loader.size());
    if (batches < 1 && world_size() == 1) {
        throw DataError("there is nothing to evaluate: the loader '" + name + "' gives no batch");
    }
    synchronize_buffers();
    std::optional<optim::MovingAverageScope> averaged;
    if (moving_average() != nullptr) {
        averaged.emplace(*moving_average());
        synchronize_buffers(); // Averages may have buffers of their own.
    }
    MetricSums sums(metric_names_);
    pass_metrics_.clear();
    notify([&](Callback& callback) { callback.on_validation_start(*this); });
    report_.bar().start_pass(name, batches);
    loader.start_epoch(0);
    const std::vector<int64_t> ranks = gather_numbers(batches);
    const int64_t common = *std::min_element(ranks.begin(), ranks.end());
    for (int64_t i = 0; i < batches; ++i) {
        const std::optional<data::Batch> batch = next_batch(loader);
        evaluate_batch(*batch, sums);
        report_.bar().advance(batch->batch_size());
        heed_exit_signal(i + 1, common);
    }
    notify([&](Callback& callback) { callback.on_validation_end(*this); });
    std::vector<Metric> metrics = epoch_means(sums);
    if (metrics.empty()) {
        throw DataError("there is nothing to evaluate: the loader '" + name + "' gives no batch");
    }
    add_pass_metrics(metrics);
    remember(name, metrics);
    return metrics;
}

AUDYN_INLINE void TrainerBase::add_pass_metrics(std::vector<Metric>& metrics) {
    MetricSums sums;
    for (const Metric& metric : pass_metrics_) {
        sums.add(sums.slot(metric.name), metric.value);
    }
    const std::vector<Metric> means = epoch_means(sums);
    metrics.insert(metrics.end(), means.begin(), means.end());
}

AUDYN_INLINE void TrainerBase::remember(const std::string& loader, const std::vector<Metric>& metrics) {
    std::erase_if(metrics_, [&](const PassMetric& known) { return known.loader == loader; });
    for (const Metric& metric : metrics) {
        metrics_.push_back({loader, metric});
    }
}

AUDYN_INLINE std::optional<double> TrainerBase::metric(std::string_view name) const {
    for (const PassMetric& known : metrics_) {
        if (known.loader + "/" + known.metric.name == name) {
            return known.metric.value;
        }
    }
    return std::nullopt;
}

AUDYN_INLINE void TrainerBase::clip_gradients(const std::vector<at::Tensor>& parameters) {
    if (const auto max_norm = options_.clip_grad_norm()) {
        optim::clip_grad_norm_(parameters, *max_norm, options_.clip_grad_norm_type());
    }
    if (const auto value = options_.clip_grad_value()) {
        optim::clip_grad_value_(parameters, *value);
    }
}

AUDYN_INLINE std::optional<std::string> TrainerBase::resume_path() const {
    const auto pattern = options_.save_checkpoint().resume_path();
    if (!pattern) {
        return std::nullopt;
    }
    const bool is_last = options_.save_checkpoint().last.has_value();
    return checkpoint::format_checkpoint_path(
        *pattern, {.iteration = iteration_idx_, .epoch = is_last ? std::optional(epoch_idx_) : std::nullopt});
}

AUDYN_INLINE void TrainerBase::add_iteration_checkpoint(Paths& paths) {
    const auto& entry = options_.save_checkpoint().iteration;
    if (entry && iteration_idx_ % entry->every == 0) {
        paths.push_back(checkpoint::format_checkpoint_path(entry->path, {.iteration = iteration_idx_, .epoch = {}}));
        saver_.keep_iteration(paths.back());
    }
}

AUDYN_INLINE void TrainerBase::save_iteration_checkpoints(const Wishes& wishes) {
    if (!saves()) {
        return;
    }
    const bool is_asked = wishes.save_signal != 0;
    const auto& iteration = options_.save_checkpoint().iteration;
    const bool is_due = wishes.is_save_due || (iteration && iteration_idx_ % iteration->every == 0);
    const bool may_skip = options_.save_checkpoint().async == checkpoint::AsyncSave::skip && !is_asked;
    if (is_due && may_skip && is_writer_busy()) {
        console().warning("The checkpoint at iteration " + std::to_string(iteration_idx_) +
                          " is left out: the two before it are still being written.");
        return;
    }
    Paths paths;
    add_iteration_checkpoint(paths);
    if (is_asked || wishes.is_save_due) {
        paths.emplace_back(*resume_path());
    }
    if (is_asked) {
        console().info(core::signal_name(wishes.save_signal) + ": a checkpoint is saved.");
        core::SignalScope::clear_save_signal();
    }
    save(std::move(paths));
}

AUDYN_INLINE void TrainerBase::save_epoch_checkpoints(double monitored) {
    const int64_t epoch = batch_idx_ == 0 ? epoch_idx_ : epoch_idx_ + 1;
    const checkpoint::CheckpointNumbers numbers{.iteration = {}, .epoch = epoch};
    const checkpoint::SaveCheckpoint& entries = options_.save_checkpoint();
    const bool best = monitored < best_loss_;
    if (best) {
        best_loss_ = monitored;
    }
    if (!saves()) {
        return;
    }
    Paths paths;
    if (best && entries.best_epoch) {
        paths.push_back(checkpoint::format_checkpoint_path(*entries.best_epoch, numbers));
        best_checkpoint_ = paths.back().string();
    }
    if (entries.top_k) {
        const auto value = metric(entries.top_k->monitor);
        if (!value) {
            throw UsageError("save_checkpoint.top_k: there is no metric '" + entries.top_k->monitor + "' to monitor");
        }
        if (saver_.is_among_best(*value)) {
            paths.push_back(checkpoint::format_checkpoint_path(entries.top_k->path, numbers));
            saver_.keep_best(paths.back(), *value);
        }
    }
    if (entries.epoch && epoch % entries.epoch->every == 0) {
        paths.push_back(checkpoint::format_checkpoint_path(entries.epoch->path, numbers));
        saver_.keep_epoch(paths.back());
    }
    add_iteration_checkpoint(paths);
    if (entries.last) {
        paths.push_back(
            checkpoint::format_checkpoint_path(*entries.last, {.iteration = iteration_idx_, .epoch = epoch}));
        core::SignalScope::clear_save_signal();
    }
    save(std::move(paths));
}

/// Writes the state to each of `paths`, or begins to.
AUDYN_INLINE void TrainerBase::save(Paths paths) {
    require_finite();
    if (paths.empty()) {
        return;
    }
    for (auto path = paths.begin(); path != paths.end();) { // Two entries may name one file.
        path = std::find(paths.begin(), path, *path) != path ? paths.erase(path) : path + 1;
    }
    report_.flush(); // What was logged must not be behind the state.
    last_save_ = Clock::now();
    // The check reads every parameter; it has its place where the state is written, in the background if need be.
    const auto check = [names = parameter_names(module()), iteration = iteration_idx_,
                        good = good_checkpoint()](const StateDict& state) {
        if (const auto bad = first_non_finite(state.at("model").as_dict(), names)) {
            throw TrainingError("the parameter '" + *bad + "' is not finite after iteration " +
                                std::to_string(iteration) + "; nothing is saved. " + good);
        }
    };
    due_files_ = paths;
    const StateDict state = current_state();
    due_files_.clear();
    if (!is_main_process()) {
        return;
    }
    saver_.write(std::move(paths), state, check);
    take_saved();
}

/// Waits for what is being written.
AUDYN_INLINE void TrainerBase::finish_saves() {
    saver_.wait();
    take_saved();
}

/// The same when the run ends by an exception, which matters more than what goes wrong here.
AUDYN_INLINE void TrainerBase::settle_saves() noexcept {
    try {
        finish_saves();
    } catch (const std::exception& error) {
        console().error(error.what());
    }
}

/// Tells what became of checkpoints that were being written. \throws what prevented one, unless training shall go on
AUDYN_INLINE void TrainerBase::take_saved() {
    std::exception_ptr failure;
    for (const checkpoint::Saver::Result& result : saver_.take_results()) {
        if (result.error) {
            failure = failure ? failure : result.error;
            continue;
        }
        console().info("Save model: " + result.path.string() + ".");
        last_checkpoint_ = result.path.string();
        notify([&](Callback& callback) { callback.on_checkpoint_saved(*this, result.path.string()); });
    }
    if (!failure) {
        return;
    }
    try {
        std::rethrow_exception(failure);
    } catch (const CheckpointError& error) {
        if (options_.save_checkpoint().on_failure == checkpoint::SaveFailure::stop) {
            throw;
        }
        console().error(std::string(error.what()) + "; training goes on. " + good_checkpoint() + ".");
    }
}

/// Saves the state, and ends the run.
AUDYN_INLINE void TrainerBase::exit_by(int signal) {
    const std::string name = core::signal_name(signal);
    console().info(name + ": the state is saved, and the run ends.");
    finish_saves();
    const std::string path = *resume_path();
    save({path});
    finish_saves();
    throw Interrupted(signal, name + " ended the run after iteration " + std::to_string(iteration_idx_) +
                                  (last_checkpoint_ == path || !is_main_process()
                                       ? "; resume it from " + path
                                       : ", and its state could not be saved. " + good_checkpoint()));
}

/// The exception that is being handled matters more than what goes wrong here.
AUDYN_INLINE void TrainerBase::save_after_exception() noexcept {
    try {
        if (phase_ == Phase::step || !is_trained_) {
            return;
        }
        roll_back_iteration();
        save({*resume_path()});
        finish_saves();
    } catch (const std::exception& error) {
        console().error(std::string("The state before the exception is not saved: ") + error.what());
    }
}

/// Goes back to the last boundary from within an iteration, before its optimizer step.
AUDYN_INLINE void TrainerBase::roll_back_iteration() {
    if (phase_ != Phase::batches || !iteration_start_) {
        return;
    }
    phase_ = Phase::boundary;
    batch_idx_ = iteration_start_->batch_idx;
    train_sums_ = iteration_start_->sums;
    load_random_state(iteration_start_->random_state, options_.device());
    const c10::NoGradGuard no_grad;
    const std::vector<at::Tensor> buffers = module().buffers();
    for (std::size_t i = 0; i < buffers.size(); ++i) {
        at::Tensor(buffers[i]).copy_(iteration_start_->buffers[i]);
    }
}

AUDYN_INLINE void TrainerBase::save_checkpoint(const std::string& path) {
    if (phase_ != Phase::boundary) {
        throw UsageError("save_checkpoint was called within an iteration; call it from on_iteration_end or later");
    }
    require_finite();
    finish_saves();
    report_.flush();
    const StateDict state = current_state();
    if (is_main_process()) {
        if (const auto bad = first_non_finite(state.at("model").as_dict(), parameter_names(module()))) {
            throw TrainingError("the parameter '" + *bad + "' is not finite after iteration " +
                                std::to_string(iteration_idx_) + "; nothing is saved. " + good_checkpoint());
        }
        checkpoint::save(path, state);
        console().info("Save model: " + path + ".");
    }
    last_checkpoint_ = path;
    notify([&](Callback& callback) { callback.on_checkpoint_saved(*this, path); });
}

AUDYN_INLINE std::string TrainerBase::good_checkpoint() const {
    return last_checkpoint_ ? "The last good checkpoint is " + *last_checkpoint_
                            : std::string("No checkpoint was saved before");
}

AUDYN_INLINE void TrainerBase::require_finite() {
    const auto bad = train_sums_.first_non_finite();
    if (!bad) {
        return;
    }
    const int64_t accumulation = options_.gradient_accumulation();
    const int64_t done_in_epoch = (batch_idx_ + accumulation - 1) / accumulation;
    const int64_t iteration = iteration_idx_ - done_in_epoch + bad->batch / accumulation + 1;
    throw TrainingError("the loss '" + bad->name + "' is not finite at iteration " + std::to_string(iteration) +
                        " (epoch " + std::to_string(epoch_idx_ + 1) + "); training stops. " + good_checkpoint());
}

/// The state to resume from: of now, or of before the end of the epoch that is being done.
AUDYN_INLINE StateDict TrainerBase::current_state() {
    return boundary_state_ ? *boundary_state_ : checkpoint_state();
}

/// Audyn's keys, and under "audyn" what an exact resume needs beside them. Tensors are shared with the trainer.
AUDYN_INLINE StateDict TrainerBase::checkpoint_state() {
    StateDict state{{"model", checkpoint::module_state(module())},
                    {"optimizer", optimizer_state()},
                    {"lr_scheduler", lr_scheduler_ ? lr_scheduler_->state_dict() : StateDict()},
                    {"scaler", scaler_state()},
                    {"iteration_idx", iteration_idx_},
                    {"best_loss", best_loss_},
                    {"resolved_config", resolved_config_}};
    if (moving_average() != nullptr) {
        state.set("moving_average_model", moving_average()->model_state(module()));
    }
    state.set("audyn", position());
    state.set("_metadata", StateDict{{"version", version}, {"driver", "BaseTrainer"}});
    return state;
}

/// What Python ignores. Each rank has an item in "ranks"; the position counts samples in the epoch's permutation, over
/// the whole job.
AUDYN_INLINE StateDict TrainerBase::position() {
    state::List metrics;
    for (const PassMetric& known : metrics_) {
        metrics.emplace_back(state::Tuple{{known.loader, known.metric.name, known.metric.value}});
    }
    state::List files;
    for (const std::filesystem::path& file : due_files_) {
        files.emplace_back(file.string());
    }
    state::List ranks;
    for (StateDict& rank : gather(rank_state())) {
        ranks.emplace_back(std::move(rank));
    }
    StateDict sampler{{"epoch_idx", epoch_idx_}, {"consumed_samples", consumed_samples_}, {"loader", loader_state_}};
    return {{"format", 1},
            {"world_size", world_size()},
            {"epoch_idx", epoch_idx_},
            {"batch_idx", batch_idx_},
            {"batches_per_epoch", loader_batches_},
            {"ended_iteration_idx", ended_iteration_idx_},
            {"sampler", std::move(sampler)},
            {"ranks", std::move(ranks)},
            {"metrics", std::move(metrics)},
            {"best_checkpoint", best_checkpoint_ ? state::Value(*best_checkpoint_) : state::Value()},
            {"files", std::move(files)},
            {"kept_checkpoints", saver_.state_dict()},
            {"loggers", report_.logger_states()}};
}

/// What each rank has for itself.
AUDYN_INLINE StateDict TrainerBase::rank_state() {
    StateDict callbacks;
    for (const auto& callback : callbacks_) {
        callbacks.set(callback->name(), callback->state_dict());
    }
    return {{"random_state", random_state(options_.device())},
            {"metric_sums", train_sums_.state_dict()},
            {"callbacks", std::move(callbacks)},
            {"distribution", distribution_state()}};
}

AUDYN_INLINE void TrainerBase::resume(const std::string& path) {
    const ResumeSource source = load_for_resume(path, options_.save_checkpoint(), console());
    load_state_dict(source.state, source.path);
    is_restarted_ = false;
}

AUDYN_INLINE bool TrainerBase::resume_newest() {
    const auto source = load_newest(options_.save_checkpoint(), console());
    if (source) {
        load_state_dict(source->state, source->path);
        write_missing_files(*source);
    } else {
        console().info("There is no checkpoint to resume.");
        is_restarted_ = true;
    }
    return source.has_value();
}

/// Writes those files of a boundary, all of one state and in an order, that the run before did not come to.
AUDYN_INLINE void TrainerBase::write_missing_files(const ResumeSource& source) {
    const state::Value* position = source.state.find("audyn");
    if (position == nullptr || !saves() || !is_main_process()) {
        return;
    }
    bool is_missing = false;
    for (const state::Value& file : position->as_dict().at("files").as_list()) {
        if (is_missing) {
            checkpoint::save(file.as_string(), source.state);
            console().info("Save model: " + file.as_string() + ".");
        }
        is_missing = is_missing || file.as_string() == source.path;
    }
}

AUDYN_INLINE void TrainerBase::load_state_dict(const StateDict& state, const std::string& path) {
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
    ended_iteration_idx_ = iteration_idx_;
    is_position_unknown_ = !state.contains("audyn");
    if (!is_position_unknown_) {
        load_position(state.at("audyn").as_dict());
    }
    last_checkpoint_ = path;
    console().info("Resume training from: " + path + ".");
}

/// What belongs to callbacks, loggers and the loader waits for `fit`, when all of them are there.
AUDYN_INLINE void TrainerBase::load_position(const StateDict& state) {
    epoch_idx_ = state.at("epoch_idx").as_int();
    batch_idx_ = state.at("batch_idx").as_int();
    ended_iteration_idx_ = state.at("ended_iteration_idx").as_int();
    consumed_samples_ = state.at("sampler").as_dict().at("consumed_samples").as_int();
    load_rank_state(state);
    metrics_.clear();
    for (const state::Value& item : state.at("metrics").as_list()) {
        const std::vector<state::Value>& known = item.as_list();
        metrics_.push_back({known.at(0).as_string(), {known.at(1).as_string(), known.at(2).as_float()}});
    }
    if (const state::Value& best = state.at("best_checkpoint"); !best.is_none()) {
        best_checkpoint_ = best.as_string();
    }
    saver_.load_state_dict(state.at("kept_checkpoints").as_dict());
    resumed_ = state;
}

/// On another number of ranks the first of them takes what all had summed; what belongs to single ranks begins anew.
AUDYN_INLINE void TrainerBase::load_rank_state(const StateDict& position) {
    const std::vector<state::Value>& ranks = position.at("ranks").as_list();
    has_other_world_size_ = static_cast<int64_t>(ranks.size()) != world_size();
    if (!has_other_world_size_) {
        const StateDict& own = ranks.at(static_cast<std::size_t>(rank())).as_dict();
        train_sums_.load_state_dict(own.at("metric_sums").as_dict());
        if (const state::Value* const saved = own.find("distribution"); saved != nullptr && !saved->as_dict().empty()) {
            load_distribution_state(saved->as_dict());
        }
        return;
    }
    console().warning("The checkpoint is of " + std::to_string(ranks.size()) + " ranks, and here are " +
                      std::to_string(world_size()) +
                      ": the global batch changes with their number, and random numbers are drawn anew.");
    std::vector<StateDict> sums;
    for (const state::Value& saved : ranks) {
        sums.push_back(saved.as_dict().at("metric_sums").as_dict());
    }
    train_sums_.load_state_dict(rank() == 0 ? merge_sums(sums) : StateDict());
}

/// Goes on from the same sample of the epoch's order, in batches of the new global size.
AUDYN_INLINE void TrainerBase::continue_on_other_ranks(data::Loader& train) {
    const int64_t accumulation = options_.gradient_accumulation();
    int64_t remaining = batches_per_epoch_;
    if (batch_idx_ > 0) {
        remaining = std::min(remaining, gather_batches(train.remaining_batches(epoch_idx_, consumed_samples_)));
        batch_idx_ = batches_per_epoch_ - remaining;
    }
    if (options_.max_epochs()) {
        iterations_ = iteration_idx_ + (remaining + accumulation - 1) / accumulation +
                      std::max<int64_t>(epochs_ - epoch_idx_ - 1, 0) * iterations_per_epoch_;
    } else {
        const int64_t left = iterations_ - iteration_idx_ - (remaining + accumulation - 1) / accumulation;
        epochs_ = epoch_idx_ + 1 + std::max<int64_t>(left + iterations_per_epoch_ - 1, 0) / iterations_per_epoch_;
    }
}

/// Gives what was resumed to those that `fit` brings together.
AUDYN_INLINE void TrainerBase::continue_with(data::Loader& train) {
    const std::vector<int64_t> iterations = gather_numbers(iteration_idx_);
    for (std::size_t other = 1; other < iterations.size(); ++other) {
        if (iterations[other] != iterations[0]) {
            throw StateError("rank " + std::to_string(other) + " goes on from iteration " +
                             std::to_string(iterations[other]) + " and rank 0 from " + std::to_string(iterations[0]) +
                             ": all machines must see the same checkpoints, in a folder that they share");
        }
    }
    if (std::exchange(is_restarted_, false)) {
        report_.restart_loggers();
    }
    if (std::exchange(is_position_unknown_, false)) {
        // Audyn counts iterations only.
        epoch_idx_ = iteration_idx_ / iterations_per_epoch_;
        batch_idx_ = iteration_idx_ % iterations_per_epoch_ * options_.gradient_accumulation();
        consumed_samples_ = batch_idx_ == 0 ? 0 : train.consumed_samples_of(epoch_idx_, batch_idx_);
        plan(train);
    }
    const StateDict resumed = std::exchange(resumed_, StateDict());
    if (resumed.empty()) {
        return;
    }
    const bool is_on_other_ranks = std::exchange(has_other_world_size_, false);
    const StateDict& own =
        resumed.at("ranks").as_list().at(is_on_other_ranks ? 0 : static_cast<std::size_t>(rank())).as_dict();
    if (!is_on_other_ranks) {
        resumed_random_state_ = own.at("random_state").as_dict();
    }
    for (const auto& callback : callbacks_) {
        if (const state::Value* saved = own.at("callbacks").as_dict().find(callback->name())) {
            callback->load_state_dict(saved->as_dict());
        }
    }
    report_.load_logger_states(resumed.at("loggers").as_list());
    const int64_t batches = resumed.at("batches_per_epoch").as_int();
    if (batch_idx_ > 0 && batches != loader_batches_ && !is_on_other_ranks) {
        throw StateError("the checkpoint was written within an epoch of " + std::to_string(batches) +
                         " batches, and now the loader gives " + std::to_string(loader_batches_) +
                         ": resume with the same data and batch_size, or from the end of an epoch");
    }
    if (const StateDict& loader = resumed.at("sampler").as_dict().at("loader").as_dict(); !loader.empty()) {
        train.load_state_dict(loader);
    }
    if (is_on_other_ranks) {
        continue_on_other_ranks(train);
    }
}

/// Only once training goes on, so that what happens before draws nothing.
AUDYN_INLINE void TrainerBase::restore_random_state() {
    if (!resumed_random_state_.empty()) {
        load_random_state(std::exchange(resumed_random_state_, StateDict()), options_.device());
    }
}

} // namespace audyn::trainer
