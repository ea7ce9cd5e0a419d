#include "multi_parts.hpp"

#include <audyn/core/error.hpp>
#include <audyn/optim/multi_lr_schedulers.hpp>
#include <audyn/optim/schedulers.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::optim;
using namespace multi_parts;
using audyn::StateDict;

TEST_CASE("schedulers of several optimizers step together, each its own") {
    const Parts parts;
    MultiOptimizers optimizer = body_and_head(parts);
    const auto halve = [](Optimizer& one) { return std::make_unique<StepLR>(one, 2, 0.5); };
    const auto decay = [](Optimizer& one) { return std::make_unique<ExponentialLR>(one, 0.1); };
    MultiLRSchedulers schedulers(optimizer, {{"head", halve}, {"body", decay}});
    for (int step = 0; step < 2; ++step) {
        schedulers.step();
    }
    CHECK(optimizer.groups()[0].lr == doctest::Approx(0.1 * 0.01));
    CHECK(optimizer.groups()[1].lr == doctest::Approx(0.01 * 0.5));
    CHECK(schedulers.last_lr() == std::vector<double>{optimizer.groups()[1].lr, optimizer.groups()[0].lr});
    CHECK(schedulers.last_epoch() == 2);
    CHECK_FALSE(schedulers.needs_metric());

    const StateDict state = schedulers.state_dict();
    CHECK(keys(state) == std::vector<std::string>{"head", "body"});
    CHECK(state.at("head").as_dict().at("step_size").as_int() == 2);
    const Parts others;
    MultiOptimizers other = body_and_head(others);
    MultiLRSchedulers resumed(other, {{"head", halve}, {"body", decay}});
    other.load_state_dict(optimizer.state_dict());
    resumed.load_state_dict(state);
    resumed.step();
    schedulers.step();
    CHECK(resumed.last_lr() == schedulers.last_lr());
    CHECK(resumed.last_epoch() == 3);
}

TEST_CASE("schedulers that fit no optimizer, or not the state, are refused") {
    const Parts parts;
    MultiOptimizers optimizer = body_and_head(parts);
    const auto halve = [](Optimizer& one) { return std::make_unique<StepLR>(one, 2, 0.5); };
    CHECK_THROWS_WITH_AS(MultiLRSchedulers(optimizer, {{"tail", halve}}),
                         "there is no optimizer 'tail'; there are: body, head", audyn::UsageError);
    CHECK_THROWS_WITH_AS(MultiLRSchedulers(optimizer, {{"head", halve}, {"head", halve}}),
                         doctest::Contains("two schedulers are for the optimizer 'head'"), audyn::UsageError);
    CHECK_THROWS_WITH_AS(MultiLRSchedulers(optimizer, {}), doctest::Contains("at least one"), audyn::UsageError);

    // Audyn's dummy, which leaves the rate as it is, has an empty state.
    MultiLRSchedulers schedulers(optimizer, {{"body", nullptr}, {"head", halve}});
    schedulers.step();
    CHECK(optimizer.groups()[0].lr == 0.1);
    const StateDict state = schedulers.state_dict();
    CHECK(state.at("body").as_dict().empty());
    schedulers.load_state_dict(state);
    CHECK_THROWS_WITH_AS(schedulers.load_state_dict({{"body", state.at("head")}, {"head", state.at("head")}}),
                         doctest::Contains("'body', which has none here"), audyn::StateError);
    CHECK_THROWS_WITH_AS(schedulers.load_state_dict({{"body", StateDict()}, {"head", StateDict()}}),
                         doctest::Contains("learning rate scheduler of 'head': "), audyn::StateError);
    CHECK_THROWS_WITH_AS(schedulers.load_state_dict({{"head", state.at("head")}}),
                         doctest::Contains("the learning rate scheduler 'body' has none"), audyn::StateError);
}

TEST_CASE("each of several schedulers follows its own metric") {
    const Parts parts;
    MultiOptimizers optimizer = body_and_head(parts);
    const auto plateau = [](const char* monitor) {
        return [monitor](Optimizer& one) {
            return std::make_unique<ReduceLROnPlateau>(
                one, ReduceLROnPlateauOptions().patience(0).factor(0.5).monitor(monitor));
        };
    };
    MultiLRSchedulers schedulers(optimizer, {{"body", plateau("falls")}, {"head", plateau("")}});
    CHECK(schedulers.needs_metric());
    CHECK_FALSE(schedulers.steps_by_iteration());
    CHECK(schedulers.monitor() == "falls");
    for (int epoch = 0; epoch < 3; ++epoch) {
        schedulers.step_iteration();
        schedulers.step_with([&](const std::string& name) { return name == "falls" ? 1.0 - 0.1 * epoch : 1.0; });
    }
    CHECK(optimizer.groups()[0].lr == 0.1);
    CHECK(optimizer.groups()[1].lr == doctest::Approx(0.01 / 4));
    CHECK_THROWS_AS(schedulers.step(), audyn::UsageError);
}

TEST_CASE("a warm-up steps by iteration, and the plateau after it by epoch") {
    const auto run = [](auto make) {
        const at::Tensor parameter = at::ones({1}).requires_grad_();
        SGD optimizer(std::vector{parameter}, SGDOptions().lr(1.0));
        const std::unique_ptr<LRScheduler> scheduler = make(optimizer);
        CHECK(scheduler->needs_metric());
        CHECK(scheduler->steps_by_iteration());
        std::vector<double> rates;
        for (int epoch = 0; epoch < 4; ++epoch) {
            for (int iteration = 0; iteration < 3; ++iteration) {
                rates.push_back(optimizer.groups()[0].lr);
                scheduler->step_iteration();
            }
            scheduler->step_epoch([](const std::string&) { return 1.0; });
        }
        CHECK(scheduler->last_lr()[0] == optimizer.groups()[0].lr);
        return rates;
    };
    const auto make_plateau = [](Optimizer& optimizer) {
        return std::make_unique<ReduceLROnPlateau>(optimizer, ReduceLROnPlateauOptions().patience(0).factor(0.5));
    };
    // The first epoch ends within the warm-up; the second is the best, and those after it are no better.
    const auto sequential = run([&](Optimizer& optimizer) { return linear_warmup(optimizer, 4, 0.2, make_plateau); });
    const std::vector<double> expected{0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5};
    REQUIRE(sequential.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(sequential[i] == doctest::Approx(expected[i]));
    }
    // Side by side the first epoch counts too.
    const auto chained = run([&](Optimizer& optimizer) {
        Schedulers both;
        both.push_back(std::make_unique<LinearLR>(optimizer, 0.2, 1.0, 4));
        both.push_back(make_plateau(optimizer));
        return std::make_unique<ChainedScheduler>(optimizer, std::move(both));
    });
    CHECK(chained[4] == doctest::Approx(1.0));
    CHECK(chained[6] == doctest::Approx(0.5));
    CHECK(chained[9] == doctest::Approx(0.25));
}

TEST_CASE("a state that one of several schedulers refuses changes none of them") {
    const auto step = [](int64_t size) {
        return [size](Optimizer& one) { return std::make_unique<StepLR>(one, size, 0.5); };
    };
    const Parts parts;
    MultiOptimizers optimizer = body_and_head(parts);
    MultiLRSchedulers trained(optimizer, {{"body", step(7)}, {"head", step(7)}});
    trained.step();
    const StateDict state = trained.state_dict();
    MultiLRSchedulers schedulers(optimizer, {{"body", step(2)}, {"head", step(2)}});
    const auto check_unchanged = [&] {
        CHECK(schedulers.state_dict().at("body").as_dict().at("step_size").as_int() == 2);
        CHECK(schedulers.state_dict().at("head").as_dict().at("step_size").as_int() == 2);
        CHECK(schedulers.last_epoch() == 0);
    };
    CHECK_THROWS_AS(schedulers.load_state_dict({{"body", state.at("body")}, {"head", StateDict()}}), audyn::StateError);
    check_unchanged();
    // Every key is there, and the last that is read is of the wrong kind.
    StateDict head = state.at("head").as_dict();
    head.set("_step_count", "many");
    CHECK_THROWS_AS(schedulers.load_state_dict({{"body", state.at("body")}, {"head", head}}), audyn::StateError);
    check_unchanged();
    schedulers.load_state_dict(state);
    CHECK(schedulers.state_dict().at("head").as_dict().at("step_size").as_int() == 7);
    CHECK(schedulers.last_epoch() == 1);
}
