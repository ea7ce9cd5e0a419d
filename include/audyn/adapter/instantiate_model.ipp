#pragma once

#include <audyn/adapter/instantiate_model.hpp>
#include <audyn/core/inline.hpp>

#include <memory>

namespace audyn::adapter::detail {

AUDYN_INLINE Config config_of_checkpoint(const StateDict& state, const std::filesystem::path& path) {
    const state::Value* resolved = state.find("resolved_config");
    const state::Value* model =
        resolved != nullptr && resolved->is<StateDict>() ? resolved->as_dict().find("model") : nullptr;
    if (model == nullptr || !model->is<StateDict>()) {
        throw CheckpointError("the checkpoint " + path.string() +
                              " does not say how its model is built: it has no 'resolved_config' with a 'model'");
    }
    const config::Location location(std::make_shared<const config::Source>(
                                        config::Source{config::Origin::program, "the checkpoint " + path.string(), {}}),
                                    0, 0);
    return Config(to_config(*resolved, location));
}

} // namespace audyn::adapter::detail
