#include "changed_state.hpp"
#include "scheduler_cases.hpp"

#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/optim/torch_optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/optim/adagrad.h>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::optim;
using audyn::StateDict;

namespace {

using scheduler_cases::advance;
using scheduler_cases::make;
using scheduler_cases::warmup;

AdamW make_optimizer() {
    return AdamW(std::vector{at::zeros({1}).requires_grad_()}, AdamWOptions().lr(0.1));
}

/// The recorded columns of each case, by quantity.
std::map<std::string, std::map<std::string, std::vector<double>>> recorded() {
    std::ifstream file(std::string(AUDYN_TEST_DATA_DIR) + "/optim/data/schedulers.txt");
    REQUIRE(file);
    std::map<std::string, std::map<std::string, std::vector<double>>> tables;
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string name;
        std::string quantity;
        fields >> name >> quantity;
        std::vector<double>& column = tables[name][quantity];
        for (std::string run; fields >> run;) {
            const auto star = run.find('*');
            column.resize(column.size() + (star == std::string::npos ? 1 : std::stoul(run.substr(star + 1))),
                          std::stod(run));
        }
    }
    return tables;
}

void check_close(double value, double expected) {
    CAPTURE(expected);
    CHECK(std::abs(value - expected) <= 1e-12 * std::abs(expected));
}

} // namespace

TEST_CASE("schedulers set Python's values") {
    const auto tables = recorded();
    const auto cases = scheduler_cases::cases();
    CHECK(tables.size() == cases.size());
    for (const auto& [name, make_scheduler] : cases) {
        CAPTURE(name);
        const auto optimizer = scheduler_cases::make_optimizer(name);
        const auto scheduler = make_scheduler(*optimizer);
        const auto& table = tables.at(name);
        const std::size_t steps = table.at("lr").size() - 1;
        REQUIRE(steps == 500);
        for (std::size_t step = 0; step <= steps; ++step) {
            CAPTURE(step);
            for (std::size_t g = 0; g < optimizer->groups().size(); ++g) {
                const std::string suffix = g == 0 ? "" : "1";
                const ParamGroup& group = optimizer->groups()[g];
                check_close(group.lr, table.at("lr" + suffix)[step]);
                const auto momenta = table.find("momentum" + suffix);
                check_close(*group.momentum, momenta == table.end() ? 0.9 : momenta->second[step]);
                CHECK(scheduler->last_lr()[g] == group.lr);
            }
            if (step < steps) {
                advance(*scheduler, static_cast<int64_t>(step));
            }
        }
    }
}

TEST_CASE("a scheduler goes on where its state was taken") {
    for (const auto& [name, make_scheduler] : scheduler_cases::cases()) {
        CAPTURE(name);
        const auto whole = scheduler_cases::make_optimizer(name);
        const auto scheduler = make_scheduler(*whole);
        const auto other = scheduler_cases::make_optimizer(name);
        const auto resumed = make_scheduler(*other);
        for (int64_t step = 0; step < 40; ++step) {
            advance(*scheduler, step);
        }
        advance(*resumed, 0);
        resumed->load_state_dict(scheduler->state_dict());
        other->load_state_dict(whole->state_dict());
        CHECK(resumed->last_epoch() == scheduler->last_epoch());
        CHECK(resumed->last_lr() == scheduler->last_lr());
        for (int64_t step = 40; step < 120; ++step) {
            advance(*scheduler, step);
            advance(*resumed, step);
            for (std::size_t g = 0; g < whole->groups().size(); ++g) {
                CHECK(other->groups()[g].lr == whole->groups()[g].lr);
                CHECK(other->groups()[g].momentum == whole->groups()[g].momentum);
            }
        }
    }
}

TEST_CASE("a scheduler takes all options of a state, as in Python") {
    for (const auto& [name, make_scheduler] : scheduler_cases::cases()) {
        CAPTURE(name);
        if (name.starts_with("burn_in")) {
            continue; // Its burnin_step is written down only: the function has its own, in Python too.
        }
        const auto optimizer = scheduler_cases::make_optimizer(name);
        const auto scheduler = make_scheduler(*optimizer);
        for (int64_t step = 0; step < 3; ++step) {
            advance(*scheduler, step);
        }
        const StateDict state = changed_state::changed(scheduler->state_dict()).as_dict();
        scheduler->load_state_dict(state);
        CHECK(changed_state::text(scheduler->state_dict()) == changed_state::text(state));
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

TEST_CASE("a state that does not fit leaves every scheduler as it was") {
    for (const auto& [name, make_scheduler] : scheduler_cases::cases()) {
        CAPTURE(name);
        const auto optimizer = scheduler_cases::make_optimizer(name);
        const auto trained = make_scheduler(*optimizer);
        for (int64_t step = 0; step < 30; ++step) {
            advance(*trained, step);
        }
        const auto fresh = scheduler_cases::make_optimizer(name);
        const auto scheduler = make_scheduler(*fresh);
        StateDict state = trained->state_dict();
        state.set("_last_lr", "fast");
        CHECK_THROWS_AS(scheduler->load_state_dict(state), audyn::StateError);
        const auto same = scheduler_cases::make_optimizer(name);
        const auto expected = make_scheduler(*same);
        for (int64_t step = 0; step < 30; ++step) {
            advance(*scheduler, step);
            advance(*expected, step);
            CHECK(fresh->groups()[0].lr == same->groups()[0].lr);
            CHECK(fresh->groups()[0].momentum == same->groups()[0].momentum);
        }
    }
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
    CHECK_THROWS_AS(PolynomialLR(optimizer, 0), audyn::UsageError);
    CHECK_THROWS_AS(CosineAnnealingWarmRestarts(optimizer, 3, 0), audyn::UsageError);
    CHECK_THROWS_AS(TransformerLRScheduler(optimizer, 0), audyn::UsageError);
    CHECK_THROWS_AS(SWALR(optimizer, std::vector{0.1, 0.2}), audyn::UsageError);
    CHECK_THROWS_AS(LambdaLR(optimizer, LRLambda()), audyn::UsageError);
    CHECK_THROWS_AS(LambdaLR(optimizer, {lr_lambda::constant(1.0), lr_lambda::constant(1.0)}), audyn::UsageError);
    CHECK_THROWS_AS((void)lr_lambda::linear(10, 10), audyn::UsageError);
    CHECK_THROWS_AS(CyclicLR(optimizer, CyclicLROptions().base_lr(0.1)), audyn::UsageError);
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
    CHECK_THROWS_AS(ChainedScheduler(optimizer, {}), audyn::UsageError);
}

TEST_CASE("a plateau scheduler is stepped with a metric, and other schedulers pass it over") {
    AdamW optimizer = make_optimizer();
    ReduceLROnPlateau plateau(optimizer, ReduceLROnPlateauOptions().patience(0).monitor("validation/accuracy"));
    CHECK(plateau.needs_metric());
    CHECK(plateau.monitor() == "validation/accuracy");
    CHECK_THROWS_WITH_AS(plateau.step(), "ReduceLROnPlateau follows a metric: call step(metric)", audyn::UsageError);
    plateau.step(1.0);
    CHECK(plateau.best() == 1.0);
    plateau.step(std::numeric_limits<double>::quiet_NaN());
    CHECK(plateau.last_lr()[0] == doctest::Approx(0.01));
    StepLR step(optimizer, 1, 0.5);
    CHECK_FALSE(step.needs_metric());
    LRScheduler& base = step;
    base.step(3.0);
    CHECK(step.last_lr()[0] == doctest::Approx(0.005));
    CHECK_THROWS_WITH_AS(ReduceLROnPlateau(optimizer, ReduceLROnPlateauOptions().factor(1.0)),
                         "ReduceLROnPlateau's factor must be below 1, got 1.000000", audyn::UsageError);
}

TEST_CASE("any scheduler may follow a warm-up") {
    for (const auto& [name, make_scheduler] : scheduler_cases::cases()) {
        CAPTURE(name);
        const auto optimizer = scheduler_cases::make_optimizer(name);
        const auto after_warmup = warmup(make_scheduler, 5, 0.5)(*optimizer);
        const auto other = scheduler_cases::make_optimizer(name);
        const auto alone = make_scheduler(*other);
        if (name.find("multiplicative") != std::string::npos || name == "swa" || name == "swa_linear" ||
            name == "sgd_swa_groups") {
            continue; // They go on from the last rate of the warm-up, in Python too.
        }
        CHECK(optimizer->groups()[0].lr == doctest::Approx(0.5 * *optimizer->groups()[0].schedule.initial_lr));
        for (int64_t step = 0; step < 5; ++step) {
            advance(*after_warmup, step);
        }
        for (int64_t step = 0; step < 60; ++step) {
            CAPTURE(step);
            for (std::size_t g = 0; g < other->groups().size(); ++g) {
                CHECK(optimizer->groups()[g].lr == doctest::Approx(other->groups()[g].lr).epsilon(1e-9));
            }
            advance(*after_warmup, step);
            advance(*alone, step);
        }
    }
}

TEST_CASE("warm restarts may be set to any point in time") {
    // Python: for epoch in (...): scheduler.step(epoch); scheduler.get_last_lr()
    struct Point {
        double epoch;
        double lr;
    };
    AdamW optimizer = make_optimizer();
    CosineAnnealingWarmRestarts doubling(optimizer, 5, 2);
    for (const Point& point : {Point{0.0, 0.1}, Point{0.5, 0.09755282581475769}, Point{4.75, 0.0006155829702431171},
                               Point{5.0, 0.1}, Point{6.25, 0.09619397662556434}, Point{14.9, 2.467198171342e-05},
                               Point{15.0, 0.1}, Point{33.3, 0.0017721290771101018}, Point{36.0, 0.0998458666866564},
                               Point{2.5, 0.05}, Point{26.0, 0.04217827674798847}}) {
        CAPTURE(point.epoch);
        doubling.step_to(point.epoch);
        check_close(doubling.last_lr()[0], point.lr);
    }
    CHECK(doubling.last_epoch() == 26);
    doubling.step();
    check_close(doubling.last_lr()[0], 0.03454915028125263);
    CHECK_THROWS_AS(doubling.step_to(-1.0), audyn::UsageError);
}

TEST_CASE("names of modes that are unknown are errors that name what there is") {
    CHECK_THROWS_WITH_AS((void)plateau_modes.mode("mni"), "mode must be 'min' or 'max', got 'mni'", audyn::UsageError);
    CHECK_THROWS_WITH_AS((void)cyclic_modes.mode("triangle"),
                         "mode must be 'triangular', 'triangular2' or 'exp_range', got 'triangle'", audyn::UsageError);
    AdamW optimizer = make_optimizer();
    ReduceLROnPlateau plateau(optimizer);
    StateDict state = plateau.state_dict();
    state.set("threshold_mode", "relative");
    CHECK_THROWS_WITH_AS(plateau.load_state_dict(state), "threshold_mode must be 'rel' or 'abs', got 'relative'",
                         audyn::StateError);
    SWALR swa(optimizer, 0.1);
    state = swa.state_dict();
    state.set("_anneal_strategy", "cosine");
    CHECK_THROWS_WITH_AS(swa.load_state_dict(state), "anneal_strategy must be 'cos' or 'linear', got 'cosine'",
                         audyn::StateError);
    CyclicLR cyclic(optimizer, CyclicLROptions().base_lr(0.1).max_lr(1.0));
    state = cyclic.state_dict();
    state.set("mode", "exp_range");
    cyclic.load_state_dict(state);
    CHECK(cyclic.state_dict().at("mode").as_string() == "exp_range");
    CHECK(cyclic.state_dict().at("scale_mode").as_string() == "iterations");
    LambdaLR lambda(optimizer, lr_lambda::constant(1.0));
    state = lambda.state_dict();
    state.set("lr_lambdas", audyn::state::List{StateDict{{"gamma", 0.5}}});
    CHECK_THROWS_AS(lambda.load_state_dict(state), audyn::StateError);
}

TEST_CASE("schedulers of an optimizer without momentum cannot cycle it") {
    TorchOptimizer optimizer(
        std::make_unique<torch::optim::Adagrad>(std::vector<at::Tensor>{at::zeros({1}).requires_grad_()}));
    const CyclicLROptions options = CyclicLROptions().base_lr(0.1).max_lr(1.0);
    CHECK_THROWS_WITH_AS(CyclicLR(optimizer, options),
                         "CyclicLR cannot cycle the momentum of an optimizer without momentum or betas; set "
                         "cycle_momentum to false",
                         audyn::UsageError);
    CyclicLR cyclic(optimizer, CyclicLROptions(options).cycle_momentum(false));
    AdamW other = make_optimizer();
    CHECK_THROWS_AS(cyclic.load_state_dict(CyclicLR(other, options).state_dict()), audyn::StateError);
    cyclic.step();
    CHECK(optimizer.groups()[0].lr > 0.1);
}
