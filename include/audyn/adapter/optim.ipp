#pragma once

#include <audyn/adapter/optim.hpp>
#include <audyn/core/inline.hpp>

namespace audyn::adapter::detail {

AUDYN_INLINE void add_sgd(Targets& targets) {
    targets.add_function<OptimizerFactory>(
        "torch.optim.SGD",
        constructor<double, double, double, double, bool, bool, Unsupported, Unsupported, std::optional<bool>>(
            arg("lr") = 1e-3, arg("momentum") = 0.0, arg("dampening") = 0.0, arg("weight_decay") = 0.0,
            arg("nesterov") = false, arg("maximize") = false, arg("foreach") = Unsupported(),
            arg("differentiable") = Unsupported(), arg("fused") = std::optional<bool>()),
        [](double lr, double momentum, double dampening, double decay, bool nesterov, bool maximize, Unsupported,
           Unsupported, std::optional<bool>) {
            return optimizer_factory<optim::SGD>(optim::SGDOptions()
                                                     .lr(lr)
                                                     .momentum(momentum)
                                                     .dampening(dampening)
                                                     .weight_decay(decay)
                                                     .nesterov(nesterov)
                                                     .maximize(maximize));
        });
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_optim_targets(Targets& targets) {
    detail::add_adam<optim::Adam, optim::AdamOptions>(targets, "torch.optim.Adam", 0.0);
    detail::add_adam<optim::AdamW, optim::AdamWOptions>(targets, "torch.optim.AdamW", 1e-2);
    detail::add_sgd(targets);
}

} // namespace audyn::adapter
