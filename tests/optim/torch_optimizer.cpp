#include "reference.hpp"

#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/torch_optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adamw.h>
#include <torch/optim/lbfgs.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace audyn::optim;
using audyn::StateDict;
namespace to = torch::optim;

namespace {

using Make = std::function<std::unique_ptr<to::Optimizer>(const std::vector<at::Tensor>&)>;

template <class T, class Options>
Make make(const Options& options) {
    return [options](const std::vector<at::Tensor>& parameters) { return std::make_unique<T>(parameters, options); };
}

std::map<std::string, Make> cases() {
    return {
        {"SGD", make<to::SGD>(to::SGDOptions(0.1).momentum(0.9))},
        {"Adam", make<to::Adam>(to::AdamOptions(0.01).amsgrad(true))},
        {"AdamW", make<to::AdamW>(to::AdamWOptions(0.01))},
        {"Adagrad", make<to::Adagrad>(to::AdagradOptions(0.1).lr_decay(0.1))},
        {"RMSprop", make<to::RMSprop>(to::RMSpropOptions(0.01).momentum(0.9).centered(true))},
    };
}

void train(Optimizer& optimizer, int64_t first, int64_t last) {
    for (int64_t step = first; step < last; ++step) {
        reference::set_gradients(optimizer.parameters(), step);
        optimizer.step();
    }
}

} // namespace

TEST_CASE("states of libtorch's optimizers go on bit for bit") {
    for (const auto& [name, make_optimizer] : cases()) {
        CAPTURE(name);
        TorchOptimizer whole(make_optimizer(reference::parameters()));
        CHECK(whole.name() == name);
        train(whole, 0, 3);
        std::vector<at::Tensor> copies;
        for (const at::Tensor& parameter : whole.parameters()) {
            copies.push_back(parameter.detach().clone().requires_grad_());
        }
        TorchOptimizer resumed(make_optimizer(copies));
        resumed.load_state_dict(whole.state_dict());
        train(whole, 3, 6);
        train(resumed, 3, 6);
        for (std::size_t i = 0; i < copies.size(); ++i) {
            CHECK(at::equal(copies[i], whole.parameters()[i]));
        }
    }
}

TEST_CASE("the state of libtorch's AdamW is the fused one's") {
    const std::vector<at::Tensor> parameters = reference::parameters();
    TorchOptimizer slow(std::make_unique<to::AdamW>(parameters, to::AdamWOptions(0.01)));
    train(slow, 0, 3);
    std::vector<at::Tensor> copies;
    for (const at::Tensor& parameter : parameters) {
        copies.push_back(parameter.detach().clone().requires_grad_());
    }
    AdamW fused(copies);
    fused.load_state_dict(slow.state_dict());
    CHECK(fused.options(0).lr() == 0.01);
    train(slow, 3, 6);
    train(fused, 3, 6);
    for (std::size_t i = 0; i < copies.size(); ++i) {
        CHECK(at::allclose(copies[i], parameters[i], 1e-6, 1e-7));
    }
    slow.load_state_dict(fused.state_dict());
    const StateDict state = slow.state_dict();
    CHECK(state.at("state").as_dict().at(2).as_dict().at("step").as_tensor().item<float>() == 6.0F);
}

TEST_CASE("schedulers reach libtorch's options") {
    const at::Tensor parameter = at::zeros({1}).requires_grad_();
    TorchOptimizer optimizer(std::make_unique<to::SGD>(std::vector{parameter}, to::SGDOptions(1.0).momentum(0.5)));
    StepLR scheduler(optimizer, 1, 0.5);
    scheduler.step();
    optimizer.groups()[0].momentum = 1.0;
    parameter.mutable_grad() = at::ones({1});
    optimizer.step(); // momentum 1
    optimizer.step(); // momentum 2
    CHECK(parameter.item<float>() == -1.5F);
    const StateDict group = optimizer.state_dict().at("param_groups").as_list().at(0).as_dict();
    CHECK(group.at("momentum").as_float() == 1.0);
    CHECK(group.at("lr").as_float() == 0.5);
    CHECK(group.at("initial_lr").as_float() == 1.0);
}

TEST_CASE("LBFGS steps by its closure and keeps its history") {
    const auto train_lbfgs = [](TorchOptimizer& optimizer) {
        return optimizer.step([&] {
            optimizer.zero_grad();
            const at::Tensor& p = optimizer.parameters()[0];
            at::Tensor loss = (p - at::tensor({1.0F, -2.0F})).square().mul(at::tensor({1.0F, 10.0F})).sum();
            loss.backward();
            return loss;
        });
    };
    const auto make_lbfgs = [](const at::Tensor& parameter) {
        return TorchOptimizer(std::make_unique<to::LBFGS>(std::vector{parameter}, to::LBFGSOptions(0.3).max_iter(3)));
    };
    const at::Tensor parameter = at::zeros({2}).requires_grad_();
    TorchOptimizer optimizer = make_lbfgs(parameter);
    CHECK_THROWS_AS(optimizer.step(), audyn::UsageError);
    CHECK(train_lbfgs(optimizer).item<float>() == 41.0F);
    const at::Tensor copy = parameter.detach().clone().requires_grad_();
    TorchOptimizer resumed = make_lbfgs(copy);
    resumed.load_state_dict(optimizer.state_dict());
    CHECK(train_lbfgs(optimizer).item<float>() < 41.0F);
    train_lbfgs(resumed);
    CHECK(at::equal(copy, parameter));
}

TEST_CASE("states that libtorch's optimizers cannot follow are refused") {
    const at::Tensor parameter = at::zeros({2}).requires_grad_();
    NamedParameters names;
    names.insert("bias", parameter);
    TorchOptimizer optimizer(std::make_unique<to::AdamW>(std::vector{parameter}), names);
    AdamW ours(names, AdamWOptions().maximize(true));
    CHECK_THROWS_WITH_AS(optimizer.load_state_dict(ours.state_dict()),
                         "the state does not fit the optimizer AdamW:\n"
                         "  param_groups[0]['maximize'] is True, which libtorch's AdamW cannot do",
                         audyn::StateError);
    parameter.mutable_grad() = at::ones({2});
    optimizer.step();
    StateDict state = optimizer.state_dict();
    StateDict& states = std::get<StateDict>(state.find("state")->storage());
    std::get<StateDict>(states.find(0)->storage()).erase("exp_avg");
    std::get<StateDict>(states.find(0)->storage()).set("exp_avg_sq", at::ones({3}));
    CHECK_THROWS_WITH_AS(optimizer.load_state_dict(state),
                         "the state does not fit the optimizer AdamW:\n"
                         "  'exp_avg' of 'bias' is missing\n"
                         "  'exp_avg_sq' of 'bias' has the shape [3], the parameter has [2]",
                         audyn::StateError);
    TorchOptimizer adagrad(std::make_unique<to::Adagrad>(std::vector{parameter}));
    StateDict empty = adagrad.state_dict();
    empty.set("state", StateDict());
    CHECK_THROWS_AS(adagrad.load_state_dict(empty), audyn::StateError);
}

TEST_CASE("an optimizer of the user's own steps, but has no state dictionary") {
    struct Descent : to::Optimizer {
        explicit Descent(const std::vector<at::Tensor>& parameters)
            : Optimizer(parameters, std::make_unique<to::SGDOptions>(0.5)) {}
        at::Tensor step(LossClosure) override {
            const at::NoGradGuard no_grad;
            auto& group = param_groups_[0];
            for (at::Tensor& parameter : group.params()) {
                parameter.sub_(parameter.grad(), group.options().get_lr());
            }
            return {};
        }
    };
    const at::Tensor parameter = at::zeros({1}).requires_grad_();
    TorchOptimizer optimizer(std::make_unique<Descent>(std::vector{parameter}));
    CHECK(optimizer.groups()[0].lr == 0.5);
    optimizer.groups()[0].lr = 2.0;
    parameter.mutable_grad() = at::ones({1});
    optimizer.step();
    CHECK(parameter.item<float>() == -2.0F);
    CHECK_THROWS_AS((void)optimizer.state_dict(), audyn::StateError);
    CHECK_FALSE(optimizer.supports_amp_scaling());
    CHECK_THROWS_AS(optimizer.step(at::ones({}), at::zeros({})), audyn::UsageError);
}
