#pragma once

#include <audyn/adapter/instantiate_model.hpp>
#include <audyn/adapter/trained_model.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <utility>

namespace audyn::adapter::detail {

/// The state below `key`, or nothing.
AUDYN_INLINE const StateDict* find_dict(const StateDict& state, const std::string& key) {
    const state::Value* const found = state.find(key);
    return found != nullptr && found->is<StateDict>() ? &found->as_dict() : nullptr;
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE TrainedModel::TrainedModel(const Config& checkpoint, std::optional<bool> moving_average)
    : checkpoint_(checkpoint), config_(checkpoint) {
    if (checkpoint.is_null()) {
        throw checkpoint.error("must name a checkpoint: the path of a file that a training wrote");
    }
    const auto path = checkpoint.as<std::string>();
    try {
        const StateDict state = checkpoint::load(path, {.mmap = true});
        const bool has_average = detail::find_dict(state, "moving_average_model") != nullptr;
        key_ = moving_average.value_or(has_average) ? "moving_average_model" : "model";
        const StateDict* parameters = detail::find_dict(state, key_);
        if (parameters == nullptr) {
            throw CheckpointError("the checkpoint " + path + " has no '" + key_ + "'");
        }
        config_ = detail::config_of_checkpoint(state, path)["model"];
        if (!config_.contains("_target_") && config_.contains("generator")) {
            config_ = config_["generator"];
            const StateDict* const generator = detail::find_dict(*parameters, "generator");
            parameters = generator != nullptr ? generator : parameters;
        }
        parameters_ = *parameters;
    } catch (const CheckpointError& error) {
        throw checkpoint.error(error.what());
    }
}

AUDYN_INLINE void TrainedModel::load_into(torch::nn::Module& module) const {
    try {
        checkpoint::load_module_state(module, parameters_);
    } catch (const StateError& error) {
        throw checkpoint_.error(error.what());
    }
}

AUDYN_INLINE std::string TrainedModel::describe() const {
    return checkpoint_.as<std::string>() + " (" + key_ + ")";
}

AUDYN_INLINE TrainedModel trained_model(const Config& config) {
    const Config test = config["test"];
    return TrainedModel(test["checkpoint"], test.get_optional<bool>("moving_average"));
}

} // namespace audyn::adapter
