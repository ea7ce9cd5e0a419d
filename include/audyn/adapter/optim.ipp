#pragma once

#include <audyn/adapter/optim.hpp>
#include <audyn/core/inline.hpp>

namespace audyn::adapter::detail {

AUDYN_INLINE optim::AnnealStrategy anneal_strategy(const std::string& name) {
    if (name != "cos" && name != "linear") {
        throw UsageError("anneal_strategy must be 'cos' or 'linear', got '" + name + "'");
    }
    return name == "cos" ? optim::AnnealStrategy::cos : optim::AnnealStrategy::linear;
}

AUDYN_INLINE int64_t one_cycle_steps(std::optional<int64_t> total_steps, std::optional<int64_t> epochs,
                                     std::optional<int64_t> steps_per_epoch, int64_t run_steps) {
    if (total_steps) {
        return *total_steps;
    }
    if (epochs.has_value() != steps_per_epoch.has_value()) {
        throw UsageError("OneCycleLR: give epochs and steps_per_epoch together, total_steps alone, or none of them for "
                         "the whole run");
    }
    return epochs ? *epochs * *steps_per_epoch : run_steps;
}

AUDYN_INLINE void add_one_cycle(Targets& targets) {
    using Count = std::optional<int64_t>;
    targets.add_function<SchedulerFactory>(
        "torch.optim.lr_scheduler.OneCycleLR",
        constructor<double, Count, Count, Count, double, std::string, bool, double, double, double, double, bool>(
            arg("max_lr"), arg("total_steps") = Count(), arg("epochs") = Count(), arg("steps_per_epoch") = Count(),
            arg("pct_start") = 0.3, arg("anneal_strategy") = "cos", arg("cycle_momentum") = true,
            arg("base_momentum") = 0.85, arg("max_momentum") = 0.95, arg("div_factor") = 25.0,
            arg("final_div_factor") = 1e4, arg("three_phase") = false),
        [](double max_lr, Count total_steps, Count epochs, Count steps_per_epoch, double pct_start,
           const std::string& anneal, bool cycle_momentum, double base_momentum, double max_momentum, double div_factor,
           double final_div_factor, bool three_phase) -> SchedulerFactory {
            const auto options = optim::OneCycleLROptions()
                                     .max_lr(max_lr)
                                     .pct_start(pct_start)
                                     .anneal_strategy(anneal_strategy(anneal))
                                     .cycle_momentum(cycle_momentum)
                                     .base_momentum(base_momentum)
                                     .max_momentum(max_momentum)
                                     .div_factor(div_factor)
                                     .final_div_factor(final_div_factor)
                                     .three_phase(three_phase);
            return [=](optim::Optimizer& optimizer, int64_t run_steps) mutable {
                auto complete = options;
                complete.total_steps(one_cycle_steps(total_steps, epochs, steps_per_epoch, run_steps));
                return std::make_shared<optim::OneCycleLR>(optimizer, complete);
            };
        });
}

AUDYN_INLINE void add_schedulers(Targets& targets) {
    using Count = std::optional<int64_t>;
    const std::string prefix = "torch.optim.lr_scheduler.";
    targets.add_function<SchedulerFactory>(prefix + "StepLR",
                                           constructor<int64_t, double>(arg("step_size"), arg("gamma") = 0.1),
                                           [](int64_t step_size, double gamma) -> SchedulerFactory {
                                               return [=](optim::Optimizer& optimizer, int64_t) {
                                                   return std::make_shared<optim::StepLR>(optimizer, step_size, gamma);
                                               };
                                           });
    targets.add_function<SchedulerFactory>(
        prefix + "CosineAnnealingLR", constructor<Count, double>(arg("T_max") = Count(), arg("eta_min") = 0.0),
        [](Count t_max, double eta_min) -> SchedulerFactory {
            return [=](optim::Optimizer& optimizer, int64_t run_steps) {
                return std::make_shared<optim::CosineAnnealingLR>(optimizer, t_max.value_or(run_steps), eta_min);
            };
        });
    targets.add_function<SchedulerFactory>(
        prefix + "LinearLR",
        constructor<double, double, int64_t>(arg("start_factor") = 1.0 / 3, arg("end_factor") = 1.0,
                                             arg("total_iters") = 5),
        [](double start_factor, double end_factor, int64_t total_iters) -> SchedulerFactory {
            return [=](optim::Optimizer& optimizer, int64_t) {
                return std::make_shared<optim::LinearLR>(optimizer, start_factor, end_factor, total_iters);
            };
        });
    targets.add_function<SchedulerFactory>(
        prefix + "ConstantLR", constructor<double, int64_t>(arg("factor") = 1.0 / 3, arg("total_iters") = 5),
        [](double factor, int64_t total_iters) -> SchedulerFactory {
            return [=](optim::Optimizer& optimizer, int64_t) {
                return std::make_shared<optim::ConstantLR>(optimizer, factor, total_iters);
            };
        });
    add_one_cycle(targets);
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_optim_targets(Targets& targets) {
    add_optimizers(targets);
    detail::add_schedulers(targets);
}

} // namespace audyn::adapter
