#pragma once

#include <audyn/adapter/instantiate_model.hpp>
#include <audyn/adapter/trained_model.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace audyn::adapter::detail {

/// The parameters below `key`, of a model or of a `side` of a GAN; nothing where there are none.
AUDYN_INLINE const StateDict* find_parameters(const StateDict& state, const std::string& key, const std::string& side) {
    const state::Value* found = state.find(key);
    if (found != nullptr && found->is<StateDict>() && !side.empty()) {
        found = found->as_dict().find(side);
    }
    return found != nullptr && found->is<StateDict>() ? &found->as_dict() : nullptr;
}

/// `; exp/model has: best_epoch.pth, last.pth`, where `path` is no file.
AUDYN_INLINE std::string files_beside(const std::filesystem::path& path) {
    std::error_code reason;
    if (std::filesystem::is_regular_file(path, reason)) {
        return "";
    }
    std::filesystem::path folder = std::filesystem::is_directory(path, reason) ? path : path.parent_path();
    folder = folder.empty() ? "." : folder;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder, reason)) {
        if (entry.path().extension() == ".pth") {
            names.push_back(entry.path().filename().string());
        }
    }
    std::sort(names.begin(), names.end());
    names.resize(std::min<std::size_t>(names.size(), 20));
    return names.empty() ? "" : "; " + folder.string() + " has: " + config::join(names);
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE TrainedModel::TrainedModel(const Config& checkpoint, std::optional<bool> moving_average, GANPart part)
    : checkpoint_(checkpoint), config_(checkpoint) {
    if (checkpoint.is_null()) {
        throw checkpoint.error("must name a checkpoint: the path of a file that a training wrote");
    }
    const auto path = checkpoint.as<std::string>();
    try {
        const StateDict state = checkpoint::load(path, {.mmap = true});
        config_ = detail::config_of_checkpoint(state, path)["model"];
        if (config_.contains("_target_") || !config_.contains("generator")) {
            parameters_ = choose(state, path, moving_average, "");
        } else if (part == GANPart::generator) {
            parameters_ = choose(state, path, moving_average, "generator");
            config_ = config_["generator"];
        } else {
            // The discriminator seldom has an average.
            const auto of_discriminator = moving_average == false ? moving_average : std::nullopt;
            for (const auto& [side, average] :
                 {std::pair{"discriminator", of_discriminator}, {"generator", moving_average}}) {
                for (const auto& [name, value] : choose(state, path, average, side)) {
                    parameters_.set(side + ("." + name.to_string()), value);
                }
            }
        }
    } catch (const CheckpointError& error) {
        throw checkpoint.error(std::string(error.what()) + detail::files_beside(path));
    }
}

AUDYN_INLINE TrainedModel::TrainedModel(const Config& checkpoints, std::optional<bool> moving_average,
                                        const Config& config)
    : checkpoint_(checkpoints), config_(checkpoints) {
    if (!config.contains("model._target_")) {
        throw checkpoints.error("has the checkpoints of parts; `model._target_` must name the model that joins them");
    }
    Config whole(config.root().to_value(), config.environment());
    for (const auto& [name, checkpoint] : checkpoints.items()) {
        const TrainedModel part(checkpoint, moving_average);
        whole.set("model." + name, part.config().to_value());
        for (const auto& [key, value] : part.parameters_) {
            parameters_.set(name + "." + key.to_string(), value);
        }
        description_ += (description_.empty() ? "" : ", ") + part.description_;
    }
    config_ = whole["model"];
}

AUDYN_INLINE StateDict TrainedModel::choose(const StateDict& state, const std::string& path,
                                            std::optional<bool> moving_average, const std::string& side) {
    const bool has_average = detail::find_parameters(state, "moving_average_model", side) != nullptr;
    const std::string key = moving_average.value_or(has_average) ? "moving_average_model" : "model";
    const StateDict* const parameters = detail::find_parameters(state, key, side);
    if (parameters == nullptr) {
        throw CheckpointError("the checkpoint " + path + " has no '" + key + "'" +
                              (side.empty() ? "" : " of the " + side));
    }
    description_ = path + " (" + key + ")";
    return *parameters;
}

AUDYN_INLINE void TrainedModel::load_into(torch::nn::Module& module) const {
    try {
        checkpoint::load_module_state(module, parameters_);
    } catch (const StateError& error) {
        throw checkpoint_.error(error.what());
    }
}

AUDYN_INLINE TrainedModel trained_model(const Config& config, GANPart part) {
    const Config checkpoint = config["test"]["checkpoint"];
    const auto moving_average = config.get_optional<bool>("test.moving_average");
    return checkpoint.is_dict() ? TrainedModel(checkpoint, moving_average, config)
                                : TrainedModel(checkpoint, moving_average, part);
}

} // namespace audyn::adapter
