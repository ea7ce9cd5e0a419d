#pragma once

#include <audyn/adapter/constants.hpp>
#include <audyn/core/inline.hpp>

#include <vector>

namespace audyn::adapter {

AUDYN_INLINE void add_dtypes(config::Resolvers& resolvers) {
    for (const auto& [name, dtype] : dtype_names) {
        resolvers.add_constant(std::string(name));
    }
}

AUDYN_INLINE std::string dtype_name(at::ScalarType dtype) {
    for (const auto& [name, candidate] : dtype_names) {
        if (candidate == dtype) {
            return std::string(name);
        }
    }
    return c10::toString(dtype);
}

AUDYN_INLINE at::ScalarType as_dtype(const Config& node) {
    std::string name = node.is_constant() ? node.as<config::Constant>().name : node.as<std::string>();
    if (!name.starts_with("torch.")) {
        name = "torch." + name;
    }
    std::vector<std::string> known;
    for (const auto& [candidate, dtype] : dtype_names) {
        if (candidate == name) {
            return dtype;
        }
        known.emplace_back(candidate);
    }
    throw node.error_unknown("dtype", name, known);
}

} // namespace audyn::adapter
