#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// The same numbers as tests/oracle/optimizer.py makes.
namespace reference {

/// Multiples of 1/1024 in [-1, 1): exact in float32, the same in any language.
inline at::Tensor values(at::IntArrayRef shape, int64_t seed) {
    const int64_t count = c10::multiply_integers(shape);
    const at::Tensor integers = (at::arange(count, at::kLong) * 7919 + seed * 104729).remainder(2003) - 1001;
    return integers.to(at::kFloat).div(1024).view(shape);
}

using Shapes = std::vector<std::vector<int64_t>>;

inline std::vector<at::Tensor> parameters(const Shapes& shapes = {{1}, {1000}, {64, 64, 3}}) {
    std::vector<at::Tensor> result;
    int64_t seed = 0;
    for (const std::vector<int64_t>& shape : shapes) {
        result.push_back(values(shape, seed++).requires_grad_());
    }
    return result;
}

/// The gradients of one step.
inline void set_gradients(const std::vector<at::Tensor>& parameters, int64_t step) {
    for (std::size_t k = 0; k < parameters.size(); ++k) {
        parameters[k].mutable_grad() = values(parameters[k].sizes(), 10 * step + static_cast<int64_t>(k) + 3);
    }
}

/// The same, with up to four rows of each.
inline void set_sparse_gradients(const std::vector<at::Tensor>& parameters, int64_t step) {
    set_gradients(parameters, step);
    for (const at::Tensor& parameter : parameters) {
        const int64_t count = std::min<int64_t>(4, parameter.size(0));
        const at::Tensor rows = (at::arange(count, at::kLong) * 37 + step).remainder(parameter.size(0));
        const at::Tensor grad = parameter.grad().narrow(0, 0, count);
        parameter.mutable_grad() = at::sparse_coo_tensor(rows.unsqueeze(0), grad, parameter.sizes());
    }
}

/// A convex function whose curvature differs by a factor of about ten.
inline at::Tensor loss(const std::vector<at::Tensor>& parameters) {
    at::Tensor total;
    for (std::size_t k = 0; k < parameters.size(); ++k) {
        const auto seed = static_cast<int64_t>(k);
        const at::Tensor distance = parameters[k] - values(parameters[k].sizes(), 50 + seed);
        const at::Tensor weight = values(parameters[k].sizes(), 60 + seed).abs() + 0.1;
        const at::Tensor part = (weight * distance.square()).sum();
        total = (total.defined() ? total + part : part) + 0.05 * distance.pow(4).sum();
    }
    return total;
}

/// First, middle and last element, sum of absolute values, sum of squares, of each tensor.
inline std::vector<double> digest(const std::vector<at::Tensor>& parameters) {
    std::vector<double> numbers;
    for (const at::Tensor& parameter : parameters) {
        const at::Tensor flat = parameter.detach().to(at::kDouble).flatten();
        for (const at::Tensor& number :
             {flat[0], flat[flat.numel() / 2], flat[-1], flat.abs().sum(), flat.square().sum()}) {
            numbers.push_back(number.item<double>());
        }
    }
    return numbers;
}

/// Lines of `words` names and then numbers, by their names.
inline std::map<std::string, std::vector<double>> table(const std::string& file, int words) {
    std::ifstream stream(std::string(AUDYN_TEST_DATA_DIR) + "/" + file);
    if (!stream) {
        throw std::runtime_error("cannot read " + file);
    }
    std::map<std::string, std::vector<double>> lines;
    for (std::string line; std::getline(stream, line);) {
        std::istringstream fields(line);
        std::string name;
        std::string word;
        for (int i = 0; i < words && fields >> word; ++i) {
            name += (i == 0 ? "" : " ") + word;
        }
        for (double number = 0.0; fields >> number;) {
            lines[name].push_back(number);
        }
    }
    return lines;
}

} // namespace reference
