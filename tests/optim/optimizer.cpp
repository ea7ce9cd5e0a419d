#include "changed_state.hpp"
#include "reference.hpp"

#include <audyn/core/error.hpp>
#include <audyn/optim/adadelta.hpp>
#include <audyn/optim/adafactor.hpp>
#include <audyn/optim/adagrad.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamax.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/asgd.hpp>
#include <audyn/optim/concepts.hpp>
#include <audyn/optim/lbfgs.hpp>
#include <audyn/optim/muon.hpp>
#include <audyn/optim/nadam.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/radam.hpp>
#include <audyn/optim/rmsprop.hpp>
#include <audyn/optim/rprop.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/optim/sparse_adam.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

using namespace audyn::optim;
using audyn::StateDict;
using audyn::state::List;

static_assert(check_optimizer<AdamW>());
static_assert(check_optimizer<SGD>());
static_assert(check_optimizer<Optimizer>());
static_assert(check_optimizer<AnyOptimizer>());
static_assert(HasAmpScalingStep<AnyOptimizer>);

namespace {

/// What load_state_dict says, or "".
std::string refusal(Optimizer& optimizer, const StateDict& state) {
    try {
        optimizer.load_state_dict(state);
    } catch (const audyn::StateError& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("an optimizer needs parameters, leaves, each once") {
    CHECK_THROWS_AS(SGD(std::vector<at::Tensor>{}), audyn::UsageError);
    CHECK_THROWS_AS(SGD(NamedParameters{}), audyn::UsageError);
    CHECK_THROWS_AS(SGD(std::vector<OptionsGroup<SGDOptions>>{}), audyn::UsageError);
    const at::Tensor leaf = at::ones({1}).requires_grad_();
    CHECK_THROWS_AS(SGD({leaf, leaf}), audyn::UsageError);
    CHECK_THROWS_AS(SGD(std::vector{leaf * 2}), audyn::UsageError);
    CHECK_THROWS_AS(SGD(std::vector<OptionsGroup<SGDOptions>>{{{}, {leaf}, {}}, {{}, {leaf}, {}}}), audyn::UsageError);
    CHECK_THROWS_AS(SGD(std::vector<OptionsGroup<SGDOptions>>{{{"a", "b"}, {leaf}, {}}}), audyn::UsageError);
}

TEST_CASE("tied parameters count once, under the first name") {
    const at::Tensor tied = at::ones({1}).requires_grad_();
    const at::Tensor other = at::ones({1}).requires_grad_();
    NamedParameters parameters;
    parameters.insert("encoder", tied);
    parameters.insert("bias", other);
    parameters.insert("decoder", tied);
    const SGD optimizer(parameters);
    CHECK(optimizer.groups()[0].names == std::vector<std::string>{"encoder", "bias"});
    CHECK(optimizer.parameter_name(1) == "bias");
    CHECK(SGD(std::vector{tied}).parameter_name(0) == "parameter 0");
}

TEST_CASE("zero_grad drops gradients, or fills them, views too") {
    const at::Tensor parameter = at::ones({4}).requires_grad_();
    SGD optimizer(std::vector{parameter});
    const at::Tensor bucket = at::ones({8});
    parameter.mutable_grad() = bucket.narrow(0, 4, 4);
    optimizer.zero_grad(/*set_to_none=*/false);
    CHECK(parameter.grad().sum().item<float>() == 0.0F);
    CHECK(bucket.sum().item<float>() == 4.0F);
    CHECK(parameter.grad().data_ptr() == bucket.narrow(0, 4, 4).data_ptr());
    optimizer.zero_grad();
    CHECK_FALSE(parameter.grad().defined());
    optimizer.zero_grad(false); // Nothing to fill.

    // A gradient that has a graph of its own, as after backward with create_graph.
    const at::Tensor factor = at::ones({4}).requires_grad_();
    parameter.mutable_grad() = factor * 2;
    optimizer.zero_grad(false);
    CHECK_FALSE(parameter.grad().requires_grad());
    CHECK(parameter.grad().sum().item<float>() == 0.0F);
}

TEST_CASE_TEMPLATE("a backward through the values before a step is refused", Optimizer, AdamW, SGD, RMSprop) {
    const at::Tensor weight = at::ones({2}).requires_grad_();
    Optimizer optimizer(std::vector{weight});
    const at::Tensor loss = (weight * weight).sum();
    loss.backward({}, /*retain_graph=*/true);
    optimizer.step();
    CHECK_THROWS_WITH_AS(loss.backward(), doctest::Contains("modified by an inplace operation"), c10::Error);
}

TEST_CASE("the closure form computes the loss with gradients and steps") {
    const at::Tensor parameter = at::full({1}, 3.0).requires_grad_();
    SGD optimizer(std::vector{parameter}, SGDOptions().lr(0.5));
    const at::NoGradGuard no_grad;
    const at::Tensor loss = optimizer.step([&] {
        at::Tensor value = parameter.square().sum();
        value.backward();
        return value;
    });
    CHECK(loss.item<float>() == 9.0F);
    CHECK(parameter.item<float>() == 0.0F);
}

TEST_CASE("a state that does not fit is refused with every mismatch, and changes nothing") {
    const at::Tensor a = at::ones({2}).requires_grad_();
    const at::Tensor b = at::ones({3}).requires_grad_();
    NamedParameters parameters;
    parameters.insert("a", a);
    parameters.insert("b", b);
    AdamW optimizer(parameters, AdamWOptions().lr(0.25));
    a.mutable_grad() = at::ones({2});
    b.mutable_grad() = at::ones({3});
    optimizer.step();

    StateDict wrong = optimizer.state_dict();
    StateDict& states = std::get<StateDict>(wrong.find("state")->storage());
    std::get<StateDict>(states.find(0)->storage()).erase("exp_avg");
    std::get<StateDict>(states.find(1)->storage()).set("exp_avg_sq", at::ones({4}));
    StateDict& group = std::get<StateDict>(std::get<List>(wrong.find("param_groups")->storage())[0].storage());
    group.erase("eps");
    group.set("betas", 0.9);
    group.set("lr", 0.5);
    group.set("initial_lr", nullptr);
    const std::string message = refusal(optimizer, wrong);
    CAPTURE(message);
    CHECK(contains(message, "AdamW"));
    CHECK(contains(message, "'exp_avg' of 'a' is missing"));
    CHECK(contains(message, "'exp_avg_sq' of 'b' has the shape [4], the parameter has [3]"));
    CHECK(contains(message, "param_groups[0] has no 'eps'"));
    CHECK(contains(message, "param_groups[0]['betas'] is of kind float where tuple is needed"));
    CHECK(contains(message, "param_groups[0]['initial_lr'] is of kind None, not a number"));
    CHECK(optimizer.groups()[0].lr == 0.25);

    CHECK(contains(refusal(optimizer, StateDict()), "'state' or 'param_groups' is missing"));
    const StateDict several{{"body", optimizer.state_dict()}, {"head", optimizer.state_dict()}};
    CHECK(contains(refusal(optimizer, several), "'state' or 'param_groups' is missing; it has: body, head"));
    SGD other({a});
    CHECK(contains(refusal(other, optimizer.state_dict()), "has no 'momentum'"));
    CHECK(contains(refusal(other, optimizer.state_dict()), "has 2 parameters, the optimizer's group has 1"));
}

TEST_CASE("an optimizer takes all options of a state, as in Python") {
    const std::vector<at::Tensor> parameters{at::ones({2, 3}).requires_grad_()};
    std::vector<std::unique_ptr<Optimizer>> optimizers;
    const auto add = [&]<class... Kinds>(std::type_identity<Kinds>...) {
        (optimizers.push_back(std::make_unique<Kinds>(parameters)), ...);
    };
    add(std::type_identity<Adadelta>(), std::type_identity<Adafactor>(), std::type_identity<Adagrad>(),
        std::type_identity<Adam>(), std::type_identity<Adamax>(), std::type_identity<AdamW>(),
        std::type_identity<ASGD>(), std::type_identity<LBFGS>(), std::type_identity<Muon>(),
        std::type_identity<NAdam>(), std::type_identity<RAdam>(), std::type_identity<RMSprop>(),
        std::type_identity<Rprop>(), std::type_identity<SGD>(), std::type_identity<SparseAdam>());
    for (const auto& optimizer : optimizers) {
        CAPTURE(optimizer->name());
        StateDict state = optimizer->state_dict();
        StateDict& group = std::get<StateDict>(std::get<List>(state.find("param_groups")->storage())[0].storage());
        for (auto& [key, value] : group) {
            if (key == "maximize" || key == "amsgrad" || key == "centered") {
                value = !value.as_bool();
            } else if (!(key == "params")) {
                value = changed_state::changed(value);
            }
        }
        optimizer->load_state_dict(state);
        CHECK(changed_state::text(optimizer->state_dict()) == changed_state::text(state));
    }
}

TEST_CASE("states of Python's other ways to step are taken") {
    const at::Tensor parameter = at::ones({2}).requires_grad_();
    AdamW optimizer(std::vector{parameter});
    parameter.mutable_grad() = at::ones({2});
    optimizer.step();
    StateDict state = optimizer.state_dict();
    StateDict& group = std::get<StateDict>(std::get<List>(state.find("param_groups")->storage())[0].storage());
    // Numbers of the parameters are free, a rate may be a tensor or an int, and old files lack flags.
    group.set("params", List{7});
    group.set("lr", at::scalar_tensor(0.5, at::kFloat));
    group.set("weight_decay", 0);
    group.erase("maximize");
    group.erase("decoupled_weight_decay");
    group.set("fused", nullptr);
    group.set("param_names", List{"x"});
    group.set("initial_lr", 0.75);
    StateDict moved;
    moved.set(7, state.at("state").as_dict().at(0));
    std::get<StateDict>(moved.find(7)->storage()).set("step", 5); // A number before 1.12.
    state.set("state", moved);

    const at::Tensor same = at::ones({2}).requires_grad_();
    AdamW resumed(std::vector{same});
    resumed.load_state_dict(state);
    CHECK(resumed.groups()[0].lr == 0.5);
    CHECK(resumed.groups()[0].schedule.initial_lr == 0.75);
    CHECK(resumed.options(0).weight_decay() == 0.0);
    const StateDict copy = resumed.state_dict();
    CHECK(copy.at("state").as_dict().at(0).as_dict().at("step").as_tensor().item<float>() == 5.0F);
    CHECK(copy.at("param_groups").as_list().at(0).as_dict().at("decoupled_weight_decay").as_bool());
    CHECK(copy.at("param_groups").as_list().at(0).as_dict().at("initial_lr").as_float() == 0.75);
}

TEST_CASE("a loaded state is a copy") {
    const at::Tensor parameter = at::ones({2}).requires_grad_();
    AdamW optimizer(std::vector{parameter});
    parameter.mutable_grad() = at::ones({2});
    optimizer.step();
    const StateDict state = optimizer.state_dict();
    AdamW other(std::vector{at::ones({2}).requires_grad_()});
    other.load_state_dict(state);
    state.at("state").as_dict().at(0).as_dict().at("exp_avg").as_tensor().fill_(7.0);
    CHECK(other.state_dict().at("state").as_dict().at(0).as_dict().at("exp_avg").as_tensor().max().item<float>() <
          1.0F);
}

TEST_CASE("AnyOptimizer is the optimizer that it holds") {
    const at::Tensor parameter = at::ones({1}).requires_grad_();
    AnyOptimizer any(std::make_unique<SGD>(std::vector{parameter}, SGDOptions().lr(0.5)));
    parameter.mutable_grad() = at::ones({1});
    any.step();
    CHECK(parameter.item<float>() == 0.5F);
    any.groups()[0].lr = 0.25;
    any.step();
    CHECK(parameter.item<float>() == 0.25F);
    Optimizer& inner = any;
    CHECK(&inner.groups() == &any.groups());
    any.zero_grad();
    CHECK_FALSE(parameter.grad().defined());
    CHECK(any.supports_amp_scaling());
    CHECK(std::string(any.name()) == "SGD");
    any.load_state_dict(any.state_dict());
    CHECK_THROWS_AS(AnyOptimizer(nullptr), audyn::UsageError);
}

TEST_CASE("an optimizer can be moved, and its groups stay") {
    const at::Tensor parameter = at::ones({1}).requires_grad_();
    SGD optimizer(std::vector{parameter}, SGDOptions().lr(1.0));
    const auto groups = optimizer.shared_groups();
    const std::vector<at::Tensor>* parameters = &optimizer.parameters();
    SGD moved = std::move(optimizer);
    CHECK(parameters == &moved.parameters());
    (*groups)[0].lr = 0.5;
    parameter.mutable_grad() = at::ones({1});
    moved.step();
    CHECK(parameter.item<float>() == 0.5F);
}
