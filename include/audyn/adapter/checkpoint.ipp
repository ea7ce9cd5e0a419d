#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/gan.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>

namespace audyn::adapter {

AUDYN_INLINE state::Value to_state(const config::Value& value) {
    switch (value.kind()) {
    case config::Kind::null:
        return {};
    case config::Kind::boolean:
        return *value.get_if<bool>();
    case config::Kind::integer:
        return *value.get_if<int64_t>();
    case config::Kind::big_integer:
        return value.get_if<config::BigInteger>()->digits;
    case config::Kind::floating:
        return *value.get_if<double>();
    case config::Kind::string:
        return *value.get_if<std::string>();
    case config::Kind::bytes:
        return state::Bytes{value.get_if<config::Bytes>()->data};
    case config::Kind::constant:
        return value.get_if<config::Constant>()->to_string();
    case config::Kind::list: {
        state::List list;
        for (std::size_t i = 0; i < value.size(); ++i) {
            list.push_back(to_state(value.child(i)));
        }
        return list;
    }
    case config::Kind::dict: {
        StateDict dict;
        for (const auto& entry : value.entries()) {
            dict.set(entry.key.to_string(), to_state(*entry.value));
        }
        return dict;
    }
    }
    return {};
}

AUDYN_INLINE StateDict resolved_config(const Config& config) {
    config::Value values = config.to_value(true);
    const auto erase_reserved = [](config::Value* model) {
        for (const std::string& key : reserved_model_keys) {
            if (model != nullptr && model->is_dict()) {
                model->erase(key);
            }
        }
    };
    config::Value* const model = values.find("model");
    erase_reserved(model);
    if (model != nullptr && is_gan(config)) {
        erase_reserved(model->find("generator"));
        erase_reserved(model->find("discriminator"));
    }
    return to_state(values).as_dict();
}

AUDYN_INLINE config::Value to_config(const state::Value& value, const config::Location& location) {
    return detail::convert_state(value, location, [](const state::Value& other) -> config::Value {
        throw StateError(std::string("a configuration cannot hold a value of kind ") + other.kind());
    });
}

AUDYN_INLINE std::optional<config::Value> stored_config(const std::filesystem::path& file) {
    try {
        const StateDict state = checkpoint::load(file, {.mmap = true});
        const state::Value* const stored = state.find("resolved_config");
        if (stored == nullptr || !stored->is<StateDict>()) {
            return std::nullopt;
        }
        // For a comparison, the name of its kind says enough of what no configuration holds.
        return detail::convert_state(*stored, {},
                                     [](const state::Value& other) { return config::Value(other.kind()); });
    } catch (const CheckpointError& error) {
        throw ConfigError(error.what());
    }
}

} // namespace audyn::adapter

namespace audyn::adapter::detail {

AUDYN_INLINE std::pair<std::string, checkpoint::LoadModuleOptions> warm_start_options(const Config& node) {
    if (!node.is_dict()) {
        return {node.as<std::string>(), {}};
    }
    for (const std::string& key : node.keys()) {
        if (key != "path" && key != "strict" && key != "include" && key != "exclude") {
            throw node.at(key).error_unknown("key of model.checkpoint", key, {"path", "strict", "include", "exclude"});
        }
    }
    using Patterns = std::vector<std::string>;
    return {node.get<std::string>("path"),
            {.strict = node.get<bool>("strict", true),
             .include = node.get_optional<Patterns>("include").value_or(Patterns()),
             .exclude = node.get_optional<Patterns>("exclude").value_or(Patterns())}};
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void warm_start(torch::nn::Module& module, const Config& node) {
    const auto [path, options] = detail::warm_start_options(node);
    try {
        const StateDict state = checkpoint::load(path, {.mmap = true});
        const state::Value* model = state.find("model");
        checkpoint::load_module_state(module, model ? model->as_dict() : state, options);
    } catch (const CheckpointError& error) {
        throw node.error(error.what());
    } catch (const StateError& error) {
        throw node.error(error.what());
    }
}

} // namespace audyn::adapter
