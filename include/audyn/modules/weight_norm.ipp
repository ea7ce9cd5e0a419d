#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/modules/weight_norm.hpp>

#include <ATen/ops/_weight_norm.h>
#include <ATen/ops/norm_except_dim.h>
#include <c10/core/GradMode.h>

#include <vector>

namespace audyn::modules::detail {

AUDYN_INLINE WeightNormParametrization::WeightNormParametrization(const at::Tensor& weight, int64_t dim)
    : module_(std::make_shared<torch::nn::Module>("ModuleDict")) {
    const c10::NoGradGuard no_grad;
    auto originals = std::make_shared<torch::nn::Module>("ParametrizationList");
    originals->register_parameter("original0", at::norm_except_dim(weight, 2, dim).clone());
    originals->register_parameter("original1", weight.clone());
    module_->register_module("weight", std::move(originals));
}

AUDYN_INLINE at::Tensor WeightNormParametrization::weight(const torch::nn::Module& parametrizations, int64_t dim) {
    const std::vector<at::Tensor> originals = parametrizations.children().front()->parameters(/*recurse=*/false);
    return at::_weight_norm(originals[1], originals[0], dim);
}

} // namespace audyn::modules::detail

namespace audyn::modules {

AUDYN_INLINE int64_t remove_weight_norm(torch::nn::Module& module) {
    int64_t removed = 0;
    if (auto* const normalized = dynamic_cast<WeightNormalized*>(&module);
        normalized != nullptr && normalized->has_weight_norm()) {
        normalized->remove_weight_norm();
        ++removed;
    }
    for (const std::shared_ptr<torch::nn::Module>& child : module.children()) {
        removed += remove_weight_norm(*child);
    }
    return removed;
}

} // namespace audyn::modules
