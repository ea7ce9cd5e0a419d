#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/key_mapping.hpp>

#include <cstddef>

namespace audyn::trainer::detail {

AUDYN_INLINE void append_output_names(const OutputNames& names, const OutputLayout& layout, const std::string& place,
                                      std::vector<std::string>& flat) {
    const bool is_name = names.items.empty() && !names.name.empty();
    if (is_name != layout.is_tensor) {
        throw UsageError("key_mapping output" + place + ": the mapping names " +
                         (is_name ? "one tensor ('" + names.name + "')" : "a list") + ", but the model returns " +
                         (layout.is_tensor ? "a tensor" : "a list of " + std::to_string(layout.items.size())) +
                         " there");
    }
    if (is_name) {
        flat.push_back(names.name);
        return;
    }
    if (names.items.size() != layout.items.size()) {
        throw UsageError("key_mapping output" + place + ": " + std::to_string(names.items.size()) +
                         " names for the model's " + std::to_string(layout.items.size()) + " outputs");
    }
    for (std::size_t i = 0; i < names.items.size(); ++i) {
        append_output_names(names.items[i], layout.items[i], place + "[" + std::to_string(i) + "]", flat);
    }
}

AUDYN_INLINE void append_own_names(const OutputLayout& layout, const std::string& fallback,
                                   std::vector<std::string>& flat) {
    if (layout.is_tensor) {
        flat.push_back(layout.name.empty() ? fallback : layout.name);
        return;
    }
    for (std::size_t i = 0; i < layout.items.size(); ++i) {
        append_own_names(layout.items[i], fallback + std::to_string(i), flat);
    }
}

} // namespace audyn::trainer::detail

namespace audyn::trainer {

AUDYN_INLINE std::vector<std::string> output_names(const KeyMapping& mapping, const OutputLayout& layout) {
    std::vector<std::string> flat;
    if (mapping.output) {
        detail::append_output_names(*mapping.output, layout, "", flat);
    } else {
        detail::append_own_names(layout, "output", flat);
    }
    for (std::size_t i = 0; i < flat.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (flat[i] == flat[j]) {
                throw UsageError("key_mapping output: the name '" + flat[i] + "' is given twice");
            }
        }
    }
    return flat;
}

} // namespace audyn::trainer
