#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/gradient_lists.hpp>

#include <utility>

namespace audyn::optim {

AUDYN_INLINE GradientLists::GradientLists(const std::vector<at::Tensor>& parameters) {
    for (const at::Tensor& parameter : parameters) {
        if (const at::Tensor& grad = parameter.grad(); grad.defined()) {
            add(grad);
        }
    }
}

AUDYN_INLINE void GradientLists::add(at::Tensor grad) {
    for (List& list : lists_) {
        if (list.device == grad.device() && list.dtype == grad.scalar_type()) {
            list.grads.push_back(std::move(grad));
            return;
        }
    }
    List& list = lists_.emplace_back(List{grad.device(), grad.scalar_type(), {}});
    list.grads.push_back(std::move(grad));
}

} // namespace audyn::optim
