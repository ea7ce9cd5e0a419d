#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/location.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>
#include <audyn/trainer/concepts.hpp>

#include <filesystem>
#include <string>
#include <type_traits>

namespace audyn::adapter {

namespace detail {

/// The configuration that a checkpoint was trained with. Messages about it name the file.
[[nodiscard]] AUDYN_INLINE Config config_of_checkpoint(const StateDict& state, const std::filesystem::path& path);

/// Builds a model by `build(model's configuration)` and gives it the parameters of the checkpoint. `side` of a GAN:
/// "generator" or "discriminator".
template <class Model, class Build>
[[nodiscard]] Model instantiate_model(const std::filesystem::path& path, const Build& build,
                                      const std::string& side = {}) {
    // The parameters are copied into the model at once, so they need not be copied before.
    const StateDict state = checkpoint::load(path, {.mmap = true});
    const Config config = config_of_checkpoint(state, path)["model"];
    Model model = build(side.empty() ? config : config.at(side));
    const state::Value* parameters = state.find("model");
    if (parameters != nullptr && parameters->is<StateDict>() && !side.empty()) {
        parameters = parameters->as_dict().find(side);
    }
    if (parameters == nullptr || !parameters->is<StateDict>()) {
        throw CheckpointError("the checkpoint " + path.string() + " holds no state of a '" +
                              (side.empty() ? "model" : side) + "'");
    }
    try {
        checkpoint::load_module_state(*trainer::ModelTraits<Model>::pointer(model), parameters->as_dict());
    } catch (const StateError& error) {
        throw CheckpointError("the checkpoint " + path.string() + ": " + error.what());
    }
    return model;
}

/// Builds a model that names its own arguments, or takes none.
template <class Model>
[[nodiscard]] Model build_by_own_arguments(const Config& node) {
    using Module = typename trainer::ModelTraits<Model>::Module;
    constexpr bool names_arguments = requires {
        Module::constructor_arguments();
    };
    static_assert(names_arguments || std::is_default_constructible_v<Module>,
                  "audyn: instantiate_model needs to know the model's arguments: give Model a static member "
                  "constructor_arguments(), or call instantiate_model<Model>(path, targets)");
    Targets targets;
    const auto name = node.get<std::string>("_target_");
    if constexpr (names_arguments) {
        targets.add<Model>(name, Module::constructor_arguments());
    } else {
        targets.add<Model>(name);
    }
    return targets.build<Model>(node, reserved_model_keys);
}

} // namespace detail

/// A network as a checkpoint describes it: built from the configuration that it was trained with (`model._target_` is
/// one of `targets`) and with the parameters that it had, on the CPU, in training mode as every new module.
/// \throws CheckpointError when the file cannot be read, has no configuration, or its parameters do not fit;
/// ConfigError when the target is unknown, builds no `Model`, or takes other arguments.
template <trainer::ModelHolder Model>
[[nodiscard]] Model instantiate_model(const std::filesystem::path& path, const Targets& targets) {
    return detail::instantiate_model<Model>(
        path, [&](const Config& node) { return targets.build<Model>(node, reserved_model_keys); });
}

/// The same for a class that names its own arguments, by a static member
/// `static auto constructor_arguments() { return audyn::constructor<int64_t>(audyn::arg("channels")); }`, or that takes
/// none. What `model._target_` is called does not matter then.
template <trainer::ModelHolder Model>
[[nodiscard]] Model instantiate_model(const std::filesystem::path& path) {
    return detail::instantiate_model<Model>(path, detail::build_by_own_arguments<Model>);
}

/// The generator of a GAN's checkpoint, or the discriminator, likewise. \throws CheckpointError when the checkpoint is
/// no GAN's.
template <trainer::ModelHolder Model>
[[nodiscard]] Model instantiate_gan_generator(const std::filesystem::path& path, const Targets& targets) {
    return detail::instantiate_model<Model>(
        path, [&](const Config& node) { return targets.build<Model>(node, reserved_model_keys); }, "generator");
}
template <trainer::ModelHolder Model>
[[nodiscard]] Model instantiate_gan_generator(const std::filesystem::path& path) {
    return detail::instantiate_model<Model>(path, detail::build_by_own_arguments<Model>, "generator");
}
template <trainer::ModelHolder Model>
[[nodiscard]] Model instantiate_gan_discriminator(const std::filesystem::path& path, const Targets& targets) {
    return detail::instantiate_model<Model>(
        path, [&](const Config& node) { return targets.build<Model>(node, reserved_model_keys); }, "discriminator");
}
template <trainer::ModelHolder Model>
[[nodiscard]] Model instantiate_gan_discriminator(const std::filesystem::path& path) {
    return detail::instantiate_model<Model>(path, detail::build_by_own_arguments<Model>, "discriminator");
}

} // namespace audyn::adapter

namespace audyn {
using adapter::instantiate_gan_discriminator;
using adapter::instantiate_gan_generator;
using adapter::instantiate_model;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/instantiate_model.ipp>
#endif
