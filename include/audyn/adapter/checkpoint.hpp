#pragma once

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/location.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::adapter {

/// A configuration's value as a value of a state dictionary: what `resolved_config` holds in a checkpoint.
/// Constants, which only the program knows, become their names.
[[nodiscard]] AUDYN_INLINE state::Value to_state(const config::Value& value);

/// Keys of the configuration's `model` that are not arguments of the model.
inline const std::vector<std::string> reserved_model_keys{"checkpoint"};

/// The whole configuration, resolved, as a checkpoint holds it: Python's Audyn builds the model from its `model` as it
/// is, so what is no argument of the model is left out.
[[nodiscard]] AUDYN_INLINE StateDict resolved_config(const Config& config);

namespace detail {

/// A value of a checkpoint as one of a configuration; `otherwise(value)` stands for what no configuration holds.
template <class Otherwise>
[[nodiscard]] config::Value convert_state(const state::Value& value, const config::Location& location,
                                          const Otherwise& otherwise) {
    config::Value result;
    if (value.is<bool>()) {
        result = value.as_bool();
    } else if (value.is<int64_t>()) {
        result = value.as_int();
    } else if (value.is<double>()) {
        result = value.as_float();
    } else if (value.is<std::string>()) {
        result = value.as_string();
        result.set_literal(true); // it was resolved when it was saved
    } else if (value.is<state::Bytes>()) {
        result = config::Bytes{value.as_bytes().data};
    } else if (value.is<state::List>() || value.is<state::Tuple>()) {
        result = config::Value::list();
        for (const state::Value& item : value.as_list()) {
            result.append(convert_state(item, location, otherwise));
        }
    } else if (value.is<StateDict>()) {
        result = config::Value::dict();
        for (const auto& [key, item] : value.as_dict()) {
            result.set(config::Key(key.to_string()), convert_state(item, location, otherwise));
        }
    } else if (!value.is_none()) {
        result = otherwise(value);
    }
    result.set_location(location);
    return result;
}

} // namespace detail

/// A value of a checkpoint as one of a configuration. Bytes stay bytes, integer keys become text.
/// \throws StateError for a tensor, which no configuration holds.
[[nodiscard]] AUDYN_INLINE config::Value to_config(const state::Value& value, const config::Location& location);

/// The configuration that a checkpoint was trained with; nothing when `file` is no checkpoint or keeps none.
[[nodiscard]] AUDYN_INLINE std::optional<config::Value> stored_config(const std::filesystem::path& file);

namespace detail {

/// The path and the choice of names that `model.checkpoint` means.
[[nodiscard]] AUDYN_INLINE std::pair<std::string, checkpoint::LoadModuleOptions> warm_start_options(const Config& node);

} // namespace detail

/// `model.checkpoint`: starts from the parameters of a checkpoint (its key "model") or of a plain state dictionary. A
/// path, or a dictionary `{path: ..., strict: false, include: [encoder.*], exclude: [...]}` (see
/// `checkpoint::LoadModuleOptions`).
/// \throws ConfigError that names the key when the file cannot be read or does not fit.
AUDYN_INLINE void warm_start(torch::nn::Module& module, const Config& node);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/checkpoint.ipp>
#endif
