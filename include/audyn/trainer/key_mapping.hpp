#pragma once

#include <audyn/core/error.hpp>
#include <audyn/trainer/output.hpp>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// Names for the outputs of a model: one name, or a (nested) list of names that is taken apart by position.
struct OutputNames {
    OutputNames() = default;
    OutputNames(std::string one) : name(std::move(one)) {}
    OutputNames(const char* one) : name(one) {}
    OutputNames(std::initializer_list<OutputNames> list) : items(list) {}

    std::string name;
    std::vector<OutputNames> items;
};

/// Which values of a batch a model's forward takes, and what its outputs are called; Audyn's `train.key_mapping`.
struct KeyMapping {
    /// (argument of forward, name in the batch). Empty: each argument has the name of its value.
    std::vector<std::pair<std::string, std::string>> input;
    /// Unset: a single tensor is called "output"; maps and structs bring their own names.
    std::optional<OutputNames> output;
};

namespace detail {

inline void append_output_names(const OutputNames& names, const OutputLayout& layout, const std::string& place,
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

inline void append_own_names(const OutputLayout& layout, const std::string& fallback, std::vector<std::string>& flat) {
    if (layout.is_tensor) {
        flat.push_back(layout.name.empty() ? fallback : layout.name);
        return;
    }
    for (std::size_t i = 0; i < layout.items.size(); ++i) {
        append_own_names(layout.items[i], fallback + std::to_string(i), flat);
    }
}

} // namespace detail

/// The name of each tensor of an output with this layout, in flattened order.
/// \throws UsageError when the mapping does not fit the layout, or gives one name twice.
[[nodiscard]] inline std::vector<std::string> output_names(const KeyMapping& mapping, const OutputLayout& layout) {
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

namespace audyn {
using trainer::KeyMapping;
using trainer::OutputNames;
} // namespace audyn
