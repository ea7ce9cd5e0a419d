#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

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
    explicit GradientLists(const std::vector<at::Tensor>& parameters);

    void add(at::Tensor grad);

    /// In the order of their first gradients; none is empty.
    [[nodiscard]] const std::vector<List>& lists() const { return lists_; }

private:
    std::vector<List> lists_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/gradient_lists.ipp>
#endif
