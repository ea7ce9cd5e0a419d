#pragma once

#include <audyn/core/glob.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <set>
#include <string>
#include <vector>

namespace audyn::checkpoint {

namespace detail {

/// Calls `visit(name, tensor)` for each parameter and buffer of `module`, in the order of Python's `state_dict`: of
/// each module first its own parameters, then its own buffers, then its children. A module or tensor that is
/// registered twice comes twice, as in Python.
template <class Visit>
void for_each_state_tensor(const torch::nn::Module& module, const std::string& prefix, const Visit& visit) {
    for (const auto& item : module.named_parameters(/*recurse=*/false)) {
        visit(prefix + item.key(), item.value());
    }
    for (const auto& item : module.named_buffers(/*recurse=*/false)) {
        visit(prefix + item.key(), item.value());
    }
    for (const auto& item : module.named_children()) {
        for_each_state_tensor(*item.value(), prefix + item.key() + ".", visit);
    }
}

} // namespace detail

/// Parameters and buffers of `module` under Python's names and in Python's order: `module.state_dict()`.
/// The tensors share the module's memory and need no gradient. All buffers are persistent; libtorch knows no other.
[[nodiscard]] AUDYN_INLINE StateDict module_state(const torch::nn::Module& module);

/// What `load_module_state` did not use or find: Python's `missing_keys` and `unexpected_keys`.
struct IncompatibleKeys {
    std::vector<std::string> missing;
    std::vector<std::string> unexpected;
};

/// Which names `load_module_state` looks at, and how strictly. The patterns are those of `core::glob_match`:
/// `encoder.*` is everything below `encoder`.
struct LoadModuleOptions {
    /// With false a name that only one side has is no error; a wrong shape is one all the same.
    bool strict = true;
    /// Only names that fit one of these patterns; all when it is empty.
    std::vector<std::string> include = {};
    /// But none that fits one of these.
    std::vector<std::string> exclude = {};
};

namespace detail {

[[nodiscard]] AUDYN_INLINE std::string shape_text(const at::Tensor& tensor);

AUDYN_INLINE void append_names(std::string& message, const char* title, const std::vector<std::string>& names);

[[nodiscard]] AUDYN_INLINE bool is_selected(const std::string& name, const LoadModuleOptions& options);

/// A pattern that fits no name on either side is a mistake in writing it. \throws StateError
AUDYN_INLINE void check_patterns(const std::vector<std::string>& patterns, const std::set<std::string>& names);

} // namespace detail

/// Copies the tensors of `state` into the parameters and buffers of `module`, converting dtype and device as
/// `copy_` does: `module.load_state_dict(state, strict)`. Nothing is copied unless everything fits. Names that the
/// patterns of `options` leave out are untouched in the module and ignored in the state.
/// \throws StateError that lists all missing, unexpected and misshapen names together; or names a pattern that fits
/// nothing.
AUDYN_INLINE IncompatibleKeys load_module_state(torch::nn::Module& module, const StateDict& state,
                                                const LoadModuleOptions& options);

/// The same with all names.
inline IncompatibleKeys load_module_state(torch::nn::Module& module, const StateDict& state, bool strict = true) {
    return load_module_state(module, state, LoadModuleOptions{.strict = strict});
}

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/module_state.ipp>
#endif
