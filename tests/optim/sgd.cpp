#include "reference.hpp"

#include <audyn/core/error.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <vector>

using namespace audyn::optim;
using audyn::StateDict;

namespace {

at::Tensor scalar(float value) {
    return at::scalar_tensor(value, at::kFloat);
}

} // namespace

TEST_CASE("a skipped step is not SGD's first") {
    for (const double dampening : {0.0, 0.5}) {
        CAPTURE(dampening);
        const SGDOptions options = SGDOptions().lr(0.1).momentum(0.9).dampening(dampening);
        const std::vector<at::Tensor> skipping = reference::parameters();
        const std::vector<at::Tensor> plain = reference::parameters();
        SGD skipping_optimizer(skipping, options);
        SGD plain_optimizer(plain, options);
        reference::set_gradients(skipping, 0);
        skipping_optimizer.step(scalar(2.0F), scalar(1.0F));
        for (int64_t step = 0; step < 3; ++step) {
            reference::set_gradients(skipping, step);
            skipping_optimizer.step(at::Tensor(), scalar(0.0F));
            reference::set_gradients(plain, step);
            plain_optimizer.step();
        }
        for (std::size_t i = 0; i < plain.size(); ++i) {
            CHECK(at::equal(plain[i], skipping[i]));
        }
    }
}

TEST_CASE("a parameter that joins late has a first step of its own") {
    const at::Tensor early = at::zeros({1}).requires_grad_();
    const at::Tensor late = at::zeros({1}).requires_grad_();
    SGD optimizer({early, late}, SGDOptions().lr(1.0).momentum(0.5).dampening(0.5));
    early.mutable_grad() = at::ones({1});
    optimizer.step(); // momentum 1
    late.mutable_grad() = at::ones({1});
    optimizer.step(); // momentum 0.5 * 1 + 0.5 * 1 = 1 and 1
    CHECK(early.item<float>() == -2.0F);
    CHECK(late.item<float>() == -1.0F);
}

TEST_CASE("SGD's state is in Python's layout and goes on") {
    const std::vector<at::Tensor> parameters = reference::parameters();
    SGD plain(parameters);
    reference::set_gradients(parameters, 0);
    plain.step();
    CHECK(plain.state_dict().at("state").as_dict().empty());

    for (const double dampening : {0.0, 0.3}) {
        const std::vector<at::Tensor> whole = reference::parameters();
        SGD optimizer(whole, SGDOptions().lr(0.1).momentum(0.9).dampening(dampening));
        reference::set_gradients(whole, 0);
        optimizer.step();
        const StateDict state = optimizer.state_dict();
        CHECK(state.at("state").as_dict().at(2).as_dict().at("momentum_buffer").as_tensor().size(2) == 3);
        CHECK(state.at("param_groups").as_list().at(0).as_dict().at("dampening").as_float() == dampening);

        std::vector<at::Tensor> copies;
        for (const at::Tensor& parameter : whole) {
            copies.push_back(parameter.detach().clone().requires_grad_());
        }
        SGD resumed(copies);
        resumed.load_state_dict(state);
        reference::set_gradients(whole, 1);
        optimizer.step();
        reference::set_gradients(copies, 1);
        resumed.step();
        for (std::size_t i = 0; i < whole.size(); ++i) {
            CHECK(at::equal(whole[i], copies[i]));
        }
    }
}

TEST_CASE("a momentum that a scheduler brings takes effect") {
    const at::Tensor parameter = at::zeros({1}).requires_grad_();
    SGD optimizer(std::vector{parameter}, SGDOptions().lr(1.0));
    parameter.mutable_grad() = at::ones({1});
    optimizer.step();
    optimizer.groups()[0].momentum = 0.5;
    optimizer.step(); // momentum 1
    optimizer.step(); // momentum 1.5
    CHECK(parameter.item<float>() == -3.5F);
}

TEST_CASE("nesterov's conditions are checked") {
    const std::vector<at::Tensor> parameters{at::ones({1}).requires_grad_()};
    CHECK_THROWS_AS(SGD(parameters, SGDOptions().nesterov(true)), audyn::UsageError);
    CHECK_THROWS_AS(SGD(parameters, SGDOptions().nesterov(true).momentum(0.9).dampening(0.1)), audyn::UsageError);
    CHECK_THROWS_AS(SGD(parameters, SGDOptions().momentum(-0.1)), audyn::UsageError);
}
