#pragma once

#include <audyn/optim/adamw.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

/// The schedulers of tests/oracle/lr_scheduler.py.
namespace scheduler_cases {

using namespace audyn::optim;

/// For names that begin with "sgd" one with two groups.
inline std::unique_ptr<Optimizer> make_optimizer(const std::string& name) {
    const auto parameter = [] { return at::zeros({1}).requires_grad_(); };
    if (name.starts_with("sgd")) {
        const SGDOptions options = SGDOptions().lr(0.1).momentum(0.9);
        return std::make_unique<SGD>(std::vector<OptionsGroup<SGDOptions>>{
            {{}, {parameter()}, options}, {{}, {parameter()}, SGDOptions(options).lr(0.2)}});
    }
    return std::make_unique<AdamW>(std::vector{parameter()}, AdamWOptions().lr(0.1));
}

/// What a scheduler that follows a metric is given at a step.
inline double metric(int64_t step) {
    return static_cast<double>(step * 7919 % 101) / 101.0 + 50.0 / static_cast<double>(step + 25);
}

/// One step, the number `step` from the start.
inline void advance(LRScheduler& scheduler, int64_t step) {
    if (scheduler.needs_metric()) {
        scheduler.step(metric(step));
    } else {
        scheduler.step();
    }
}

template <class Scheduler, class... Arguments>
MakeScheduler make(Arguments... arguments) {
    return [=](Optimizer& optimizer) { return std::make_unique<Scheduler>(optimizer, arguments...); };
}

inline Schedulers all(Optimizer& optimizer, const std::vector<MakeScheduler>& makers) {
    Schedulers schedulers;
    for (const MakeScheduler& maker : makers) {
        schedulers.push_back(maker(optimizer));
    }
    return schedulers;
}

inline MakeScheduler sequential(const std::vector<int64_t>& milestones, const std::vector<MakeScheduler>& makers) {
    return [=](Optimizer& optimizer) {
        return std::make_unique<SequentialLR>(optimizer, all(optimizer, makers), milestones);
    };
}

inline MakeScheduler chained(const std::vector<MakeScheduler>& makers) {
    return [=](Optimizer& optimizer) { return std::make_unique<ChainedScheduler>(optimizer, all(optimizer, makers)); };
}

inline MakeScheduler warmup(const MakeScheduler& main, int64_t steps = 7, double start_factor = 0.01) {
    return [=](Optimizer& optimizer) { return linear_warmup(optimizer, steps, start_factor, main); };
}

inline MakeScheduler lambda(const LRLambda& function) {
    return make<LambdaLR>(function);
}

using Cases = std::map<std::string, MakeScheduler>;

inline void add_decay(Cases& cases) {
    cases["step"] = make<StepLR>(7);
    cases["step_gamma"] = make<StepLR>(1, 0.97);
    cases["step_large"] = make<StepLR>(100, 0.5);
    cases["multi_step"] = make<MultiStepLR>(std::vector<int64_t>{30, 80});
    cases["multi_step_twice"] = make<MultiStepLR>(std::vector<int64_t>{50, 10, 50, 200}, 0.7);
    cases["multi_step_first"] = make<MultiStepLR>(std::vector<int64_t>{0, 1, 499}, 0.3);
    cases["constant"] = make<ConstantLR>();
    cases["constant_long"] = make<ConstantLR>(0.25, 31);
    cases["constant_one"] = make<ConstantLR>(0.7, 1);
    cases["linear"] = make<LinearLR>();
    cases["linear_down"] = make<LinearLR>(1.0, 0.1, 400);
    cases["linear_short"] = make<LinearLR>(1e-3, 1.0, 1);
    cases["exponential"] = make<ExponentialLR>(0.99);
    cases["exponential_fast"] = make<ExponentialLR>(0.5);
    cases["exponential_up"] = make<ExponentialLR>(1.01);
    cases["polynomial"] = make<PolynomialLR>();
    cases["polynomial_square"] = make<PolynomialLR>(300, 2.0);
    cases["polynomial_root"] = make<PolynomialLR>(600, 0.3);
}

inline void add_cosine(Cases& cases) {
    cases["cosine"] = make<CosineAnnealingLR>(60);
    cases["cosine_restart"] = make<CosineAnnealingLR>(13, 1e-3);
    cases["cosine_one"] = make<CosineAnnealingLR>(1, 0.01);
    cases["warm_restarts"] = make<CosineAnnealingWarmRestarts>(60);
    cases["warm_restarts_longer"] = make<CosineAnnealingWarmRestarts>(7, 2);
    cases["warm_restarts_floor"] = make<CosineAnnealingWarmRestarts>(11, 3, 0.02);
}

inline void add_cycles(Cases& cases) {
    const OneCycleLROptions one_cycle = OneCycleLROptions().max_lr(0.3).total_steps(500);
    cases["one_cycle"] = make<OneCycleLR>(one_cycle);
    cases["one_cycle_linear"] = make<OneCycleLR>(OneCycleLROptions(one_cycle)
                                                     .pct_start(0.1)
                                                     .anneal_strategy(AnnealStrategy::linear)
                                                     .base_momentum(0.5)
                                                     .max_momentum(0.7));
    cases["one_cycle_three"] = make<OneCycleLR>(OneCycleLROptions(one_cycle)
                                                    .total_steps(501)
                                                    .three_phase(true)
                                                    .cycle_momentum(false)
                                                    .div_factor(10)
                                                    .final_div_factor(100));
    cases["sgd_one_cycle_groups"] = make<OneCycleLR>(OneCycleLROptions()
                                                         .max_lr(std::vector{0.3, 3.0})
                                                         .total_steps(500)
                                                         .base_momentum(std::vector{0.8, 0.6})
                                                         .max_momentum(std::vector{0.9, 0.7}));
    cases["cyclic"] = make<CyclicLR>(CyclicLROptions().base_lr(0.01).max_lr(0.1).step_size_up(20));
    cases["cyclic_half"] = make<CyclicLR>(
        CyclicLROptions().base_lr(0.01).max_lr(0.2).step_size_up(13).step_size_down(29).mode(CyclicMode::triangular2));
    cases["cyclic_exponential"] = make<CyclicLR>(CyclicLROptions()
                                                     .base_lr(0.01)
                                                     .max_lr(0.3)
                                                     .step_size_up(40)
                                                     .mode(CyclicMode::exp_range)
                                                     .gamma(0.99)
                                                     .cycle_momentum(false));
    cases["cyclic_function"] = make<CyclicLR>(CyclicLROptions().base_lr(0.01).max_lr(0.1).step_size_up(10).scale_fn(
        [](double x) { return 0.5 * (1.0 + std::sin(x * std::numbers::pi / 2.0)); }));
    cases["sgd_cyclic_groups"] = make<CyclicLR>(CyclicLROptions()
                                                    .base_lr(std::vector{0.01, 0.02})
                                                    .max_lr(std::vector{0.1, 0.5})
                                                    .step_size_up(30)
                                                    .base_momentum(0.5)
                                                    .max_momentum(0.95)
                                                    .scale_fn([](double x) { return 1.0 / (1.0 + x); })
                                                    .scale_mode(ScaleMode::iterations));
}

inline void add_plateau(Cases& cases) {
    cases["plateau"] = make<ReduceLROnPlateau>();
    cases["plateau_max"] =
        make<ReduceLROnPlateau>(ReduceLROnPlateauOptions().mode(PlateauMode::max).factor(0.9).patience(4).eps(1e-3));
    cases["plateau_absolute"] = make<ReduceLROnPlateau>(ReduceLROnPlateauOptions()
                                                            .factor(0.8)
                                                            .patience(2)
                                                            .threshold(0.01)
                                                            .threshold_mode(ThresholdMode::abs)
                                                            .cooldown(5)
                                                            .min_lr(0.01));
    cases["plateau_max_absolute"] = make<ReduceLROnPlateau>(ReduceLROnPlateauOptions()
                                                                .mode(PlateauMode::max)
                                                                .factor(0.5)
                                                                .patience(0)
                                                                .threshold(0.2)
                                                                .threshold_mode(ThresholdMode::abs));
    cases["sgd_plateau_groups"] =
        make<ReduceLROnPlateau>(ReduceLROnPlateauOptions().patience(3).factor(0.5).min_lr(std::vector{0.02, 0.001}));
}

inline void add_functions(Cases& cases) {
    const auto reciprocal = [](int64_t step) { return 1.0 / (1.0 + static_cast<double>(step)); };
    cases["lambda_exponential"] = lambda(lr_lambda::exponential(0.95));
    cases["lambda_step"] = lambda(lr_lambda::step(30, 0.5));
    cases["lambda_constant"] = lambda(lr_lambda::constant(0.25));
    cases["lambda_inverse_sqrt"] = lambda(lr_lambda::inverse_sqrt(40));
    cases["lambda_linear"] = lambda(lr_lambda::linear(10, 400));
    cases["lambda_cosine"] = lambda(lr_lambda::cosine(10, 400));
    cases["sgd_lambda_groups"] = make<LambdaLR>(std::vector<LRLambda>{lr_lambda::exponential(0.9), reciprocal});
    cases["multiplicative"] = make<MultiplicativeLR>(lr_lambda::constant(0.99));
    cases["multiplicative_step"] =
        make<MultiplicativeLR>(LRLambda([](int64_t step) { return step % 50 == 0 ? 0.5 : 1.0; }));
    cases["sgd_multiplicative_groups"] = make<MultiplicativeLR>(
        std::vector<LRLambda>{lr_lambda::constant(0.98), [=](int64_t step) { return 1.0 + reciprocal(step); }});
    cases["swa"] = make<SWALR>(0.05);
    cases["swa_linear"] = make<SWALR>(0.3, 100, AnnealStrategy::linear);
    cases["swa_at_once"] = make<SWALR>(0.01, 0);
    cases["sgd_swa_groups"] = make<SWALR>(std::vector{0.01, 0.5}, 37);
    cases["transformer"] = make<TransformerLRScheduler>(512, 4000);
    cases["transformer_short"] = make<TransformerLRScheduler>(256, 50);
    cases["transformer_one"] = make<TransformerLRScheduler>(3, 1);
    cases["burn_in"] = make<BurnInLRScheduler>(20, 0.01);
    cases["burn_in_long"] = make<BurnInLRScheduler>(333, 0.5);
    cases["burn_in_none"] = make<BurnInLRScheduler>(0, 0.1);
    cases["passt"] = make<ExponentialWarmupLinearCooldownLRScheduler>(5, 45, 50, 0.01);
    cases["passt_long"] = make<ExponentialWarmupLinearCooldownLRScheduler>(100, 0, 300, 0.1);
    cases["passt_no_warmup"] = make<ExponentialWarmupLinearCooldownLRScheduler>(0, 7, 13, 0.0);
}

inline void add_lists(Cases& cases) {
    cases["chained"] = chained({make<ConstantLR>(0.1, 20), make<ExponentialLR>(0.99)});
    cases["chained_three"] =
        chained({make<LinearLR>(1.0 / 3, 1.0, 30), make<StepLR>(90), make<MultiStepLR>(std::vector<int64_t>{40, 300})});
    cases["sgd_chained"] = chained({make<CosineAnnealingLR>(200), make<SWALR>(0.05)});
    cases["sequential"] = sequential({20}, {make<ConstantLR>(0.1, 20), make<ExponentialLR>(0.9)});
    cases["sequential_three"] = sequential({30, 200}, {make<LinearLR>(1.0 / 3, 1.0, 30), make<PolynomialLR>(400, 2.0),
                                                       make<MultiStepLR>(std::vector<int64_t>{50, 100})});
    cases["sequential_late"] =
        sequential({400}, {make<ExponentialLR>(0.99), make<MultiStepLR>(std::vector<int64_t>{50})});
    const auto cyclic = make<CyclicLR>(CyclicLROptions().base_lr(0.01).max_lr(0.1).step_size_up(30));
    cases["sequential_restarts"] =
        sequential({11, 300}, {make<CosineAnnealingWarmRestarts>(4), make<CosineAnnealingWarmRestarts>(20, 2), cyclic});
    cases["sequential_of_chained"] =
        sequential({50}, {chained({make<ConstantLR>(0.1), make<ExponentialLR>(0.97)}),
                          lambda([](int64_t step) { return 1.0 / (1.0 + static_cast<double>(step)); })});
    cases["sequential_of_sequential"] = sequential({50}, {warmup(make<StepLR>(10)), make<CosineAnnealingLR>(450)});
    cases["warmup_step"] = warmup(make<StepLR>(10));
    cases["warmup_cosine"] = warmup(make<CosineAnnealingLR>(493, 1e-4));
    cases["warmup_one_cycle"] = warmup(make<OneCycleLR>(OneCycleLROptions().max_lr(0.2).total_steps(500)), 3, 0.5);
    cases["warmup_transformer"] = warmup(make<TransformerLRScheduler>(64, 30));
    cases["warmup_swa"] = warmup(make<SWALR>(0.02, 50));
    cases["warmup_multiplicative"] = warmup(make<MultiplicativeLR>(lr_lambda::constant(0.99)));
    cases["sgd_warmup_cyclic"] =
        warmup(make<CyclicLR>(CyclicLROptions().base_lr(0.02).max_lr(0.1).step_size_up(25)), 10, 0.1);
}

inline Cases cases() {
    Cases result;
    add_decay(result);
    add_cosine(result);
    add_cycles(result);
    add_plateau(result);
    add_functions(result);
    add_lists(result);
    return result;
}

} // namespace scheduler_cases
