#include "averaged_net.hpp"
#include "reference.hpp"

#include <audyn/amp/grad_scaler.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/averaged_model.hpp>
#include <audyn/optim/exponential_moving_average.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::optim;
using audyn::StateDict;
using averaged_net::groups_of;
using averaged_net::Net;

namespace {

void check_close(const at::Tensor& tensor, const std::vector<double>& expected) {
    const at::Tensor flat = tensor.detach().to(at::kDouble).flatten();
    REQUIRE(flat.numel() == static_cast<int64_t>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto value = flat[static_cast<int64_t>(i)].item<double>();
        CAPTURE(value);
        CHECK(std::abs(value - expected[i]) <= 1e-6 * std::abs(expected[i]));
    }
}

void check_state(const StateDict& state, const std::string& name) {
    const auto table = reference::table("optim/data/moving_averages.txt", 2);
    for (const auto& [key, value] : state) {
        CAPTURE(key.string());
        check_close(value.as_tensor(), table.at(name + " " + key.string()));
    }
}

AdamW make_adamw(const at::Tensor& parameter) {
    return AdamW(std::vector{parameter}, AdamWOptions().lr(0.1));
}

at::Tensor make_parameter(double value = 1.0) {
    const at::Tensor parameter = at::full({3}, value).requires_grad_();
    parameter.mutable_grad() = at::ones({3});
    return parameter;
}

} // namespace

TEST_CASE("exponential moving averages are Python's") {
    struct Case {
        const char* name;
        int64_t steps;
        ExponentialMovingAverageOptions options;
    };
    using Options = ExponentialMovingAverageOptions;
    for (const Case& one : {Case{"ema", 50, Options().smooth(0.9)}, Case{"ema_long", 300, Options()},
                            Case{"ema_warmup", 50, Options().smooth(0.99).warmup(true)},
                            Case{"ema_bias_correction", 50, Options().smooth(0.99).bias_correction(true)},
                            Case{"ema_both", 50, Options().smooth(0.8).warmup(true).bias_correction(true)}}) {
        CAPTURE(one.name);
        Net net;
        ExponentialMovingAverage average(groups_of(net.parameters()), one.options);
        for (int64_t step = 1; step <= one.steps; ++step) {
            net.set_values(step);
            average.update();
        }
        CHECK(average.num_updates() == one.steps);
        check_state({{"weight", average.average(0)}, {"bias", average.average(1)}}, one.name);
    }
    Net net;
    CHECK_THROWS_WITH_AS(ExponentialMovingAverage(groups_of(net.parameters()), Options().smooth(1.0)),
                         "ExponentialMovingAverage's smooth must lie in [0, 1), got 1.000000", audyn::UsageError);
}

TEST_CASE("averaged models are Python's") {
    for (const auto& [name, options] :
         {std::pair("swa", AveragedModelOptions()), std::pair("swa_buffers", AveragedModelOptions().use_buffers(true)),
          std::pair("swa_decay", AveragedModelOptions().decay(0.95))}) {
        CAPTURE(name);
        Net net;
        AveragedModel average(net, options);
        for (int64_t step = 1; step <= 50; ++step) {
            net.set_values(step);
            average.update();
        }
        CHECK(average.state_dict().size() == 4);
        check_state(average.state_dict(), name);
    }
    CHECK_THROWS_AS(AveragedModel(Net(), AveragedModelOptions().decay(1.5)), audyn::UsageError);
}

TEST_CASE("update_bn sets the statistics of all batches") {
    torch::nn::Sequential net(torch::nn::Linear(4, 3), torch::nn::BatchNorm1d(3));
    {
        const at::NoGradGuard no_grad;
        int64_t k = 0;
        for (at::Tensor parameter : net->parameters()) {
            parameter.copy_(reference::values(parameter.sizes(), k++));
        }
        net->forward(reference::values({8, 4}, 99));
    }
    net->eval();
    update_bn(*net, [&] {
        CHECK(net->is_training());
        for (int64_t batch = 0; batch < 7; ++batch) {
            CHECK_FALSE(net->forward(reference::values({8, 4}, 100 + batch)).requires_grad());
        }
    });
    CHECK_FALSE(net->is_training());
    CHECK(net[1]->as<torch::nn::BatchNorm1d>()->options.momentum() == std::optional<double>(0.1));
    StateDict state = audyn::checkpoint::module_state(*net);
    state.erase("0.weight");
    state.erase("0.bias");
    check_state(state, "update_bn");
    CHECK_THROWS_AS(update_bn(*net, [] { throw audyn::DataError("no batch"); }), audyn::DataError);
    CHECK(net[1]->as<torch::nn::BatchNorm1d>()->options.momentum() == std::optional<double>(0.1));
}

TEST_CASE("a scope puts the averages into the parameters and takes them out again") {
    Net net;
    ExponentialMovingAverage average(groups_of(net.parameters()), ExponentialMovingAverageOptions().smooth(0.5),
                                     net.buffers());
    net.set_values(4);
    average.update();
    const at::Tensor weight = net.weight.detach().clone();
    const at::Tensor averaged = average.average(0).clone();
    const at::Tensor shared = net.weight.detach();
    const void* memory = net.weight.data_ptr();
    CHECK_FALSE(at::equal(weight, averaged));
    {
        const MovingAverageScope scope(average);
        CHECK(at::equal(net.weight, averaged));
        CHECK(net.weight.requires_grad());
        CHECK(at::equal(average.average(0), averaged));
        CHECK(at::equal(shared, weight)); // a checkpoint's state that was taken before
        CHECK(at::equal(average.model_state(net).at("weight").as_tensor(), averaged));
        CHECK(at::equal(net.scale, average.average(2)));
        CHECK_THROWS_WITH_AS(average.update(),
                             "the parameters hold their moving averages; update them when the MovingAverageScope has "
                             "ended",
                             audyn::UsageError);
        CHECK_THROWS_AS(MovingAverageScope{average}, audyn::UsageError);
        CHECK_THROWS_AS(average.load_state_dict(average.state_dict()), audyn::UsageError);
    }
    CHECK(at::equal(net.weight, weight));
    CHECK(net.weight.data_ptr() == memory);
    try {
        const MovingAverageScope scope(average);
        throw audyn::DataError("validation failed");
    } catch (const audyn::DataError&) {
        CHECK(at::equal(net.weight, weight));
    }
    average.update(); // It follows the parameters still.
    CHECK(at::allclose(average.average(0), (averaged + weight) / 2));
    const StateDict state = average.model_state(net);
    CHECK(at::equal(state.at("weight").as_tensor(), average.average(0)));
    CHECK(state.size() == 3);
}

TEST_CASE("a parameter that is shared by two modules has one average") {
    struct Tied : torch::nn::Module {
        Tied() {
            first = register_parameter("first", at::ones({2}));
            register_parameter("second", first);
        }
        at::Tensor first;
    } tied;
    AveragedModel average(tied);
    average.update();
    {
        const at::NoGradGuard no_grad;
        tied.first.fill_(3.0);
    }
    average.update();
    {
        const MovingAverageScope scope(average);
        CHECK(at::equal(tied.first, at::full({2}, 2.0)));
    }
    CHECK(at::equal(tied.first, at::full({2}, 3.0)));
    CHECK(at::equal(average.model_state(tied).at("second").as_tensor(), at::full({2}, 2.0)));
}

TEST_CASE("averages follow a module that moves") {
    Net net;
    AveragedModel average(net);
    average.update();
    net.to(at::kDouble);
    {
        const MovingAverageScope scope(average);
        CHECK((net.weight.scalar_type() == at::kDouble));
    }
    net.set_values(1);
    average.update();
    Net start;
    CHECK((average.average(0).scalar_type() == at::kDouble));
    CHECK(at::allclose(average.average(0), (start.weight + net.weight).detach() / 2));
}

TEST_CASE("integers are copied, and each type is averaged by itself") {
    const at::Tensor count = at::zeros({}, at::kLong);
    const at::Tensor narrow = at::zeros({2}, at::kBFloat16);
    const at::Tensor wide = at::zeros({2}, at::kDouble);
    ExponentialMovingAverage average(groups_of({narrow, wide}), ExponentialMovingAverageOptions().smooth(0.5), {count});
    count.fill_(7);
    narrow.fill_(1.0);
    wide.fill_(1.0);
    average.update();
    CHECK(average.average(0)[0].item<double>() == 0.5);
    CHECK(average.average(1)[0].item<double>() == 0.5);
    CHECK(average.average(2).item<int64_t>() == 7);
}

TEST_CASE("a wrapped optimizer has Audyn's state and goes on from it") {
    const at::Tensor parameter = make_parameter();
    ExponentialMovingAverageWrapper<AdamW> optimizer(make_adamw(parameter),
                                                     ExponentialMovingAverageOptions().smooth(0.9));
    optimizer.step();
    const double once = parameter[0].item<double>();
    CHECK(once < 1.0);
    CHECK(optimizer.moving_average().average(0)[0].item<double>() == doctest::Approx(0.9 + 0.1 * once));

    const StateDict state = optimizer.state_dict();
    const StateDict average = state.at("moving_average").as_dict();
    CHECK(average.at("state").as_dict().at(0).as_tensor().sizes() == parameter.sizes());
    CHECK(average.at("state").as_dict().at("smooth").as_float() == 0.9);
    CHECK(average.at("param_groups").as_list().at(0).as_dict().at("params").as_list().at(0).as_int() == 0);
    CHECK(state.at("original").as_dict().contains("param_groups"));

    const at::Tensor other = make_parameter();
    auto inner = std::make_unique<AdamW>(make_adamw(other));
    auto own = std::make_unique<ExponentialMovingAverage>(inner->groups());
    AnyOptimizer resumed(std::move(inner), std::move(own));
    resumed.load_state_dict(state);
    {
        const at::NoGradGuard no_grad;
        at::Tensor(other).copy_(parameter);
    }
    optimizer.step();
    resumed.step();
    CHECK(at::equal(other, parameter));
    CHECK(at::equal(resumed.moving_average()->average(0), optimizer.moving_average().average(0)));
    CHECK(resumed.moving_average()->num_updates() == 2);
}

TEST_CASE("states of averages that do not fit are refused, and nothing changes") {
    Net net;
    const ExponentialMovingAverageOptions options = ExponentialMovingAverageOptions().smooth(0.5).warmup(true);
    ExponentialMovingAverage average(groups_of(net.parameters()), options);
    const at::Tensor before = average.average(0).clone();
    StateDict state{{"state", StateDict{{0, at::ones({3, 4})}, {1, at::ones({4})}, {"smooth", nullptr}}},
                    {"param_groups", audyn::state::List{StateDict{{"params", audyn::state::List{0, 1}}}}}};
    CHECK_THROWS_WITH_AS(average.load_state_dict(state),
                         "the state does not fit the moving average:\n  'state[1]' has the shape [4], the parameter "
                         "has [3]\n  'smooth' is of kind None, not a number",
                         audyn::StateError);
    CHECK(at::equal(average.average(0), before));
    // Audyn's own, which counts no updates: past the warm-up.
    state.set("state", StateDict{{0, at::ones({3, 4})}, {1, at::ones({3})}, {"smooth", 0.75}});
    average.load_state_dict(state);
    net.set_values(0);
    average.update();
    CHECK(at::allclose(average.average(0), 0.75 + 0.25 * net.weight.detach()));

    AdamW plain = make_adamw(make_parameter());
    ExponentialMovingAverageWrapper<AdamW> wrapped(make_adamw(make_parameter()));
    CHECK_THROWS_WITH_AS(wrapped.load_state_dict(plain.state_dict()), doctest::Contains("'moving_average'"),
                         audyn::StateError);
    StateDict damaged = wrapped.state_dict();
    damaged.set("moving_average", state);
    wrapped.groups()[0].lr = 0.5;
    CHECK_THROWS_WITH_AS(wrapped.load_state_dict(damaged), doctest::Contains("has 2 parameters"), audyn::StateError);
    CHECK(wrapped.groups()[0].lr == 0.5);
    AveragedModel model(net);
    CHECK_THROWS_WITH_AS(model.load_state_dict({{"module.bias", at::ones({2})}}), doctest::Contains("'n_averaged'"),
                         audyn::StateError);
    AveragedModel other(net);
    other.update();
    model.load_state_dict(other.state_dict());
    CHECK(model.num_updates() == 1);
}

TEST_CASE("an average goes on from its state within the warm-up and the bias correction") {
    const auto options = ExponentialMovingAverageOptions().smooth(0.99).warmup(true).bias_correction(true);
    Net net;
    ExponentialMovingAverage whole(groups_of(net.parameters()), options, net.buffers());
    ExponentialMovingAverage resumed(groups_of(net.parameters()), options, net.buffers());
    for (int64_t step = 1; step <= 3; ++step) {
        net.set_values(step);
        whole.update();
    }
    resumed.load_state_dict(whole.state_dict());
    for (int64_t step = 4; step <= 6; ++step) {
        net.set_values(step);
        whole.update();
        resumed.update();
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(at::equal(resumed.average(i), whole.average(i)));
        }
    }
    CHECK(resumed.num_updates() == 6);
}

TEST_CASE("a step that the scaler skips changes no average") {
    const at::Tensor parameter = make_parameter();
    ExponentialMovingAverageWrapper<AdamW> optimizer(make_adamw(parameter),
                                                     ExponentialMovingAverageOptions().smooth(0.5));
    audyn::amp::GradScaler scaler;
    for (const float gradient : {std::numeric_limits<float>::infinity(), 1.0F}) {
        (void)scaler.scale(at::ones({}));
        parameter.mutable_grad() = at::full({3}, gradient);
        scaler.step(optimizer);
        scaler.update();
        const bool is_skipped = std::isinf(gradient);
        CHECK(optimizer.moving_average().num_updates() == (is_skipped ? 0 : 1));
        CHECK(at::equal(optimizer.moving_average().average(0), at::ones({3})) == is_skipped);
    }
}

TEST_CASE("stochastic weight averaging starts when it is told to, and takes one of several updates") {
    averaged_net::Net net;
    AveragedModel average(net, AveragedModelOptions().swa_start(2).swa_freq(3));
    std::vector<at::Tensor> taken;
    for (int64_t update = 1; update <= 8; ++update) {
        net.set_values(update);
        average.update();
        if (update <= 2) { // The parameters themselves, until something is averaged.
            CHECK(at::equal(average.average(0), net.weight));
            CHECK(average.n_averaged() == 0);
        } else if (update % 3 == 0) {
            taken.push_back(net.weight.detach().clone());
        }
        if (!taken.empty()) {
            CHECK(at::allclose(average.average(0), at::stack(taken).mean(0)));
            CHECK(average.n_averaged() == static_cast<int64_t>(taken.size()));
        }
    }
    CHECK(taken.size() == 2);
    CHECK(average.state_dict().at("n_averaged").as_tensor().item<int64_t>() == 2);
    AveragedModel resumed(net, AveragedModelOptions().swa_start(2).swa_freq(3));
    resumed.load_state_dict(average.state_dict());
    net.set_values(9);
    taken.push_back(net.weight.detach().clone());
    resumed.update();
    CHECK(at::allclose(resumed.average(0), at::stack(taken).mean(0)));
    CHECK_THROWS_WITH_AS(AveragedModel(net, AveragedModelOptions().swa_freq(0)), doctest::Contains("swa_freq"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(AveragedModel(net, AveragedModelOptions().swa_start(-1)), doctest::Contains("swa_start"),
                         audyn::UsageError);
}
