#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/trainer/finite.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace audyn::trainer {

AUDYN_INLINE bool is_finite(const at::Tensor& tensor) {
    const at::NoGradGuard no_grad;
    // A sum that is finite has finite terms; the converse is checked only when it is not.
    const auto check = [](const at::Tensor& part) {
        return at::isfinite(part.sum()).item<bool>() || at::isfinite(part).all().item<bool>();
    };
    if (!tensor.is_floating_point() && !tensor.is_complex()) {
        return true;
    }
    if (!tensor.is_cpu() || !tensor.is_contiguous()) {
        return check(tensor);
    }
    constexpr int64_t piece = 16384;
    const at::Tensor flat = tensor.view({-1});
    for (int64_t begin = 0; begin < flat.numel(); begin += piece) {
        if (!check(flat.narrow(0, begin, std::min(piece, flat.numel() - begin)))) {
            return false;
        }
    }
    return true;
}

namespace detail {

/// The tensor of a parameter: of its whole name, or of the rest of it in the state of a part.
AUDYN_INLINE const state::Value* find_parameter(const StateDict& model, const std::string& name) {
    if (const state::Value* value = model.find(name)) {
        return value;
    }
    const std::size_t dot = name.find('.');
    const state::Value* part = dot == std::string::npos ? nullptr : model.find(name.substr(0, dot));
    return part != nullptr && part->is<StateDict>() ? part->as_dict().find(name.substr(dot + 1)) : nullptr;
}

} // namespace detail

AUDYN_INLINE std::optional<std::string> first_non_finite(const StateDict& model,
                                                         const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        const state::Value* value = detail::find_parameter(model, name);
        if (value != nullptr && !is_finite(value->as_tensor())) {
            return name;
        }
    }
    return std::nullopt;
}

AUDYN_INLINE std::vector<std::string> parameter_names(const torch::nn::Module& module) {
    std::vector<std::string> names;
    for (const auto& parameter : module.named_parameters()) {
        names.push_back(parameter.key());
    }
    return names;
}

} // namespace audyn::trainer
