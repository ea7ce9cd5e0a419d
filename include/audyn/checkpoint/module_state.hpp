#pragma once

#include <audyn/core/error.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <sstream>
#include <string>
#include <utility>
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
[[nodiscard]] inline StateDict module_state(const torch::nn::Module& module) {
    StateDict state;
    detail::for_each_state_tensor(module, "", [&](std::string name, const at::Tensor& tensor) {
        if (tensor.defined()) {
            state.set(std::move(name), tensor.detach());
        }
    });
    return state;
}

/// What `load_module_state` did not use or find: Python's `missing_keys` and `unexpected_keys`.
struct IncompatibleKeys {
    std::vector<std::string> missing;
    std::vector<std::string> unexpected;
};

/// Copies the tensors of `state` into the parameters and buffers of `module`, converting dtype and device as
/// `copy_` does: `module.load_state_dict(state, strict)`. Nothing is copied unless everything fits.
/// \param strict false allows names that only one side has; a wrong shape is an error all the same.
/// \throws StateError that lists all missing, unexpected and misshapen names together.
inline IncompatibleKeys load_module_state(torch::nn::Module& module, const StateDict& state, bool strict = true);

namespace detail {

[[nodiscard]] inline std::string shape_text(const at::Tensor& tensor) {
    std::ostringstream text;
    text << tensor.sizes();
    return text.str();
}

inline void append_names(std::string& message, const char* title, const std::vector<std::string>& names) {
    if (names.empty()) {
        return;
    }
    message += std::string("\n  ") + title + ": ";
    for (std::size_t i = 0; i < names.size(); ++i) {
        message += (i == 0 ? "" : ", ") + names[i];
    }
}

} // namespace detail

inline IncompatibleKeys load_module_state(torch::nn::Module& module, const StateDict& state, bool strict) {
    IncompatibleKeys incompatible;
    std::vector<std::string> misfits;
    std::vector<std::pair<at::Tensor, at::Tensor>> copies; // to, from
    StateDict wanted;
    detail::for_each_state_tensor(module, "", [&](const std::string& name, const at::Tensor& target) {
        if (!target.defined()) {
            return;
        }
        wanted.set(name, nullptr);
        const state::Value* value = state.find(name);
        if (value == nullptr) {
            incompatible.missing.push_back(name);
        } else if (!value->is<at::Tensor>()) {
            misfits.push_back(name + " (the model has a tensor, the state " + value->kind() + ")");
        } else if (value->as_tensor().sizes() != target.sizes()) {
            misfits.push_back(name + " (the model has " + detail::shape_text(target) + ", the state " +
                              detail::shape_text(value->as_tensor()) + ")");
        } else {
            copies.emplace_back(target, value->as_tensor());
        }
    });
    for (const auto& [key, value] : state) {
        if (!wanted.contains(key)) {
            incompatible.unexpected.push_back(key.to_string());
        }
    }
    if (!misfits.empty() || (strict && !(incompatible.missing.empty() && incompatible.unexpected.empty()))) {
        std::string message = "the state does not fit the model " + module.name() + ":";
        detail::append_names(message, "missing in the state", strict ? incompatible.missing : decltype(misfits){});
        detail::append_names(message, "unknown to the model", strict ? incompatible.unexpected : decltype(misfits){});
        detail::append_names(message, "of another shape", misfits);
        throw StateError(message);
    }
    const c10::NoGradGuard no_grad;
    for (auto& [target, source] : copies) {
        target.copy_(source);
    }
    return incompatible;
}

} // namespace audyn::checkpoint
