#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/trainer/key_mapping.hpp>
#include <audyn/trainer/options.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// What a generative adversarial network has of a thing: one for the generator, and one for the discriminator. The
/// things are models, optimizers or criteria; Audyn's BaseGAN, GANOptimizer and GANCriterion.
template <class Generator, class Discriminator = Generator>
struct GAN {
    Generator generator;
    Discriminator discriminator;
};
template <class Generator, class Discriminator>
GAN(Generator, Discriminator) -> GAN<Generator, Discriminator>;

/// Which values the models of a GAN take, and what their outputs are called; Audyn's `train.key_mapping.train`. All
/// outputs need different names.
struct GANKeyMapping {
    /// Takes values of the batch.
    KeyMapping generator{{}, OutputNames("fake")};
    /// The discriminator on what the generator made: takes the generator's outputs and, where there is none of the
    /// name, values of the batch, say what the generator was conditioned on.
    KeyMapping fake{{}, OutputNames("fake_prob")};
    /// The discriminator on the batch.
    KeyMapping real{{}, OutputNames("real_prob")};
};

/// Options of a GAN's generator, or of its discriminator.
struct GANSideOptions {
    /// Unset: that of the `TrainerOptions`, applied to this side alone.
    std::optional<optim::GradClipper> clip_gradient;
    /// Unset: that of the `TrainerOptions`.
    std::optional<SchedulerInterval> lr_scheduler;
    /// Optimizer steps in an iteration, each on a batch of its own.
    int64_t steps = 1;
};

/// Options of a `GANTrainer` beside its `TrainerOptions`.
struct GANOptions {
    GANSideOptions generator;
    GANSideOptions discriminator;
    GANKeyMapping key_mapping;
    /// For validation and test, where it differs.
    std::optional<GANKeyMapping> validation_key_mapping;

    /// The batches of an iteration: the discriminator steps on the first of them, the generator on the last.
    [[nodiscard]] AUDYN_INLINE int64_t batches_per_iteration() const;
    /// \throws UsageError for values out of range, and for options of `options` that a GAN has in another place or not
    /// at all.
    AUDYN_INLINE void check(const TrainerOptions& options) const;
};

namespace detail {

/// Both models in one module, under Audyn's names.
class GANModule : public torch::nn::Module {
public:
    GANModule(std::shared_ptr<torch::nn::Module> generator, std::shared_ptr<torch::nn::Module> discriminator)
        : torch::nn::Module("GAN") {
        register_module("generator", std::move(generator));
        register_module("discriminator", std::move(discriminator));
    }
};

/// While it lives the module's parameters require no gradient: a backward passes through it without leaving any.
class FrozenScope {
public:
    AUDYN_INLINE explicit FrozenScope(const torch::nn::Module& module);
    FrozenScope(const FrozenScope&) = delete;
    FrozenScope& operator=(const FrozenScope&) = delete;
    AUDYN_INLINE ~FrozenScope();

private:
    std::vector<at::Tensor> frozen_;
};

} // namespace detail

} // namespace audyn::trainer

namespace audyn {
using trainer::GAN;
using trainer::GANKeyMapping;
using trainer::GANOptions;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/gan.ipp>
#endif
