#pragma once

#include "reference.hpp"

#include <audyn/optim/adamw.hpp>
#include <audyn/optim/multi_optimizers.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Parameters in two parts, and an optimizer of each.
namespace multi_parts {

using namespace audyn::optim;

struct Parts {
    std::vector<at::Tensor> all = reference::parameters();
    std::vector<at::Tensor> body{all[0], all[1]};
    std::vector<at::Tensor> head{all[2]};
};

inline std::unique_ptr<SGD> make_sgd(const std::vector<at::Tensor>& parameters) {
    return std::make_unique<SGD>(parameters, SGDOptions().lr(0.1).momentum(0.9));
}

inline std::unique_ptr<AdamW> make_adamw(const std::vector<at::Tensor>& parameters) {
    return std::make_unique<AdamW>(parameters, AdamWOptions().lr(0.01));
}

template <class... Optimizers>
MultiOptimizers multi(std::pair<const char*, Optimizers>... optimizers) {
    std::vector<NamedOptimizer> list;
    (list.push_back({optimizers.first, AnyOptimizer(std::move(optimizers.second))}), ...);
    return MultiOptimizers(std::move(list));
}

inline MultiOptimizers body_and_head(const Parts& parts) {
    return multi(std::pair("body", make_sgd(parts.body)), std::pair("head", make_adamw(parts.head)));
}

inline std::vector<std::string> keys(const audyn::StateDict& state) {
    std::vector<std::string> result;
    for (const auto& [key, value] : state) {
        result.push_back(key.to_string());
    }
    return result;
}

} // namespace multi_parts
