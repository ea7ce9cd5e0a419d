#include "reference.hpp"

#include <audyn/core/error.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

using namespace audyn::optim;
using audyn::StateDict;

namespace {

void check_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(at::equal(a[i], b[i]));
    }
}

at::Tensor scalar(float value) {
    return at::scalar_tensor(value, at::kFloat);
}

} // namespace

TEST_CASE("a scaled step is a plain step with unscaled gradients") {
    const std::vector<at::Tensor> plain = reference::parameters();
    const std::vector<at::Tensor> scaled = reference::parameters();
    AdamW plain_optimizer(plain);
    AdamW scaled_optimizer(scaled);
    for (int64_t step = 0; step < 3; ++step) {
        reference::set_gradients(plain, step);
        plain_optimizer.step();
        reference::set_gradients(scaled, step);
        for (const at::Tensor& parameter : scaled) {
            parameter.mutable_grad().mul_(1024.0);
        }
        scaled_optimizer.step(scalar(1024.0F), scalar(0.0F));
    }
    check_equal(plain, scaled);
}

TEST_CASE("a step with an infinity changes nothing, not even the step count") {
    const std::vector<at::Tensor> parameters = reference::parameters();
    AdamW optimizer(parameters);
    reference::set_gradients(parameters, 0);
    optimizer.step();
    std::vector<at::Tensor> before;
    for (const at::Tensor& parameter : parameters) {
        before.push_back(parameter.detach().clone());
    }
    optimizer.step(scalar(2.0F), scalar(1.0F));
    check_equal(before, parameters);
    const StateDict state = optimizer.state_dict();
    CHECK(state.at("state").as_dict().at(0).as_dict().at("step").as_tensor().item<float>() == 1.0F);

    SUBCASE("also before the first step") {
        const std::vector<at::Tensor> others = reference::parameters();
        AdamW fresh(others);
        reference::set_gradients(others, 0);
        fresh.step(scalar(2.0F), scalar(1.0F));
        fresh.step();
        AdamW same(reference::parameters());
        reference::set_gradients(same.parameters(), 0);
        same.step();
        check_equal(same.parameters(), others);
    }
}

TEST_CASE("parameters without a gradient are passed over, and join when they get one") {
    const at::Tensor a = at::ones({2}).requires_grad_();
    const at::Tensor b = at::ones({2}).requires_grad_();
    AdamW optimizer({a, b}, AdamWOptions().lr(0.1).weight_decay(0.0));
    a.mutable_grad() = at::ones({2});
    optimizer.step();
    CHECK(a[0].item<float>() == doctest::Approx(0.9));
    CHECK(b[0].item<float>() == 1.0F);
    CHECK(optimizer.state_dict().at("state").as_dict().size() == 1);
    a.mutable_grad().reset();
    b.mutable_grad() = at::ones({2});
    optimizer.step();
    CHECK(a[0].item<float>() == doctest::Approx(0.9));
    CHECK(b[0].item<float>() == doctest::Approx(0.9));
    a.mutable_grad() = at::ones({2});
    optimizer.step();
    CHECK(a[0].item<float>() == doctest::Approx(0.8));
    CHECK(b[0].item<float>() == doctest::Approx(0.8));
    const StateDict state = optimizer.state_dict().at("state").as_dict();
    CHECK(state.at(0).as_dict().at("step").as_tensor().item<float>() == 2.0F);
    CHECK(state.at(1).as_dict().at("step").as_tensor().item<float>() == 2.0F);
}

TEST_CASE("gradients are not held after a step") {
    const at::Tensor parameter = at::ones({2}).requires_grad_();
    AdamW optimizer(std::vector{parameter});
    parameter.mutable_grad() = at::ones({2});
    optimizer.step();
    CHECK(parameter.grad().use_count() == 1);
}

TEST_CASE("parameters of several types go on together") {
    const at::Tensor single = at::ones({3}).requires_grad_();
    const at::Tensor twice = at::ones({3}, at::kDouble).requires_grad_();
    const at::Tensor brain = at::ones({3}, at::kBFloat16).requires_grad_();
    AdamW optimizer({single, twice, brain}, AdamWOptions().lr(0.5).weight_decay(0.0));
    for (const at::Tensor& parameter : optimizer.parameters()) {
        parameter.mutable_grad() = at::ones_like(parameter);
    }
    optimizer.step();
    for (const at::Tensor& parameter : optimizer.parameters()) {
        CHECK(parameter.detach()[0].item<double>() == doctest::Approx(0.5).epsilon(0.01));
    }
}

TEST_CASE("AdamW's state is in Python's layout") {
    const at::Tensor parameter = at::ones({2}).requires_grad_();
    AdamW optimizer(std::vector{parameter}, AdamWOptions().lr(0.1).amsgrad(true));
    parameter.mutable_grad() = at::ones({2});
    optimizer.step();
    const StateDict state = optimizer.state_dict();
    const StateDict& entry = state.at("state").as_dict().at(0).as_dict();
    std::vector<std::string> keys;
    for (const auto& [key, value] : entry) {
        keys.push_back(key.string());
    }
    CHECK(keys == std::vector<std::string>{"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"});
    CHECK((entry.at("step").as_tensor().scalar_type() == at::kFloat));
    CHECK(entry.at("step").as_tensor().dim() == 0);
    const StateDict& group = state.at("param_groups").as_list().at(0).as_dict();
    keys.clear();
    for (const auto& [key, value] : group) {
        keys.push_back(key.string());
    }
    CHECK(keys == std::vector<std::string>{"lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "foreach",
                                           "capturable", "differentiable", "fused", "decoupled_weight_decay",
                                           "params"});
    CHECK(group.at("lr").as_float() == 0.1);
    CHECK(group.at("betas").is<audyn::state::Tuple>());
    CHECK(group.at("betas").as_list().at(1).as_float() == 0.999);
    CHECK(group.at("weight_decay").as_float() == 1e-2);
    CHECK(group.at("amsgrad").as_bool());
    CHECK(group.at("foreach").is_none());
    CHECK(group.at("fused").as_bool());
    CHECK(group.at("decoupled_weight_decay").as_bool());
}

TEST_CASE("a loaded state goes on bit for bit, options included") {
    const std::vector<at::Tensor> whole = reference::parameters();
    AdamW optimizer(whole, AdamWOptions().lr(0.01).betas({0.7, 0.9}).amsgrad(true));
    for (int64_t step = 0; step < 4; ++step) {
        reference::set_gradients(whole, step);
        optimizer.step();
    }
    std::vector<at::Tensor> copies;
    for (const at::Tensor& parameter : whole) {
        copies.push_back(parameter.detach().clone().requires_grad_());
    }
    AdamW resumed(copies);
    reference::set_gradients(copies, 9); // The optimizer has stepped before it loads.
    resumed.step();
    {
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < copies.size(); ++i) {
            copies[i].copy_(whole[i]);
        }
    }
    resumed.load_state_dict(optimizer.state_dict());
    CHECK(resumed.options(0).betas().first == 0.7);
    CHECK(resumed.options(0).betas().second == 0.9);
    CHECK(resumed.options(0).amsgrad());
    for (int64_t step = 4; step < 7; ++step) {
        reference::set_gradients(whole, step);
        optimizer.step();
        reference::set_gradients(copies, step);
        resumed.step();
    }
    check_equal(whole, copies);
}

TEST_CASE("options are checked") {
    const std::vector<at::Tensor> parameters{at::ones({1}).requires_grad_()};
    CHECK_THROWS_AS(Adam(parameters, AdamOptions().lr(-1.0)), audyn::UsageError);
    CHECK_THROWS_AS(Adam(parameters, AdamOptions().betas({0.9, 1.0})), audyn::UsageError);
    CHECK_THROWS_AS(AdamW(parameters, AdamWOptions().eps(-1e-8)), audyn::UsageError);
    CHECK_THROWS_WITH_AS(AdamW(parameters, AdamWOptions().weight_decay(-0.5)),
                         "the optimizer's weight_decay must be at least 0, got -0.5", audyn::UsageError);
}

TEST_CASE("groups have options of their own") {
    const at::Tensor a = at::ones({1}).requires_grad_();
    const at::Tensor b = at::ones({1}).requires_grad_();
    AdamW optimizer(std::vector<OptionsGroup<AdamWOptions>>{{{}, {a}, AdamWOptions().lr(0.1).weight_decay(0.0)},
                                                            {{}, {b}, AdamWOptions().lr(0.2).weight_decay(0.0)}});
    a.mutable_grad() = at::ones({1});
    b.mutable_grad() = at::ones({1});
    optimizer.step();
    CHECK(a.item<float>() == doctest::Approx(0.9));
    CHECK(b.item<float>() == doctest::Approx(0.8));
    const StateDict state = optimizer.state_dict();
    CHECK(state.at("param_groups").as_list().at(1).as_dict().at("params").as_list().at(0).as_int() == 1);
}

TEST_CASE("sparse gradients and complex parameters are refused by name") {
    const at::Tensor a = at::ones({3, 2}).requires_grad_();
    NamedParameters parameters;
    parameters.insert("embedding.weight", a);
    AdamW optimizer(parameters);
    a.mutable_grad() = at::ones({3, 2}).to_sparse();
    CHECK_THROWS_WITH_AS(optimizer.step(), "AdamW does not take sparse gradients, but 'embedding.weight' has one",
                         audyn::UsageError);
    const at::Tensor c = at::ones({2}, at::kComplexFloat).requires_grad_();
    Adam complex(std::vector{c});
    c.mutable_grad() = at::ones_like(c);
    CHECK_THROWS_AS(complex.step(), audyn::UsageError);
}
