#pragma once

#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/multi_optimizers.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/averaged_model.hpp>
#include <audyn/optim/exponential_moving_average.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter {

AUDYN_INLINE void add_moving_average_targets(Targets& targets) {
    targets.add_function<AveragedOptimizerFactory>(
        "audyn.optim.optimizer.ExponentialMovingAverageWrapper.build_from_optim_class",
        constructor<OptimizerFactory, std::optional<double>, bool, bool, bool>(
            arg("optimizer_class"), arg("smooth") = std::optional<double>(), arg("warmup") = false,
            arg("bias_correction") = false, arg("use_buffers") = false),
        [](const OptimizerFactory&, std::optional<double> smooth, bool warmup, bool bias_correction,
           bool use_buffers) -> AveragedOptimizerFactory {
            auto options = optim::ExponentialMovingAverageOptions().warmup(warmup).bias_correction(bias_correction);
            options.smooth(smooth.value_or(options.smooth()));
            options.check();
            return [=](std::unique_ptr<optim::Optimizer> optimizer, const optim::NamedParameters&,
                       const optim::NamedParameters& buffers) {
                auto average = std::make_unique<optim::ExponentialMovingAverage>(
                    optimizer->groups(), options, use_buffers ? buffers.values() : std::vector<at::Tensor>());
                return optim::AnyOptimizer(std::move(optimizer), std::move(average));
            };
        });
    targets.add_function<AveragedOptimizerFactory>(
        "audyn.optim.optimizer.StochasticWeightAveragingWrapper.build_from_optim_class",
        constructor<OptimizerFactory, int64_t, int64_t, bool>(arg("optimizer_class"), arg("swa_start") = 0,
                                                              arg("swa_freq") = 1, arg("use_buffers") = false),
        [](const OptimizerFactory&, int64_t swa_start, int64_t swa_freq, bool use_buffers) -> AveragedOptimizerFactory {
            const auto options =
                optim::AveragedModelOptions().swa_start(swa_start).swa_freq(swa_freq).use_buffers(use_buffers);
            options.check();
            return [=](std::unique_ptr<optim::Optimizer> optimizer, const optim::NamedParameters& parameters,
                       const optim::NamedParameters& buffers) {
                auto average = std::make_unique<optim::AveragedModel>(parameters, buffers, options);
                return optim::AnyOptimizer(std::move(optimizer), std::move(average));
            };
        });
}

namespace detail {

/// The node without the groups of its optimizer, which are no arguments of the target.
AUDYN_INLINE Config without_groups(const Config& node) {
    config::Value values = node.to_value(/*resolve=*/true);
    if (config::Value* const inner = values.find("optimizer_class"); inner != nullptr && inner->is_dict()) {
        inner->erase("param_groups");
    }
    return in_place_of(node, std::move(values));
}

} // namespace detail

AUDYN_INLINE void check_any_optimizer(const Targets& targets, const Config& node) {
    if (node.is_list()) {
        check_multi_optimizers(targets, node);
    } else if (targets.builds<AveragedOptimizerFactory>(node)) {
        if (const auto groups = node.find_key("param_groups")) {
            throw groups->error("belongs to `" + node.path() + ".optimizer_class`, whose parameters it groups");
        }
        const Config without_groups = detail::without_groups(node);
        targets.check<AveragedOptimizerFactory>(without_groups);
        check_optimizer(targets, node["optimizer_class"]);
        static_cast<void>(targets.build<AveragedOptimizerFactory>(without_groups)); // It knows the options' ranges.
    } else {
        check_optimizer(targets, node);
    }
}

AUDYN_INLINE optim::AnyOptimizer build_any_optimizer(const Targets& targets, const Config& node,
                                                     const optim::NamedParameters& parameters,
                                                     const optim::NamedParameters& buffers) {
    if (node.is_list()) {
        return build_multi_optimizers(targets, node, parameters, buffers);
    }
    if (!targets.builds<AveragedOptimizerFactory>(node)) {
        return optim::AnyOptimizer(build_optimizer(targets, node, parameters));
    }
    try {
        return targets.build<AveragedOptimizerFactory>(detail::without_groups(node))(
            build_optimizer(targets, node["optimizer_class"], parameters), parameters, buffers);
    } catch (const UsageError& error) {
        throw node.error(error.what());
    }
}

} // namespace audyn::adapter
