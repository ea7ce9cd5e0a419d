#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/compose.hpp>

#include <string>

/// A configuration that is written in YAML, with the toolkit's constants.
inline audyn::Config config(const std::string& text) {
    audyn::config::Resolvers resolvers;
    audyn::adapter::add_dtypes(resolvers);
    return audyn::config::config_from_yaml(text, "test.yaml", resolvers);
}
