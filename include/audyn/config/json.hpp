#pragma once

#include <audyn/config/config.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <nlohmann/json.hpp>

namespace audyn::config {

/// JSON with the order of keys kept. Keys that are no strings become their text; bytes become JSON's binary values,
/// integers beyond 64 bits numbers, constants their names; an interpolation that is not resolved stays its text.
[[nodiscard]] AUDYN_INLINE nlohmann::ordered_json to_json(const Value& value);

[[nodiscard]] inline nlohmann::ordered_json to_json(const Config& config, bool resolve = true) {
    return to_json(config.to_value(resolve));
}

/// The value of a JSON document. A string with `${` in it becomes an interpolation, as in YAML. Throws `ConfigError`
/// when it is nested too deeply; `level` counts that.
[[nodiscard]] AUDYN_INLINE Value from_json(const nlohmann::ordered_json& json, int level = 0);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/json.ipp>
#endif
