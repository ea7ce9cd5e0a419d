#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/gan.hpp>
#include <audyn/trainer/options.hpp>

namespace audyn::adapter {

/// Whether `train.trainer._target_` is Audyn's GANTrainer.
[[nodiscard]] AUDYN_INLINE bool names_gan_trainer(const Config& config);

/// Whether the configuration describes a generator and a discriminator: it names the GANTrainer, or `model` has both,
/// for a program's own trainer.
[[nodiscard]] AUDYN_INLINE bool is_gan(const Config& config);

/// What `train` says of a GAN: `key_mapping.{train,validation}.{generator,discriminator.{fake,real}}`,
/// `clip_gradient.{generator,discriminator}`, `steps.lr_scheduler.{generator,discriminator}`, and as
/// `steps.{generator,discriminator}` the optimizer steps in an iteration. What is wrong is added to `mistakes`.
[[nodiscard]] AUDYN_INLINE trainer::GANOptions gan_options(const Config& config, const Targets& targets,
                                                           const trainer::TrainerOptions& options,
                                                           config::Mistakes& mistakes);

/// \throws ConfigError where `lr_scheduler` is not one of each side, which no side would use.
AUDYN_INLINE void check_gan_schedulers(const Config& config);

/// Checks what a GAN's criteria need beside others: each side has some, of names of their own, which say what outputs
/// they take.
AUDYN_INLINE void check_gan_criteria(const Config& config, config::Mistakes& mistakes);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/gan.ipp>
#endif
