#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/trainer/output.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// Names for the outputs of a model: one name, or a (nested) list of names that is taken apart by position. As in Audyn
/// one name may also stand for a list of tensors, such as the features of a discriminator; lists in it become one.
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

/// `name` for each tensor of `layout`. \throws UsageError when `flat` has the name already.
AUDYN_INLINE void append_name(const std::string& name, const OutputLayout& layout, std::vector<std::string>& flat);

AUDYN_INLINE void append_output_names(const OutputNames& names, const OutputLayout& layout, const std::string& place,
                                      std::vector<std::string>& flat);

AUDYN_INLINE void append_own_names(const OutputLayout& layout, const std::string& fallback,
                                   std::vector<std::string>& flat);

} // namespace detail

/// The name of each tensor of an output with this layout, in flattened order; those of a list with one name have it
/// all. \throws UsageError when the mapping does not fit the layout, or gives one name twice.
[[nodiscard]] AUDYN_INLINE std::vector<std::string> output_names(const KeyMapping& mapping, const OutputLayout& layout);

} // namespace audyn::trainer

namespace audyn {
using trainer::KeyMapping;
using trainer::OutputNames;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/key_mapping.ipp>
#endif
