#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/sgd.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace audyn::adapter {

/// What an optimizer's target builds: the parameters come from the model.
using OptimizerFactory = std::function<std::unique_ptr<optim::Optimizer>(const optim::NamedParameters&)>;

namespace detail {

template <class Optimizer, class Options>
OptimizerFactory optimizer_factory(Options options) {
    return [options](const optim::NamedParameters& parameters) -> std::unique_ptr<optim::Optimizer> {
        return std::make_unique<Optimizer>(parameters, options);
    };
}

/// Adam and AdamW: they differ in the default of weight_decay.
template <class Optimizer, class Options>
void add_adam(Targets& targets, const std::string& name, double weight_decay) {
    using Pair = std::pair<double, double>;
    targets.add_function<OptimizerFactory>(
        name,
        constructor<double, Pair, double, double, bool, bool, Unsupported, Unsupported, Unsupported,
                    std::optional<bool>>(arg("lr") = 1e-3, arg("betas") = Pair(0.9, 0.999), arg("eps") = 1e-8,
                                         arg("weight_decay") = weight_decay, arg("amsgrad") = false,
                                         arg("maximize") = false, arg("foreach") = Unsupported(),
                                         arg("capturable") = Unsupported(), arg("differentiable") = Unsupported(),
                                         arg("fused") = std::optional<bool>()),
        [](double lr, Pair betas, double eps, double decay, bool amsgrad, bool maximize, Unsupported, Unsupported,
           Unsupported, std::optional<bool>) {
            return optimizer_factory<Optimizer>(
                Options().lr(lr).betas(betas).eps(eps).weight_decay(decay).amsgrad(amsgrad).maximize(maximize));
        });
}

AUDYN_INLINE void add_sgd(Targets& targets);

} // namespace detail

/// Adds the optimizers under PyTorch's names.
AUDYN_INLINE void add_optim_targets(Targets& targets);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/optim.ipp>
#endif
