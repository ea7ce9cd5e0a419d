#pragma once

#include <audyn/checkpoint/find.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/trainer/gather_states.hpp>
#include <audyn/trainer/rank_metrics.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace audyn::trainer::detail {

AUDYN_INLINE std::shared_ptr<logging::Console> make_console(const std::string& driver, int64_t rank) {
    logging::ConsoleOptions options;
    options.name = driver;
    options.main_process = rank == 0;
    if (!options.main_process) {
        options.name += ", rank " + std::to_string(rank);
    }
    return std::make_shared<logging::Console>(std::move(options));
}

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

AUDYN_INLINE TrainerBase::TrainerBase(TrainerOptions options, std::string driver, int64_t rank)
    : options_(std::move(options)),
      driver_(std::move(driver)),
      report_(detail::make_console(driver_, rank), options_.progress_bar()),
      parts_{{{}, options_.lr_scheduler()}},
      saver_(options_.save_checkpoint()) {}

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

AUDYN_INLINE Progress TrainerBase::plan(const data::Loader& train) {
    options_.check();
    if (world_size() > 1 && options_.save_checkpoint().save_on_exception) {
        throw UsageError(
            "save_checkpoint.save_on_exception does not work on several ranks: the state takes the part of "
            "each of them, and one has failed; use save_checkpoint.iteration or every_seconds");
    }
    for (const Part& part : parts_) {
        if (part.is_by(SchedulerInterval::iteration) && !part.scheduler->steps_by_iteration()) {
            throw UsageError("the scheduler follows a metric of an epoch; let it step per epoch, by "
                             "steps.lr_scheduler 'epoch' in place of 'iteration'");
        }
    }
    is_uneven_ = false;
    loader_batches_ = gather_batches(train.size(), 1);
    const bool dry = options_.fast_dev_run();
    const int64_t window = batches_per_iteration();
    batches_per_epoch_ =
        dry ? std::min<int64_t>(1, loader_batches_) : options_.limit_train_batches().of(loader_batches_);
    if (batches_per_epoch_ < 1) {
        throw DataError("there is nothing to train on: the loader gives " + std::to_string(loader_batches_) +
                        " batches an epoch" + (loader_batches_ > 0 ? ", and limit_train_batches leaves none" : ""));
    }
    iterations_per_epoch_ = (batches_per_epoch_ + window - 1) / window;
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

/// Batches of the rank that has most. The others join in when theirs are done; each has at least `minimum`.
AUDYN_INLINE int64_t TrainerBase::gather_batches(int64_t own, int64_t minimum) {
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
    if (*least < minimum) {
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
    check_monitors(validation);
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
    report_.bar().start_epoch(epoch_idx_ + 1, epochs_, iterations_per_epoch_, batch_idx_ / batches_per_iteration());
    while (batch_idx_ < batches_per_epoch_ && !finished()) {
        run_iteration(train);
    }
}

AUDYN_INLINE void TrainerBase::run_iteration(data::Loader& train) {
    const int64_t window = std::min(batches_per_iteration(), batches_per_epoch_ - batch_idx_);
    if (options_.save_checkpoint().save_on_exception) {
        iteration_start_ = {batch_idx_, train_sums_, random_state(options_.device()), {}};
        for (const at::Tensor& buffer : module().buffers()) {
            iteration_start_->buffers.push_back(buffer.clone());
        }
    }
    phase_ = Phase::batches;
    zero_grad();
    train_sums_.start_iteration();
    window_.clear();
    int64_t samples = 0;
    for (int64_t i = 0; i < window; ++i) {
        run_batch(train, i + 1 == window, window, samples);
    }
    notify([&](Callback& callback) { callback.on_before_optimizer_step(*this); });
    phase_ = Phase::step;
    needs_closure() ? step_by_closure() : optimizer_step();
    // Those that this step used, before the schedulers change them.
    const bool is_logged = (iteration_idx_ + 1) % options_.log_every_n_iterations() == 0;
    const std::vector<Metric> used_rates = is_logged ? learning_rates() : std::vector<Metric>();
    for (const Part& part : parts_) {
        if (part.is_by(SchedulerInterval::iteration)) {
            part.scheduler->step_iteration();
        }
    }
    consumed_samples_ = train.consumed_samples();
    ++iteration_idx_;
    is_trained_ = true;
    phase_ = Phase::boundary;
    report_.bar().advance(samples * world_size());
    if (is_logged) {
        log_iteration(used_rates);
    }
    notify([&](Callback& callback) { callback.on_iteration_end(*this); });
    at_boundary();
}

AUDYN_INLINE void TrainerBase::run_batch(data::Loader& train, bool is_last, int64_t window, int64_t& samples) {
    const std::optional<data::Batch> batch = next_batch(train, is_uneven_);
    if (needs_closure()) {
        window_.push_back(batch);
    }
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

/// The first loss and gradients are those of the iteration's batches; what follows goes over the same batches again.
AUDYN_INLINE void TrainerBase::step_by_closure() {
    const auto window = static_cast<int64_t>(window_.size());
    bool is_first = true;
    const auto closure = [&] {
        if (std::exchange(is_first, false)) {
            return window_loss(train_sums_);
        }
        zero_grad();
        MetricSums sums(metric_names_);
        for (std::size_t i = 0; i < window_.size(); ++i) {
            const bool is_last = i + 1 == window_.size();
            window_[i] ? train_batch(*window_[i], sums, is_last, window) : join_batch(is_last);
        }
        return window_loss(sums);
    };
    closure_step(closure);
    window_.clear();
}

/// The loss that the gradients are of: the mean over the iteration's batches, and over ranks, of which none may decide
/// otherwise than the others. A 0-dim tensor, float64, CPU.
AUDYN_INLINE at::Tensor TrainerBase::window_loss(const MetricSums& sums) {
    at::Tensor all = sums.iteration_sums();
    all_reduce_sum(all);
    return all[0][0] / (static_cast<int64_t>(window_.size()) * world_size());
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

AUDYN_INLINE void TrainerBase::append_learning_rates(const std::vector<optim::ParamGroup>& groups,
                                                     const std::string& prefix, std::vector<Metric>& rates) {
    for (auto begin = groups.begin(); begin != groups.end();) {
        const std::string& optimizer = begin->optimizer_name;
        const auto end =
            std::find_if(begin, groups.end(), [&](const auto& one) { return one.optimizer_name != optimizer; });
        const std::string name = prefix + (optimizer.empty() ? "" : " " + optimizer);
        for (auto group = begin; group != end; ++group) {
            rates.push_back({end - begin == 1 ? name : name + " pg" + std::to_string(group - begin + 1), group->lr});
        }
        begin = end;
    }
}

AUDYN_INLINE std::vector<Metric> TrainerBase::learning_rates() const {
    std::vector<Metric> rates;
    append_learning_rates(parameter_groups(), "learning_rate", rates);
    return rates;
}

AUDYN_INLINE void TrainerBase::log_iteration(const std::vector<Metric>& learning_rates) {
    require_finite();
    at::Tensor sums = train_sums_.iteration_sums();
    all_reduce_sum(sums);
    std::vector<Metric> metrics = train_sums_.iteration_means_of(sums);
    for (const Part& part : parts_) {
        if (part.gradient_norm.defined()) {
            metrics.push_back(
                {"gradient_norm" + (part.name.empty() ? "" : " " + part.name), part.gradient_norm.item<double>()});
        }
    }
    report_.iteration(progress(), metrics, learning_rates);
}

AUDYN_INLINE void TrainerBase::end_epoch(std::vector<NamedLoader>& validation) {
    require_finite();
    // What interrupts the end of an epoch leaves a state from which all of it is done again.
    boundary_state_ = checkpoint_state();
    const bool whole = batch_idx_ >= batches_per_epoch_;
    const std::vector<Metric> train_metrics = epoch_means(train_sums_);
    remember("train", train_metrics);
    for (const Part& part : parts_) {
        if (whole && part.is_by(SchedulerInterval::epoch) && !part.scheduler->needs_metric()) {
            part.scheduler->step();
        }
    }
    report_.epoch(progress(), "train", train_metrics);
    validate_all(validation);
    notify([&](Callback& callback) { callback.on_epoch_end(*this); });
    const std::string monitored = validation.empty() ? "train" : validation.front().name;
    const double loss =
        metric(monitored + "/" + metric_names_.front()).value_or(std::numeric_limits<double>::infinity());
    if (whole) {
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

AUDYN_INLINE void TrainerBase::set_parts(const std::vector<std::pair<std::string, SchedulerInterval>>& parts) {
    parts_.clear();
    for (const auto& [name, interval] : parts) {
        parts_.push_back({name, interval});
    }
}

AUDYN_INLINE void TrainerBase::set_lr_scheduler(std::shared_ptr<optim::LRScheduler> scheduler, std::string_view name) {
    std::string names;
    for (Part& part : parts_) {
        if (part.name == name) {
            part.scheduler = std::move(scheduler);
            return;
        }
        names += (names.empty() ? "'" : ", '") + part.name + "'";
    }
    throw UsageError("there is no part '" + std::string(name) +
                     "' to schedule the learning rate of; there is: " + names);
}

/// At the end of an epoch, those that follow a metric: the total of `loader` unless they name another.
AUDYN_INLINE void TrainerBase::step_by_metric(const std::string& loader) {
    for (const Part& part : parts_) {
        if (!part.scheduler || !part.scheduler->needs_metric()) {
            continue;
        }
        const std::string total = loader + (part.name.empty() ? "/total" : "/total " + part.name);
        const auto value = [&](const std::string& name) {
            return monitored_metric("lr_scheduler.monitor", name.empty() ? total : name);
        };
        if (part.is_by(SchedulerInterval::epoch)) {
            part.scheduler->step_with(value);
        } else if (part.is_by(SchedulerInterval::iteration)) {
            part.scheduler->step_epoch(value);
        }
    }
}

AUDYN_INLINE double TrainerBase::monitored_metric(const std::string& option, const std::string& name) const {
    if (const auto value = metric(name)) {
        return *value;
    }
    std::string known;
    for (const PassMetric& one : metrics_) {
        known += (known.empty() ? "" : ", ") + one.loader + "/" + one.metric.name;
    }
    throw UsageError(option + ": there is no metric '" + name + "'; there are: " + known);
}

/// Which metrics a loader has is known after an epoch, and whether there is the loader at once.
AUDYN_INLINE void TrainerBase::check_monitors(const std::vector<NamedLoader>& validation) const {
    for (const Part& part : parts_) {
        const std::string monitor = part.scheduler ? part.scheduler->monitor() : std::string();
        std::string known = "train";
        bool is_known = monitor.empty() || monitor.starts_with("train/");
        for (const NamedLoader& named : validation) {
            is_known = is_known || monitor.starts_with(named.name + "/");
            known += ", " + named.name;
        }
        if (!is_known) {
            throw UsageError("lr_scheduler.monitor: '" + monitor + "' is of no loader; name one of " + known +
                             ", as in '" + (validation.empty() ? "train" : validation.front().name) + "/total'");
        }
    }
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

AUDYN_INLINE void TrainerBase::clip_gradients(const std::optional<optim::GradClipper>& clipper,
                                              const std::vector<optim::ParamGroup>& groups, std::size_t part) {
    if (clipper) {
        parts_[part].gradient_norm = clipper->clip(groups);
    }
}

AUDYN_INLINE void TrainerBase::require_finite() {
    const auto bad = train_sums_.first_non_finite();
    if (!bad) {
        return;
    }
    const int64_t done_in_epoch = (batch_idx_ + batches_per_iteration() - 1) / batches_per_iteration();
    const int64_t iteration = iteration_idx_ - done_in_epoch + bad->batch / values_per_iteration(bad->name) + 1;
    throw TrainingError("the loss '" + bad->name + "' is not finite at iteration " + std::to_string(iteration) +
                        " (epoch " + std::to_string(epoch_idx_ + 1) + "); training stops. " + good_checkpoint());
}

} // namespace audyn::trainer
