#include <audyn/amp/grad_scaler.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/optim/torch_optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/optim/sgd.h>

#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

using namespace audyn::amp;
using namespace audyn::optim;
using audyn::StateDict;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// One parameter and SGD of rate 1, by the fused kernel or by libtorch's optimizer, which is skipped from outside.
struct Training {
    explicit Training(bool fused) {
        if (fused) {
            optimizer = std::make_unique<SGD>(std::vector{parameter}, SGDOptions().lr(1.0));
        } else {
            optimizer = std::make_unique<TorchOptimizer>(
                std::make_unique<torch::optim::SGD>(std::vector{parameter}, torch::optim::SGDOptions(1.0)));
        }
    }
    void backward(GradScaler& scaler, float factor = 1.0F) {
        optimizer->zero_grad();
        scaler.scale((parameter * factor).sum()).backward();
    }
    [[nodiscard]] float value() const { return parameter.item<float>(); }

    at::Tensor parameter = at::zeros({1}).requires_grad_();
    std::unique_ptr<Optimizer> optimizer;
};

} // namespace

TEST_CASE("steps are taken unscaled, and skipped for infinities and NaNs") {
    for (const bool fused : {true, false}) {
        CAPTURE(fused);
        Training training(fused);
        GradScaler scaler(GradScalerOptions().init_scale(8.0).growth_interval(2));
        const auto iterate = [&](float factor) {
            training.backward(scaler, factor);
            scaler.step(*training.optimizer);
            scaler.update();
        };
        iterate(0.5F);
        CHECK(training.value() == -0.5F);
        CHECK(scaler.get_scale() == 8.0);
        iterate(infinity);
        CHECK(training.value() == -0.5F);
        CHECK(scaler.get_scale() == 4.0);
        iterate(std::numeric_limits<float>::quiet_NaN());
        CHECK(training.value() == -0.5F);
        CHECK(scaler.get_scale() == 2.0);
        iterate(1.0F);
        iterate(1.0F);
        CHECK(training.value() == -2.5F);
        CHECK(scaler.get_scale() == 4.0);
    }
}

TEST_CASE("gradients can be unscaled before the step, to clip them") {
    for (const bool fused : {true, false}) {
        CAPTURE(fused);
        Training training(fused);
        GradScaler scaler(GradScalerOptions().init_scale(1024.0));
        training.backward(scaler);
        CHECK(training.parameter.grad().item<float>() == 1024.0F);
        scaler.unscale_(*training.optimizer);
        CHECK(training.parameter.grad().item<float>() == 1.0F);
        training.parameter.mutable_grad().mul_(0.25);
        scaler.step(*training.optimizer);
        CHECK(training.value() == -0.25F);
        scaler.update();

        training.backward(scaler, infinity);
        scaler.unscale_(*training.optimizer);
        scaler.step(*training.optimizer);
        CHECK(training.value() == -0.25F);
        scaler.update();
        CHECK(scaler.get_scale() == 512.0);
    }
}

TEST_CASE("an infinity skips its optimizer only, but shrinks the shared scale") {
    Training good(true);
    Training bad(false);
    GradScaler scaler(GradScalerOptions().init_scale(4.0));
    good.backward(scaler);
    bad.backward(scaler, infinity);
    scaler.step(*good.optimizer);
    scaler.step(*bad.optimizer);
    scaler.update();
    CHECK(good.value() == -1.0F);
    CHECK(bad.value() == 0.0F);
    CHECK(scaler.get_scale() == 2.0);
}

TEST_CASE("calls out of order are errors") {
    Training training(true);
    GradScaler scaler;
    CHECK_THROWS_AS(scaler.step(*training.optimizer), audyn::UsageError);
    CHECK_THROWS_AS(scaler.unscale_(*training.optimizer), audyn::UsageError);
    CHECK_THROWS_AS(scaler.update(), audyn::UsageError);
    training.backward(scaler);
    CHECK_THROWS_AS(scaler.update(), audyn::UsageError);
    scaler.unscale_(*training.optimizer);
    CHECK_THROWS_AS(scaler.unscale_(*training.optimizer), audyn::UsageError);
    scaler.step(*training.optimizer);
    CHECK_THROWS_AS(scaler.step(*training.optimizer), audyn::UsageError);
    CHECK_THROWS_AS(scaler.unscale_(*training.optimizer), audyn::UsageError);
    scaler.update();
    training.backward(scaler);
    scaler.step(*training.optimizer);
    CHECK(training.value() == -2.0F);

    CHECK_THROWS_AS(GradScaler(GradScalerOptions().growth_factor(1.0)), audyn::UsageError);
    CHECK_THROWS_AS(GradScaler(GradScalerOptions().backoff_factor(1.0)), audyn::UsageError);
}

TEST_CASE("float16 gradients cannot be unscaled") {
    const at::Tensor parameter = at::zeros({1}, at::kHalf).requires_grad_();
    SGD optimizer(std::vector{parameter});
    GradScaler scaler(GradScalerOptions().init_scale(2.0));
    scaler.scale(parameter.sum()).backward();
    CHECK_THROWS_AS(scaler.unscale_(optimizer), audyn::UsageError);
}

TEST_CASE("the scale can be set") {
    Training training(true);
    GradScaler scaler;
    training.backward(scaler);
    scaler.step(*training.optimizer);
    scaler.update(128.0);
    CHECK(scaler.get_scale() == 128.0);
    training.backward(scaler);
    CHECK(training.parameter.grad().item<float>() == 128.0F);
}

TEST_CASE("the scaler's state is Python's and goes on") {
    Training training(true);
    GradScaler scaler(GradScalerOptions().init_scale(16.0).growth_interval(3));
    CHECK(scaler.state_dict().at("scale").as_float() == 16.0);
    for (int i = 0; i < 2; ++i) {
        training.backward(scaler);
        scaler.step(*training.optimizer);
        scaler.update();
    }
    const StateDict state = scaler.state_dict();
    std::vector<std::string> keys;
    for (const auto& [key, value] : state) {
        keys.push_back(key.string());
    }
    CHECK(keys ==
          std::vector<std::string>{"scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"});
    CHECK(state.at("_growth_tracker").as_int() == 2);
    CHECK(state.at("growth_interval").as_int() == 3);

    for (const bool started : {false, true}) {
        GradScaler resumed;
        if (started) {
            (void)resumed.scale(at::ones({1}));
        }
        resumed.load_state_dict(state);
        CHECK(resumed.get_scale() == 16.0);
        training.backward(resumed);
        resumed.step(*training.optimizer);
        resumed.update();
        CHECK(resumed.get_scale() == 32.0);
    }
    GradScaler fresh;
    CHECK_THROWS_AS(fresh.load_state_dict(StateDict()), audyn::StateError);
    CHECK_THROWS_AS(fresh.load_state_dict({{"scale", 1.0}}), audyn::StateError);
    CHECK(fresh.get_scale() == 65536.0);
}

TEST_CASE("a disabled scaler passes everything through") {
    Training training(true);
    GradScaler scaler(GradScalerOptions().enabled(false));
    training.backward(scaler);
    CHECK(training.parameter.grad().item<float>() == 1.0F);
    scaler.unscale_(*training.optimizer);
    scaler.step(*training.optimizer);
    scaler.update();
    CHECK(training.value() == -1.0F);
    CHECK(scaler.state_dict().empty());
    scaler.load_state_dict(StateDict());
    CHECK(scaler.get_scale() == 1.0);
}

TEST_CASE("sparse gradients are checked by their values") {
    const at::Tensor table = at::zeros({4, 2}).requires_grad_();
    TorchOptimizer optimizer(std::make_unique<torch::optim::SGD>(std::vector{table}, torch::optim::SGDOptions(1.0)));
    GradScaler scaler(GradScalerOptions().init_scale(4.0));
    scaler.scale(at::embedding(table, at::tensor({1, 3}), -1, false, /*sparse=*/true).sum()).backward();
    REQUIRE(table.grad().is_sparse());
    scaler.step(optimizer);
    scaler.update();
    CHECK(table[1][0].item<float>() == -1.0F);
    CHECK(table[0][0].item<float>() == 0.0F);
}
