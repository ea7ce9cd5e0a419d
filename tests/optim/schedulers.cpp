#include "reference.hpp"

#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::optim;
using audyn::StateDict;

namespace {

AdamW make_optimizer() {
    return AdamW(std::vector{at::zeros({1}).requires_grad_()}, AdamWOptions().lr(0.1));
}

template <class Scheduler, class... Arguments>
MakeScheduler make(Arguments... arguments) {
    return [=](Optimizer& optimizer) { return std::make_unique<Scheduler>(optimizer, arguments...); };
}

MakeScheduler warmup(MakeScheduler main, int64_t steps = 7, double start_factor = 0.01) {
    return [=](Optimizer& optimizer) { return linear_warmup(optimizer, steps, start_factor, main); };
}

/// The schedulers of tests/oracle/lr_scheduler.py.
std::map<std::string, MakeScheduler> cases() {
    return {
        {"step", make<StepLR>(7)},
        {"step_gamma", make<StepLR>(1, 0.97)},
        {"step_large", make<StepLR>(100, 0.5)},
        {"constant", make<ConstantLR>()},
        {"constant_long", make<ConstantLR>(0.25, 31)},
        {"linear", make<LinearLR>()},
        {"linear_down", make<LinearLR>(1.0, 0.1, 40)},
        {"linear_short", make<LinearLR>(1e-3, 1.0, 1)},
        {"cosine", make<CosineAnnealingLR>(60)},
        {"cosine_restart", make<CosineAnnealingLR>(13, 1e-3)},
        {"cosine_one", make<CosineAnnealingLR>(1, 0.01)},
        {"one_cycle", make<OneCycleLR>(OneCycleLROptions().max_lr(0.3).total_steps(60))},
        {"one_cycle_linear", make<OneCycleLR>(OneCycleLROptions()
                                                  .max_lr(0.3)
                                                  .total_steps(60)
                                                  .pct_start(0.1)
                                                  .anneal_strategy(AnnealStrategy::linear)
                                                  .base_momentum(0.5)
                                                  .max_momentum(0.7))},
        {"one_cycle_three", make<OneCycleLR>(OneCycleLROptions()
                                                 .max_lr(0.3)
                                                 .total_steps(61)
                                                 .three_phase(true)
                                                 .cycle_momentum(false)
                                                 .div_factor(10)
                                                 .final_div_factor(100))},
        {"warmup_step", warmup(make<StepLR>(10))},
        {"warmup_cosine", warmup(make<CosineAnnealingLR>(53, 1e-4))},
        {"warmup_one_cycle", warmup(make<OneCycleLR>(OneCycleLROptions().max_lr(0.2).total_steps(60)), 3, 0.5)},
    };
}

} // namespace

TEST_CASE("schedulers set Python's values") {
    const auto expected = reference::table("optim/data/schedulers.txt", 2);
    for (const auto& [name, make_scheduler] : cases()) {
        CAPTURE(name);
        AdamW optimizer = make_optimizer();
        const auto scheduler = make_scheduler(optimizer);
        const std::vector<double>& rates = expected.at(name + " lr");
        const auto momenta = expected.find(name + " momentum");
        for (std::size_t step = 0; step < rates.size(); ++step) {
            CAPTURE(step);
            CHECK(std::abs(optimizer.groups()[0].lr - rates[step]) <= 1e-12 * std::abs(rates[step]));
            CHECK(scheduler->last_lr()[0] == optimizer.groups()[0].lr);
            CHECK(optimizer.options(0).lr() == optimizer.groups()[0].lr);
            const double momentum = momenta == expected.end() ? 0.9 : momenta->second[step];
            CHECK(optimizer.options(0).betas().first == doctest::Approx(momentum).epsilon(1e-12));
            if (step + 1 < rates.size()) {
                scheduler->step();
            }
        }
    }
}

TEST_CASE("a scheduler goes on where its state was taken") {
    for (const auto& [name, make_scheduler] : cases()) {
        CAPTURE(name);
        AdamW whole = make_optimizer();
        const auto scheduler = make_scheduler(whole);
        AdamW other = make_optimizer();
        const auto resumed = make_scheduler(other);
        for (int step = 0; step < 20; ++step) {
            scheduler->step();
        }
        resumed->step();
        resumed->load_state_dict(scheduler->state_dict());
        other.load_state_dict(whole.state_dict());
        CHECK(resumed->last_epoch() == 20);
        CHECK(resumed->last_lr() == scheduler->last_lr());
        for (int step = 0; step < 20; ++step) {
            scheduler->step();
            resumed->step();
            CHECK(other.groups()[0].lr == whole.groups()[0].lr);
            CHECK(other.groups()[0].momentum == whole.groups()[0].momentum);
        }
    }
}

TEST_CASE("a scheduler's state has Python's keys") {
    AdamW optimizer = make_optimizer();
    StepLR scheduler(optimizer, 3);
    scheduler.step();
    std::vector<std::string> keys;
    const StateDict state = scheduler.state_dict();
    for (const auto& [key, value] : state) {
        keys.push_back(key.string());
    }
    CHECK(keys == std::vector<std::string>{"step_size", "gamma", "base_lrs", "last_epoch", "_step_count", "_is_initial",
                                           "_get_lr_called_within_step", "_last_lr"});
    CHECK(state.at("last_epoch").as_int() == 1);
    CHECK(state.at("_step_count").as_int() == 2);
    CHECK(state.at("base_lrs").as_list().at(0).as_float() == 0.1);

    OneCycleLR cycle(optimizer, OneCycleLROptions().max_lr(1.0).total_steps(10));
    const StateDict cycle_state = cycle.state_dict();
    CHECK(cycle_state.at("use_beta1").as_bool());
    CHECK(cycle_state.at("_anneal_func_type").as_string() == "cos");
    CHECK(cycle_state.at("_schedule_phases").as_list().at(1).as_dict().at("end_lr").as_string() == "min_lr");
    const StateDict group = optimizer.state_dict().at("param_groups").as_list().at(0).as_dict();
    CHECK(group.at("max_lr").as_float() == 1.0);
    CHECK(group.at("initial_lr").as_float() == 1.0 / 25.0);
    CHECK(group.at("base_momentum").as_float() == 0.85);
}

TEST_CASE("states that do not fit a scheduler are refused") {
    AdamW optimizer = make_optimizer();
    StepLR step(optimizer, 3);
    CosineAnnealingLR cosine(optimizer, 3);
    CHECK_THROWS_WITH_AS(step.load_state_dict(cosine.state_dict()),
                         "the state does not fit the learning rate scheduler; it lacks: step_size gamma",
                         audyn::StateError);
    StateDict state = step.state_dict();
    state.set("base_lrs", audyn::state::List{0.1, 0.2});
    CHECK_THROWS_AS(step.load_state_dict(state), audyn::StateError);
}

TEST_CASE("a scheduler outlives the move of its optimizer") {
    const at::Tensor parameter = at::zeros({1}).requires_grad_();
    SGD optimizer(std::vector{parameter}, SGDOptions().lr(1.0));
    StepLR scheduler(optimizer, 1, 0.5);
    SGD moved = std::move(optimizer);
    scheduler.step();
    parameter.mutable_grad() = at::ones({1});
    moved.step();
    CHECK(parameter.item<float>() == -0.5F);
}

TEST_CASE("each group has a rate of its own") {
    SGD optimizer(std::vector<OptionsGroup<SGDOptions>>{{{}, {at::zeros({1}).requires_grad_()}, SGDOptions().lr(1.0)},
                                                        {{}, {at::zeros({1}).requires_grad_()}, SGDOptions().lr(2.0)}});
    StepLR scheduler(optimizer, 1, 0.5);
    scheduler.step();
    CHECK(scheduler.last_lr() == std::vector<double>{0.5, 1.0});
    OneCycleLR cycle(optimizer, OneCycleLROptions().max_lr(std::vector<double>{5.0, 50.0}).total_steps(10));
    CHECK(cycle.last_lr()[1] == doctest::Approx(10 * cycle.last_lr()[0]));
    CHECK(*optimizer.groups()[1].momentum == 0.95);
}

TEST_CASE("options of schedulers are checked") {
    AdamW optimizer = make_optimizer();
    CHECK_THROWS_AS(StepLR(optimizer, 0), audyn::UsageError);
    CHECK_THROWS_AS(CosineAnnealingLR(optimizer, 0), audyn::UsageError);
    CHECK_THROWS_AS(LinearLR(optimizer, 0.0), audyn::UsageError);
    CHECK_THROWS_AS(LinearLR(optimizer, 0.5, 1.5), audyn::UsageError);
    CHECK_THROWS_AS(ConstantLR(optimizer, 2.0), audyn::UsageError);
    const OneCycleLROptions options = OneCycleLROptions().max_lr(0.1).total_steps(10);
    CHECK_THROWS_AS(OneCycleLR(optimizer, OneCycleLROptions().max_lr(0.1)), audyn::UsageError);
    CHECK_THROWS_AS(OneCycleLR(optimizer, OneCycleLROptions().total_steps(10)), audyn::UsageError);
    CHECK_THROWS_AS(OneCycleLR(optimizer, OneCycleLROptions(options).pct_start(1.5)), audyn::UsageError);
    // Its first phase has no step: Python divides by zero.
    CHECK_THROWS_AS(OneCycleLR(optimizer, OneCycleLROptions(options).pct_start(0.1)), audyn::UsageError);
    OneCycleLR cycle(optimizer, options);
    for (int step = 0; step < 10; ++step) {
        cycle.step();
    }
    CHECK_THROWS_AS(cycle.step(), audyn::UsageError);

    AdamW other = make_optimizer();
    std::vector<std::unique_ptr<LRScheduler>> schedulers;
    schedulers.push_back(std::make_unique<StepLR>(optimizer, 1));
    schedulers.push_back(std::make_unique<StepLR>(other, 1));
    CHECK_THROWS_AS(SequentialLR(optimizer, std::move(schedulers), {3}), audyn::UsageError);
    CHECK_THROWS_AS(SequentialLR(optimizer, {}, {}), audyn::UsageError);
}
