#pragma once

#include "reference.hpp"

#include <audyn/optim/optimizer.hpp>

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <vector>

/// The same as tests/oracle/moving_average.py makes.
namespace averaged_net {

struct Net : torch::nn::Module {
    Net() {
        weight = register_parameter("weight", at::zeros({3, 4}));
        bias = register_parameter("bias", at::zeros({3}));
        scale = register_buffer("scale", at::zeros({5}));
        set_values(0);
    }

    /// What a training would have made of the net.
    void set_values(int64_t step) {
        const at::NoGradGuard no_grad;
        int64_t k = 0;
        for (at::Tensor tensor : {weight, bias, scale}) {
            tensor.copy_(reference::values(tensor.sizes(), 10 * step + k++) + 0.125 * static_cast<double>(step));
        }
    }

    at::Tensor weight;
    at::Tensor bias;
    at::Tensor scale;
};

inline std::vector<audyn::optim::ParamGroup> groups_of(const std::vector<at::Tensor>& parameters) {
    std::vector<audyn::optim::ParamGroup> groups(1);
    groups[0].params = parameters;
    return groups;
}

} // namespace averaged_net
