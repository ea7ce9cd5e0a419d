#pragma once

#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <sstream>
#include <utility>

namespace audyn::checkpoint {

AUDYN_INLINE StateDict module_state(const torch::nn::Module& module) {
    StateDict state;
    detail::for_each_state_tensor(module, "", [&](std::string name, const at::Tensor& tensor) {
        if (tensor.defined()) {
            state.set(std::move(name), tensor.detach());
        }
    });
    return state;
}

} // namespace audyn::checkpoint

namespace audyn::checkpoint::detail {

AUDYN_INLINE std::string shape_text(const at::Tensor& tensor) {
    std::ostringstream text;
    text << tensor.sizes();
    return text.str();
}

AUDYN_INLINE void append_names(std::string& message, const char* title, const std::vector<std::string>& names) {
    if (names.empty()) {
        return;
    }
    message += std::string("\n  ") + title + ": ";
    for (std::size_t i = 0; i < names.size(); ++i) {
        message += (i == 0 ? "" : ", ") + names[i];
    }
}

AUDYN_INLINE bool is_selected(const std::string& name, const LoadModuleOptions& options) {
    const auto fits = [&](const std::string& pattern) { return core::glob_match(pattern, name); };
    return (options.include.empty() || std::any_of(options.include.begin(), options.include.end(), fits)) &&
           std::none_of(options.exclude.begin(), options.exclude.end(), fits);
}

AUDYN_INLINE void check_patterns(const std::vector<std::string>& patterns, const std::set<std::string>& names) {
    for (const std::string& pattern : patterns) {
        if (std::none_of(names.begin(), names.end(),
                         [&](const std::string& name) { return core::glob_match(pattern, name); })) {
            throw StateError("the pattern '" + pattern + "' fits no parameter or buffer of the model or the state");
        }
    }
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE IncompatibleKeys load_module_state(torch::nn::Module& module, const StateDict& state,
                                                const LoadModuleOptions& options) {
    IncompatibleKeys incompatible;
    std::vector<std::string> misfits;
    std::vector<std::pair<at::Tensor, at::Tensor>> copies; // to, from
    std::map<std::string, const state::Value*> given;
    std::set<std::string> names; // of both sides
    for (const auto& [key, value] : state) {
        given.emplace(key.to_string(), &value);
        names.insert(key.to_string());
    }
    std::set<std::string> wanted;
    detail::for_each_state_tensor(module, "", [&](const std::string& name, const at::Tensor& target) {
        if (!target.defined()) {
            return;
        }
        names.insert(name);
        if (!wanted.insert(name).second || !detail::is_selected(name, options)) {
            return;
        }
        const auto found = given.find(name);
        if (found == given.end()) {
            incompatible.missing.push_back(name);
            return;
        }
        const state::Value& value = *found->second;
        if (!value.is<at::Tensor>()) {
            misfits.push_back(name + " (the model has a tensor, the state " + value.kind() + ")");
        } else if (value.as_tensor().sizes() != target.sizes()) {
            misfits.push_back(name + " (the model has " + detail::shape_text(target) + ", the state " +
                              detail::shape_text(value.as_tensor()) + ")");
        } else {
            copies.emplace_back(target, value.as_tensor());
        }
    });
    for (const auto& [key, value] : state) {
        if (const std::string name = key.to_string(); !wanted.contains(name) && detail::is_selected(name, options)) {
            incompatible.unexpected.push_back(name);
        }
    }
    detail::check_patterns(options.include, names);
    detail::check_patterns(options.exclude, names);
    const bool differs = !incompatible.missing.empty() || !incompatible.unexpected.empty();
    if (!misfits.empty() || (options.strict && differs)) {
        std::string message = "the state does not fit the model " + module.name() + ":";
        if (options.strict) {
            detail::append_names(message, "missing in the state", incompatible.missing);
            detail::append_names(message, "unknown to the model", incompatible.unexpected);
        }
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
