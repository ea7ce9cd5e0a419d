#pragma once

#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/rank_metrics.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <algorithm>
#include <utility>

namespace audyn::trainer {

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
    load_model_state(state.at("model").as_dict());
    load_optimizer_state(state.at("optimizer").as_dict());
    load_lr_scheduler_state(state.at("lr_scheduler"));
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

AUDYN_INLINE void TrainerBase::load_model_state(const StateDict& state) {
    checkpoint::load_module_state(module(), state);
}

AUDYN_INLINE void TrainerBase::load_lr_scheduler_state(const state::Value& state) {
    for (const Part& part : parts_) {
        if (!part.scheduler) {
            continue;
        }
        if (part.name.empty()) {
            part.scheduler->load_state_dict(state.as_dict());
        } else if (const state::Value& own = state.as_dict().at(part.name); !own.is_none()) {
            part.scheduler->load_state_dict(own.as_dict());
        } else {
            throw StateError("the checkpoint has no state for the learning rate scheduler of the " + part.name);
        }
    }
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
    const int64_t window = batches_per_iteration();
    int64_t remaining = batches_per_epoch_;
    if (batch_idx_ > 0) {
        remaining = std::min(remaining, gather_batches(train.remaining_batches(epoch_idx_, consumed_samples_), 0));
        batch_idx_ = batches_per_epoch_ - remaining;
    }
    if (options_.max_epochs()) {
        iterations_ = iteration_idx_ + (remaining + window - 1) / window +
                      std::max<int64_t>(epochs_ - epoch_idx_ - 1, 0) * iterations_per_epoch_;
    } else {
        const int64_t left = iterations_ - iteration_idx_ - (remaining + window - 1) / window;
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
        batch_idx_ = iteration_idx_ % iterations_per_epoch_ * batches_per_iteration();
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
