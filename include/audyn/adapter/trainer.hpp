#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/trainer/early_stopping.hpp>
#include <audyn/trainer/key_mapping.hpp>
#include <audyn/trainer/options.hpp>

#include <optional>
#include <string>
#include <vector>

namespace audyn::adapter {

namespace detail {

AUDYN_INLINE trainer::MonitorMode monitor_mode(const std::string& mode);

} // namespace detail

/// Adds gradient clipping and early stopping.
AUDYN_INLINE void add_trainer_targets(Targets& targets);

/// When a scheduler steps: `iteration`, `epoch` or null. \throws ConfigError
[[nodiscard]] AUDYN_INLINE trainer::SchedulerInterval scheduler_interval(const Config& node);

/// `train.steps`: epochs or iterations. What the user sets displaces the built-in default of the other.
/// `of_gan`: each side may have an interval of its own. \throws ConfigError when the user sets both, or neither is set.
AUDYN_INLINE void set_steps(const Config& steps, trainer::TrainerOptions& options, bool of_gan = false);

/// A number of batches, or a fraction of them.
[[nodiscard]] AUDYN_INLINE trainer::BatchLimit batch_limit(const Config& config, const std::string& key);

[[nodiscard]] AUDYN_INLINE trainer::OutputNames output_names(const Config& node);

/// `train.key_mapping.KIND`: {input: {argument: name in the batch}, output: names}. An argument with null has no entry.
/// \throws ConfigError for keys that mean nothing
[[nodiscard]] AUDYN_INLINE std::optional<trainer::KeyMapping> key_mapping(const Config& config,
                                                                          const std::string& kind);

namespace detail {

[[nodiscard]] AUDYN_INLINE checkpoint::AsyncSave async_save(const Config& node);

[[nodiscard]] AUDYN_INLINE checkpoint::SaveFailure save_failure(const Config& node);

[[nodiscard]] AUDYN_INLINE checkpoint::PeriodicCheckpoint periodic_checkpoint(const Config& entry);

[[nodiscard]] AUDYN_INLINE std::string checkpoint_path(const Config& entry);

/// Nothing where `k` is null.
[[nodiscard]] AUDYN_INLINE std::optional<checkpoint::TopKCheckpoints> top_k_checkpoints(const Config& entry);

} // namespace detail

/// `train.output.save_checkpoint`: Audyn's entries iteration, epoch, last and best_epoch, and what this toolkit adds.
[[nodiscard]] AUDYN_INLINE checkpoint::SaveCheckpoint save_checkpoint(const Config& config);

/// `train.signals`: {SIGTERM: save_and_exit, SIGUSR1: save}; null leaves a signal as it is.
[[nodiscard]] AUDYN_INLINE std::vector<SignalAction> signal_actions(const Config& config);

/// Applies `train.clip_gradient`, unless it has something for each side of a GAN.
AUDYN_INLINE void set_clip_gradient(const Config& train, const Targets& targets, trainer::TrainerOptions& options,
                                    bool of_gan = false);

/// The options that `train` and `system` mean; what is wrong in them is added to `mistakes`.
[[nodiscard]] AUDYN_INLINE trainer::TrainerOptions trainer_options(const Config& config, const Targets& targets,
                                                                   config::Mistakes& mistakes);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/trainer.ipp>
#endif
