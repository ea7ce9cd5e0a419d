#pragma once

#include <audyn/adapter/schedulers.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/schedulers.hpp>

#include <algorithm>
#include <functional>
#include <vector>

namespace audyn::adapter::detail {

AUDYN_INLINE void check_last_epoch(int64_t last_epoch) {
    if (last_epoch != -1) {
        throw UsageError("last_epoch must be -1, got " + std::to_string(last_epoch) +
                         ": a schedule goes on where a checkpoint's state was taken, by train.resume.continue_from");
    }
}

AUDYN_INLINE void add_decay(Targets& targets) {
    const std::string prefix = "torch.optim.lr_scheduler.";
    add_plain_scheduler<optim::StepLR, int64_t, double>(targets, prefix + "StepLR", arg("step_size"),
                                                        arg("gamma") = 0.1);
    add_plain_scheduler<optim::MultiStepLR, std::vector<int64_t>, double>(targets, prefix + "MultiStepLR",
                                                                          arg("milestones"), arg("gamma") = 0.1);
    add_plain_scheduler<optim::ConstantLR, double, int64_t>(targets, prefix + "ConstantLR", arg("factor") = 1.0 / 3,
                                                            arg("total_iters") = 5);
    add_plain_scheduler<optim::LinearLR, double, double, int64_t>(
        targets, prefix + "LinearLR", arg("start_factor") = 1.0 / 3, arg("end_factor") = 1.0, arg("total_iters") = 5);
    add_plain_scheduler<optim::ExponentialLR, double>(targets, prefix + "ExponentialLR", arg("gamma"));
    add_plain_scheduler<optim::PolynomialLR, int64_t, double>(targets, prefix + "PolynomialLR", arg("total_iters") = 5,
                                                              arg("power") = 1.0);
}

AUDYN_INLINE void add_cosine(Targets& targets) {
    using Count = std::optional<int64_t>;
    const std::string prefix = "torch.optim.lr_scheduler.";
    add_scheduler<Count, double>(
        targets, prefix + "CosineAnnealingLR",
        [](Count t_max, double eta_min) -> SchedulerFactory {
            return [=](optim::Optimizer& optimizer, int64_t total_steps) {
                return std::make_unique<optim::CosineAnnealingLR>(optimizer, t_max.value_or(total_steps), eta_min);
            };
        },
        arg("T_max") = Count(), arg("eta_min") = 0.0);
    add_plain_scheduler<optim::CosineAnnealingWarmRestarts, int64_t, int64_t, double>(
        targets, prefix + "CosineAnnealingWarmRestarts", arg("T_0"), arg("T_mult") = 1, arg("eta_min") = 0.0);
}

AUDYN_INLINE int64_t one_cycle_steps(std::optional<int64_t> total_steps, std::optional<int64_t> epochs,
                                     std::optional<int64_t> steps_per_epoch, int64_t run_steps) {
    if (!total_steps && epochs.has_value() != steps_per_epoch.has_value()) {
        throw UsageError("OneCycleLR: give epochs and steps_per_epoch together, total_steps alone, or none of them for "
                         "the whole run");
    }
    const int64_t steps = total_steps ? *total_steps : epochs ? *epochs * *steps_per_epoch : run_steps;
    if (steps < run_steps) {
        throw UsageError("OneCycleLR has " + std::to_string(steps) + " steps, and the run " +
                         std::to_string(run_steps) + "; leave out total_steps, epochs and steps_per_epoch, which is " +
                         "the whole run");
    }
    return steps;
}

AUDYN_INLINE void add_one_cycle(Targets& targets) {
    using Count = std::optional<int64_t>;
    using Numbers = OneOrMore<double>;
    add_scheduler<Numbers, Count, Count, Count, double, std::string, bool, Numbers, Numbers, double, double, bool>(
        targets, "torch.optim.lr_scheduler.OneCycleLR",
        [](const Numbers& max_lr, Count total_steps, Count epochs, Count steps_per_epoch, double pct_start,
           const std::string& anneal, bool cycle_momentum, const Numbers& base_momentum, const Numbers& max_momentum,
           double div_factor, double final_div_factor, bool three_phase) -> SchedulerFactory {
            const auto options = optim::OneCycleLROptions()
                                     .max_lr(max_lr.values)
                                     .pct_start(pct_start)
                                     .anneal_strategy(optim::anneal_strategies.mode(anneal))
                                     .cycle_momentum(cycle_momentum)
                                     .base_momentum(base_momentum.values)
                                     .max_momentum(max_momentum.values)
                                     .div_factor(div_factor)
                                     .final_div_factor(final_div_factor)
                                     .three_phase(three_phase);
            return [=](optim::Optimizer& optimizer, int64_t run_steps) {
                auto complete = options;
                complete.total_steps(one_cycle_steps(total_steps, epochs, steps_per_epoch, run_steps));
                return std::make_unique<optim::OneCycleLR>(optimizer, complete);
            };
        },
        arg("max_lr"), arg("total_steps") = Count(), arg("epochs") = Count(), arg("steps_per_epoch") = Count(),
        arg("pct_start") = 0.3, arg("anneal_strategy") = "cos", arg("cycle_momentum") = true,
        arg("base_momentum") = 0.85, arg("max_momentum") = 0.95, arg("div_factor") = 25.0,
        arg("final_div_factor") = 1e4, arg("three_phase") = false);
}

AUDYN_INLINE void add_cyclic(Targets& targets) {
    using Count = std::optional<int64_t>;
    using Numbers = OneOrMore<double>;
    using ScaleFunction = std::optional<std::function<double(double)>>;
    add_scheduler<Numbers, Numbers, int64_t, Count, std::string, double, ScaleFunction, std::string, bool, Numbers,
                  Numbers>(
        targets, "torch.optim.lr_scheduler.CyclicLR",
        [](const Numbers& base_lr, const Numbers& max_lr, int64_t step_size_up, Count step_size_down,
           const std::string& mode, double gamma, const ScaleFunction& scale_fn, const std::string& scale_mode,
           bool cycle_momentum, const Numbers& base_momentum, const Numbers& max_momentum) {
            return scheduler_factory<optim::CyclicLR>(optim::CyclicLROptions()
                                                          .base_lr(base_lr.values)
                                                          .max_lr(max_lr.values)
                                                          .step_size_up(step_size_up)
                                                          .step_size_down(step_size_down)
                                                          .mode(optim::cyclic_modes.mode(mode))
                                                          .gamma(gamma)
                                                          .scale_fn(scale_fn.value_or(nullptr))
                                                          .scale_mode(optim::scale_modes.mode(scale_mode))
                                                          .cycle_momentum(cycle_momentum)
                                                          .base_momentum(base_momentum.values)
                                                          .max_momentum(max_momentum.values));
        },
        arg("base_lr"), arg("max_lr"), arg("step_size_up") = 2000, arg("step_size_down") = Count(),
        arg("mode") = "triangular", arg("gamma") = 1.0, arg("scale_fn") = ScaleFunction(), arg("scale_mode") = "cycle",
        arg("cycle_momentum") = true, arg("base_momentum") = 0.8, arg("max_momentum") = 0.9);
}

AUDYN_INLINE void add_plateau(Targets& targets) {
    using Numbers = OneOrMore<double>;
    targets.add_function<SchedulerFactory>(
        "torch.optim.lr_scheduler.ReduceLROnPlateau",
        constructor<std::string, double, int64_t, double, std::string, int64_t, Numbers, double, std::string>(
            arg("mode") = "min", arg("factor") = 0.1, arg("patience") = 10, arg("threshold") = 1e-4,
            arg("threshold_mode") = "rel", arg("cooldown") = 0, arg("min_lr") = 0.0, arg("eps") = 1e-8,
            arg("monitor") = ""),
        [](const std::string& mode, double factor, int64_t patience, double threshold,
           const std::string& threshold_mode, int64_t cooldown, const Numbers& min_lr, double eps,
           const std::string& monitor) {
            return scheduler_factory<optim::ReduceLROnPlateau>(
                optim::ReduceLROnPlateauOptions()
                    .mode(optim::plateau_modes.mode(mode))
                    .factor(factor)
                    .patience(patience)
                    .threshold(threshold)
                    .threshold_mode(optim::threshold_modes.mode(threshold_mode))
                    .cooldown(cooldown)
                    .min_lr(min_lr.values)
                    .eps(eps)
                    .monitor(monitor));
        });
}

AUDYN_INLINE void add_lambdas(Targets& targets) {
    using Lambdas = OneOrMore<optim::LRLambda>;
    const std::string prefix = "torch.optim.lr_scheduler.";
    add_scheduler<Lambdas>(
        targets, prefix + "LambdaLR",
        [](const Lambdas& lambdas) { return scheduler_factory<optim::LambdaLR>(lambdas.values); }, arg("lr_lambda"));
    add_scheduler<Lambdas>(
        targets, prefix + "MultiplicativeLR",
        [](const Lambdas& lambdas) { return scheduler_factory<optim::MultiplicativeLR>(lambdas.values); },
        arg("lr_lambda"));
    const std::string functions = "audyn.optim.lr_lambda.";
    targets.add_function(functions + "constant", &optim::lr_lambda::constant, arg("factor"));
    targets.add_function(functions + "exponential", &optim::lr_lambda::exponential, arg("gamma"));
    targets.add_function(functions + "step", &optim::lr_lambda::step, arg("step_size"), arg("gamma") = 0.1);
    targets.add_function(functions + "inverse_sqrt", &optim::lr_lambda::inverse_sqrt, arg("warmup_steps"));
    targets.add_function(functions + "linear", &optim::lr_lambda::linear, arg("warmup_steps"), arg("total_steps"));
    targets.add_function(functions + "cosine", &optim::lr_lambda::cosine, arg("warmup_steps"), arg("total_steps"));
}

AUDYN_INLINE void add_sequential(Targets& targets) {
    using Factories = std::vector<SchedulerFactory>;
    using Milestones = std::vector<int64_t>;
    add_scheduler<Factories, Milestones>(
        targets, "torch.optim.lr_scheduler.SequentialLR",
        [](const Factories& factories, const Milestones& milestones) -> SchedulerFactory {
            return [=](optim::Optimizer& optimizer, int64_t total_steps) {
                optim::Schedulers schedulers;
                int64_t begin = 0;
                for (std::size_t i = 0; i < factories.size(); ++i) {
                    const int64_t end = i < milestones.size() ? milestones[i] : total_steps;
                    schedulers.push_back(factories[i](optimizer, std::max<int64_t>(1, end - begin)));
                    begin = end;
                }
                return std::make_unique<optim::SequentialLR>(optimizer, std::move(schedulers), milestones);
            };
        },
        arg("schedulers"), arg("milestones"));
}

AUDYN_INLINE void add_chained(Targets& targets) {
    using Factories = std::vector<SchedulerFactory>;
    targets.add_function<SchedulerFactory>(
        "torch.optim.lr_scheduler.ChainedScheduler", constructor<Factories>(arg("schedulers")),
        [](const Factories& factories) -> SchedulerFactory {
            return [=](optim::Optimizer& optimizer, int64_t total_steps) {
                optim::Schedulers schedulers;
                for (const SchedulerFactory& factory : factories) {
                    schedulers.push_back(factory(optimizer, total_steps));
                }
                return std::make_unique<optim::ChainedScheduler>(optimizer, std::move(schedulers));
            };
        });
}

AUDYN_INLINE void add_linear_warmup(Targets& targets) {
    using Main = std::optional<SchedulerFactory>;
    targets.add_function<SchedulerFactory>(
        "audyn.optim.lr_scheduler.linear_warmup",
        constructor<int64_t, double, Main>(arg("warmup_steps"), arg("start_factor") = 1e-3, arg("scheduler") = Main()),
        [](int64_t warmup_steps, double start_factor, const Main& main) -> SchedulerFactory {
            return [=](optim::Optimizer& optimizer, int64_t total_steps) {
                optim::MakeScheduler make;
                if (main) {
                    // In a run that ends before, as a dry run may, it is made all the same.
                    const int64_t rest = std::max<int64_t>(1, total_steps - warmup_steps);
                    make = [&main, rest](optim::Optimizer& same) { return (*main)(same, rest); };
                }
                return optim::linear_warmup(optimizer, warmup_steps, start_factor, make);
            };
        });
}

AUDYN_INLINE void add_audyn_schedulers(Targets& targets) {
    const std::string prefix = "audyn.optim.lr_scheduler.";
    for (const char* name : {"TransformerLRScheduler", "TransformerLR", "NoamScheduler", "NoamLR"}) {
        add_plain_scheduler<optim::TransformerLRScheduler, int64_t, int64_t>(targets, prefix + name, arg("d_model"),
                                                                             arg("warmup_steps") = 4000);
    }
    for (const char* name : {"ExponentialWarmupLinearCooldownLRScheduler", "ExponentialWarmupLinearCooldownLR"}) {
        add_plain_scheduler<optim::ExponentialWarmupLinearCooldownLRScheduler, int64_t, int64_t, int64_t, double>(
            targets, prefix + name, arg("warmup_steps"), arg("suspend_steps"), arg("cooldown_steps"),
            arg("last_factor") = 1.0);
    }
    add_plain_scheduler<optim::BurnInLRScheduler, int64_t, double>(targets, prefix + "BurnInLRScheduler",
                                                                   arg("burnin_step"), arg("burnin_scale"));
    using Numbers = OneOrMore<double>;
    add_scheduler<Numbers, int64_t, std::string>(
        targets, "torch.optim.swa_utils.SWALR",
        [](const Numbers& swa_lr, int64_t anneal_epochs, const std::string& anneal_strategy) {
            return scheduler_factory<optim::SWALR>(swa_lr.values, anneal_epochs,
                                                   optim::anneal_strategies.mode(anneal_strategy));
        },
        arg("swa_lr"), arg("anneal_epochs") = 10, arg("anneal_strategy") = "cos");
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_scheduler_targets(Targets& targets) {
    detail::add_decay(targets);
    detail::add_cosine(targets);
    detail::add_one_cycle(targets);
    detail::add_cyclic(targets);
    detail::add_plateau(targets);
    detail::add_lambdas(targets);
    detail::add_sequential(targets);
    detail::add_chained(targets);
    detail::add_linear_warmup(targets);
    detail::add_audyn_schedulers(targets);
}

} // namespace audyn::adapter
