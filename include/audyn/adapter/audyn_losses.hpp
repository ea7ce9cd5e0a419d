#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/core/inline.hpp>

namespace audyn::adapter {

/// Adds the losses of audio and of adversarial training: Audyn's under `audyn.criterion`, those that it does not have
/// under `auraloss.freq` and `parallel_wavegan.losses`; arguments and defaults are theirs. Where an argument is a list
/// of a discriminator's outputs, so is its mapping: `key_mapping.estimated: {input: [scores_0, scores_1]}`.
AUDYN_INLINE void add_audyn_losses(Targets& targets);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/audyn_losses.ipp>
#endif
