#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <utility>
#include <vector>

namespace audyn::optim {

/// Gradients by device and type, as operators on lists of tensors take them.
class GradientLists {
public:
    struct List {
        c10::Device device;
        c10::ScalarType dtype;
        std::vector<at::Tensor> grads;
    };

    GradientLists() = default;
    /// The gradients of `parameters`; those without are passed over.
    explicit GradientLists(const std::vector<at::Tensor>& parameters) {
        for (const at::Tensor& parameter : parameters) {
            if (const at::Tensor& grad = parameter.grad(); grad.defined()) {
                add(grad);
            }
        }
    }

    void add(at::Tensor grad) {
        for (List& list : lists_) {
            if (list.device == grad.device() && list.dtype == grad.scalar_type()) {
                list.grads.push_back(std::move(grad));
                return;
            }
        }
        List& list = lists_.emplace_back(List{grad.device(), grad.scalar_type(), {}});
        list.grads.push_back(std::move(grad));
    }

    /// In the order of their first gradients; none is empty.
    [[nodiscard]] const std::vector<List>& lists() const { return lists_; }

private:
    std::vector<List> lists_;
};

} // namespace audyn::optim
