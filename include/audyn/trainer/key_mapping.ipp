#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/key_mapping.hpp>

#include <algorithm>
#include <cstddef>

namespace audyn::trainer::detail {

AUDYN_INLINE std::size_t tensor_count(const OutputLayout& layout) {
    if (layout.is_tensor) {
        return 1;
    }
    std::size_t count = 0;
    for (const OutputLayout& item : layout.items) {
        count += tensor_count(item);
    }
    return count;
}

AUDYN_INLINE void append_name(const std::string& name, const OutputLayout& layout, std::vector<std::string>& flat) {
    if (std::find(flat.begin(), flat.end(), name) != flat.end()) {
        throw UsageError("key_mapping output: the name '" + name + "' is given twice");
    }
    flat.insert(flat.end(), tensor_count(layout), name);
}

AUDYN_INLINE void append_output_names(const OutputNames& names, const OutputLayout& layout, const std::string& place,
                                      std::vector<std::string>& flat) {
    if (names.items.empty() && !names.name.empty()) {
        append_name(names.name, layout, flat);
        return;
    }
    if (layout.is_tensor) {
        throw UsageError("key_mapping output" + place +
                         ": the mapping names a list, but the model returns a tensor "
                         "there; give it one name");
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
    if (layout.is_tensor || !layout.name.empty()) {
        append_name(layout.name.empty() ? fallback : layout.name, layout, flat);
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
    return flat;
}

} // namespace audyn::trainer
