#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/gan.hpp>

#include <algorithm>
#include <string>

namespace audyn::trainer {

AUDYN_INLINE int64_t GANOptions::batches_per_iteration() const {
    return std::max(generator.steps, discriminator.steps);
}

AUDYN_INLINE void GANOptions::check(const TrainerOptions& options) const {
    const auto check_side = [](const std::string& name, const GANSideOptions& side) {
        if (side.steps < 1) {
            throw UsageError("the " + name + " takes " + std::to_string(side.steps) +
                             " steps in an iteration; it needs at least 1");
        }
    };
    check_side("generator", generator);
    check_side("discriminator", discriminator);
    if (options.gradient_accumulation() != 1) {
        throw UsageError("gradient_accumulation is " + std::to_string(options.gradient_accumulation()) +
                         ", and a GAN does not accumulate: its discriminator has to step before the generator's "
                         "backward; use larger batches, or gradient_accumulation 1");
    }
    for (const KeyMapping* mapping : {&options.key_mapping(), &options.validation_key_mapping()}) {
        if (!mapping->input.empty() || mapping->output) {
            throw UsageError("a GAN has a key mapping for each of its models: set GANOptions::key_mapping");
        }
    }
}

} // namespace audyn::trainer

namespace audyn::trainer::detail {

AUDYN_INLINE FrozenScope::FrozenScope(const torch::nn::Module& module) {
    for (const at::Tensor& parameter : module.parameters()) {
        if (parameter.requires_grad()) {
            parameter.set_requires_grad(false);
            frozen_.push_back(parameter);
        }
    }
}

AUDYN_INLINE FrozenScope::~FrozenScope() {
    for (const at::Tensor& parameter : frozen_) {
        parameter.set_requires_grad(true);
    }
}

} // namespace audyn::trainer::detail
