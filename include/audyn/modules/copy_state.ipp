#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/modules/copy_state.hpp>

#include <c10/core/GradMode.h>

namespace audyn::modules::detail {

AUDYN_INLINE void copy_state(const torch::nn::Module& module, torch::nn::Module& copy,
                             const std::optional<at::Device>& device) {
    const c10::NoGradGuard no_grad;
    const auto copy_all = [&](const auto& from, auto to) {
        for (const auto& item : from) {
            at::Tensor& target = to[item.key()];
            target.set_data(item.value().to(device.value_or(item.value().device()), item.value().scalar_type(),
                                            /*non_blocking=*/false, /*copy=*/true));
            target.set_requires_grad(item.value().requires_grad());
        }
    };
    copy_all(module.named_parameters(), copy.named_parameters());
    copy_all(module.named_buffers(), copy.named_buffers());
    copy.train(module.is_training());
}

} // namespace audyn::modules::detail
