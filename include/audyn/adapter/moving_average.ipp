#pragma once

#include <audyn/adapter/moving_average.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/exponential_moving_average.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace audyn::adapter {

AUDYN_INLINE void add_moving_average_targets(Targets& targets) {
    targets.add_function<AveragedOptimizerFactory>(
        "audyn.optim.optimizer.ExponentialMovingAverageWrapper.build_from_optim_class",
        constructor<OptimizerFactory, std::optional<double>, bool, bool>(
            arg("optimizer_class"), arg("smooth") = std::optional<double>(), arg("warmup") = false,
            arg("bias_correction") = false),
        [](const OptimizerFactory& optimizer_class, std::optional<double> smooth, bool warmup,
           bool bias_correction) -> AveragedOptimizerFactory {
            auto options = optim::ExponentialMovingAverageOptions().warmup(warmup).bias_correction(bias_correction);
            options.smooth(smooth.value_or(options.smooth()));
            return [=](const optim::NamedParameters& parameters) {
                auto optimizer = optimizer_class(parameters);
                auto average = std::make_unique<optim::ExponentialMovingAverage>(optimizer->groups(), options);
                return optim::AnyOptimizer(std::move(optimizer), std::move(average));
            };
        });
}

AUDYN_INLINE void check_any_optimizer(const Targets& targets, const Config& node) {
    if (targets.builds<AveragedOptimizerFactory>(node)) {
        targets.check<AveragedOptimizerFactory>(node);
    } else {
        check_optimizer(targets, node);
    }
}

AUDYN_INLINE optim::AnyOptimizer build_any_optimizer(const Targets& targets, const Config& node,
                                                     const optim::NamedParameters& parameters) {
    if (!targets.builds<AveragedOptimizerFactory>(node)) {
        return optim::AnyOptimizer(build_optimizer(targets, node, parameters));
    }
    try {
        return targets.build<AveragedOptimizerFactory>(node)(parameters);
    } catch (const UsageError& error) {
        throw node.error(error.what());
    }
}

} // namespace audyn::adapter
