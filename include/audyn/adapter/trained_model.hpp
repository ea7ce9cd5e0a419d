#pragma once

#include <audyn/config/config.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <torch/nn/module.h>

#include <optional>
#include <string>

namespace audyn::adapter {

/// What is used of a GAN's checkpoint.
enum class GANPart { generator, both };

/// A model that is used and not trained on: that of `test.checkpoint`, or one that is made of several trained parts.
class TrainedModel {
public:
    /// Reads the file that `checkpoint` names. \param moving_average true: the checkpoint's `moving_average_model`;
    /// false: its `model`; nothing: the average where there is one, as in the validation of a training. Where both
    /// models of a GAN are used, true asks for the generator's. \throws ConfigError that names the key when it is null,
    /// or the file cannot be read, lacks the parameters that were asked for, or does not say how its model is built.
    TrainedModel(const Config& checkpoint, std::optional<bool> moving_average, GANPart part = GANPart::generator);

    /// `checkpoints` has the file of each part, under the name of the argument of `model` of `config` that it is and of
    /// the submodule that this becomes; Audyn's `instantiate_cascade_text_to_wave`. \throws ConfigError
    TrainedModel(const Config& checkpoints, std::optional<bool> moving_average, const Config& config);

    /// How the model is built: `model` of the configuration that it was trained with, or of the one that joins parts.
    [[nodiscard]] const Config& config() const { return config_; }

    /// Copies the parameters and buffers; those of both models of a GAN into the trainer's module. \throws ConfigError
    /// when they do not fit.
    void load_into(torch::nn::Module& module) const;

    /// `exp/model/last.pth (moving_average_model)`.
    [[nodiscard]] const std::string& description() const { return description_; }

private:
    /// The parameters of the model, or of a `side` of a GAN. \throws CheckpointError when they are missing.
    StateDict choose(const StateDict& state, const std::string& path, std::optional<bool> moving_average,
                     const std::string& side);

    Config checkpoint_;
    StateDict parameters_;
    std::string description_;
    Config config_;
};

/// `test.checkpoint` and `test.moving_average`. \throws ConfigError
[[nodiscard]] AUDYN_INLINE TrainedModel trained_model(const Config& config, GANPart part = GANPart::generator);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/trained_model.ipp>
#endif
