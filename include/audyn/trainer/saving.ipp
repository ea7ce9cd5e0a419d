#pragma once

#include <audyn/checkpoint/find.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/version.hpp>
#include <audyn/trainer/finite.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <algorithm>
#include <exception>

namespace audyn::trainer {

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
        const double value = monitored_metric("save_checkpoint.top_k.monitor", entries.top_k->monitor);
        if (saver_.is_among_best(value)) {
            paths.push_back(checkpoint::format_checkpoint_path(entries.top_k->path, numbers));
            saver_.keep_best(paths.back(), value);
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

/// The state to resume from: of now, or of before the end of the epoch that is being done.
AUDYN_INLINE StateDict TrainerBase::current_state() {
    return boundary_state_ ? *boundary_state_ : checkpoint_state();
}

/// Audyn's keys, and under "audyn" what an exact resume needs beside them. Tensors are shared with the trainer.
AUDYN_INLINE StateDict TrainerBase::checkpoint_state() {
    StateDict state{{"model", model_state()},
                    {"optimizer", optimizer_state()},
                    {"lr_scheduler", lr_scheduler_state()},
                    {"scaler", scaler_state()},
                    {"iteration_idx", iteration_idx_},
                    {"best_loss", best_loss_},
                    {"resolved_config", resolved_config_}};
    if (moving_average() != nullptr) {
        state.set("moving_average_model", moving_average_state());
    }
    state.set("audyn", position());
    state.set("_metadata", StateDict{{"version", version}, {"driver", driver_}});
    return state;
}

AUDYN_INLINE StateDict TrainerBase::model_state() {
    return checkpoint::module_state(module());
}

AUDYN_INLINE StateDict TrainerBase::moving_average_state() {
    return moving_average()->model_state(module());
}

/// That of the one scheduler, or of each part, where a part without one has None, as in Audyn.
AUDYN_INLINE StateDict TrainerBase::lr_scheduler_state() const {
    StateDict state;
    for (const Part& part : parts_) {
        state::Value own = part.scheduler ? state::Value(part.scheduler->state_dict()) : state::Value();
        if (part.name.empty()) {
            return own.is_none() ? StateDict() : own.as_dict();
        }
        state.set(part.name, std::move(own));
    }
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

} // namespace audyn::trainer
