#include "averaged_net.hpp"
#include "multi_parts.hpp"

#include <audyn/amp/grad_scaler.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/averaged_model.hpp>
#include <audyn/optim/exponential_moving_average.hpp>
#include <audyn/optim/lbfgs.hpp>
#include <audyn/optim/multi_optimizers.hpp>
#include <audyn/optim/rmsprop.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>

#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::optim;
using namespace multi_parts;
using audyn::StateDict;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// The head's parameters are averaged, half and half.
MultiOptimizers with_averaged_head(const Parts& parts) {
    std::vector<NamedOptimizer> list;
    list.push_back({"body", AnyOptimizer(make_sgd(parts.body))});
    auto adamw = make_adamw(parts.head);
    auto average =
        std::make_unique<ExponentialMovingAverage>(adamw->groups(), ExponentialMovingAverageOptions().smooth(0.5));
    list.push_back({"head", AnyOptimizer(std::move(adamw), std::move(average))});
    return MultiOptimizers(std::move(list));
}

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
    std::vector<at::Tensor> result;
    for (const at::Tensor& tensor : tensors) {
        result.push_back(tensor.detach().clone());
    }
    return result;
}

bool equal(const std::vector<at::Tensor>& one, const std::vector<at::Tensor>& other) {
    for (std::size_t i = 0; i < one.size(); ++i) {
        if (!at::equal(one[i], other[i])) {
            return false;
        }
    }
    return one.size() == other.size();
}

} // namespace

TEST_CASE("several optimizers step as libtorch's own do, each with its parameters") {
    const Parts parts;
    const Parts expected;
    MultiOptimizers optimizer = body_and_head(parts);
    torch::optim::SGD sgd(expected.body, torch::optim::SGDOptions(0.1).momentum(0.9));
    torch::optim::AdamW adamw(expected.head, torch::optim::AdamWOptions(0.01));
    for (int64_t step = 0; step < 10; ++step) {
        reference::set_gradients(parts.all, step);
        reference::set_gradients(expected.all, step);
        optimizer.step();
        sgd.step();
        adamw.step();
    }
    for (std::size_t i = 0; i < parts.all.size(); ++i) {
        CHECK(at::allclose(parts.all[i], expected.all[i], 1e-6, 1e-7));
    }
    CHECK(optimizer.parameters().size() == 3);
    CHECK(optimizer.parameters()[2].is_same(parts.head[0]));
    optimizer.zero_grad();
    for (const at::Tensor& parameter : parts.all) {
        CHECK_FALSE(parameter.grad().defined());
    }
}

TEST_CASE("a name or a parameter that occurs twice is refused, and so is an empty list") {
    const Parts parts;
    CHECK_THROWS_WITH_AS(multi(std::pair("body", make_sgd(parts.body)), std::pair("body", make_adamw(parts.head))),
                         "two optimizers have the name 'body'; each needs its own", audyn::UsageError);
    NamedParameters named;
    named.insert("head.weight", parts.head[0]);
    CHECK_THROWS_WITH_AS(multi(std::pair("body", make_sgd(parts.all)), std::pair("head", std::make_unique<SGD>(named))),
                         "the optimizers 'body' and 'head' both have 'head.weight'; each parameter belongs to one",
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(MultiOptimizers({}), doctest::Contains("at least one"), audyn::UsageError);
    std::vector<NamedOptimizer> nested;
    nested.push_back({"inner", AnyOptimizer(body_and_head(parts))});
    CHECK_THROWS_WITH_AS(MultiOptimizers(std::move(nested)), doctest::Contains("'inner' is itself made of several"),
                         audyn::UsageError);
}

TEST_CASE("a gradient scaler steps all of several optimizers, or none") {
    const auto check = [](auto make, bool is_fused) {
        const Parts parts;
        const Parts expected;
        MultiOptimizers optimizer = multi(std::pair("body", make_sgd(parts.body)), std::pair("head", make(parts.head)));
        MultiOptimizers plain =
            multi(std::pair("body", make_sgd(expected.body)), std::pair("head", make(expected.head)));
        CHECK(optimizer.supports_amp_scaling() == is_fused);
        audyn::amp::GradScaler scaler(audyn::amp::GradScalerOptions().init_scale(1024.0));
        for (int64_t step = 0; step < 3; ++step) {
            (void)scaler.scale(at::ones({}));
            reference::set_gradients(parts.all, step);
            reference::set_gradients(expected.all, step);
            for (const at::Tensor& parameter : parts.all) {
                parameter.mutable_grad().mul_(scaler.get_scale());
            }
            const bool overflows = step == 1;
            if (overflows) {
                parts.head[0].mutable_grad().view(-1)[0] = inf;
            } else {
                plain.step();
            }
            scaler.step(optimizer);
            scaler.update();
            CHECK(equal(parts.all, expected.all));
        }
    };
    check(make_adamw, true);
    check([](const std::vector<at::Tensor>& parameters) { return std::make_unique<RMSprop>(parameters); }, false);
}

TEST_CASE("the groups of several optimizers are seen as they are, and changed in their own") {
    const Parts parts;
    AnyOptimizer optimizer(body_and_head(parts));
    const AnyOptimizer& constant = optimizer;
    REQUIRE(constant.groups().size() == 2);
    CHECK(constant.groups()[1].lr == 0.01);
    optimizer.multi()->optimizer("head").groups()[0].lr = 0.5;
    CHECK(constant.groups()[0].lr == 0.1);
    CHECK(constant.groups()[1].lr == 0.5);
    CHECK_THROWS_WITH_AS((void)optimizer.groups(), doctest::Contains("multi()->optimizer(name)"), audyn::UsageError);
    CHECK_THROWS_WITH_AS(StepLR(optimizer, 3), doctest::Contains("MultiLRSchedulers"), audyn::UsageError);
    CHECK_THROWS_WITH_AS((void)optimizer.multi()->optimizer("tail"),
                         "there is no optimizer 'tail'; there are: body, head", audyn::UsageError);
}

TEST_CASE("each of several optimizers calls the closure, after the one before it has stepped") {
    const auto make = [](const std::vector<at::Tensor>& parameters) {
        return multi(std::pair("body", std::make_unique<LBFGS>(std::vector{parameters[0], parameters[1]},
                                                               LBFGSOptions().max_iter(3))),
                     std::pair("head", make_sgd({parameters[2]})));
    };
    const auto closure = [](const std::vector<at::Tensor>& parameters) {
        return [&parameters] {
            for (const at::Tensor& parameter : parameters) {
                parameter.mutable_grad().reset();
            }
            at::Tensor loss = reference::loss(parameters);
            loss.backward();
            return loss;
        };
    };
    const Parts parts;
    MultiOptimizers optimizer = make(parts.all);
    CHECK(optimizer.needs_closure());
    CHECK_FALSE(body_and_head(Parts()).needs_closure());
    const at::Tensor loss = optimizer.step(closure(parts.all));

    const Parts expected;
    const double before = reference::loss(expected.all).item<double>();
    LBFGS lbfgs(expected.body, LBFGSOptions().max_iter(3));
    lbfgs.step(closure(expected.all));
    auto sgd = make_sgd(expected.head);
    sgd->step(closure(expected.all));
    CHECK(loss.item<double>() == before);
    CHECK(equal(parts.all, expected.all));
}

TEST_CASE("the moving averages of several optimizers are put in and taken out together") {
    struct Model : torch::nn::Module {
        explicit Model(const Parts& parts) {
            register_parameter("a", parts.all[0]);
            register_parameter("b", parts.all[1]);
            register_parameter("head", parts.all[2]);
            register_buffer("count", at::full({}, 7, at::kLong));
        }
    };
    const Parts parts;
    Model model(parts);
    AnyOptimizer optimizer(with_averaged_head(parts));
    const at::Tensor begin = parts.head[0].detach().clone();
    reference::set_gradients(parts.all, 0);
    optimizer.step();
    const std::vector<at::Tensor> trained = copies(parts.all);
    const at::Tensor average = (begin + trained[2]) / 2;
    REQUIRE(optimizer.averaged_parameters() != nullptr);
    const StateDict saved = optimizer.averaged_parameters()->model_state(model);
    CHECK(keys(saved) == std::vector<std::string>{"a", "b", "head", "count"});
    CHECK(at::equal(saved.at("a").as_tensor(), trained[0]));
    CHECK(at::allclose(saved.at("head").as_tensor(), average));
    {
        const MovingAverageScope scope(*optimizer.averaged_parameters());
        CHECK(equal(parts.body, {trained[0], trained[1]}));
        CHECK(at::allclose(parts.head[0], average));
        CHECK(at::equal(optimizer.averaged_parameters()->model_state(model).at("head").as_tensor(), parts.head[0]));
        CHECK_THROWS_WITH_AS(MovingAverageScope(*optimizer.averaged_parameters()),
                             doctest::Contains("hold their moving averages"), audyn::UsageError);
        CHECK(at::allclose(parts.head[0], average));
    }
    CHECK(equal(parts.all, trained));
    CHECK(AnyOptimizer(body_and_head(Parts())).averaged_parameters() == nullptr);
}

TEST_CASE("a scope of several averages that one of them refuses puts none in") {
    const at::Tensor one = at::zeros({2});
    const at::Tensor other = at::zeros({2});
    ExponentialMovingAverage first(averaged_net::groups_of({one}));
    ExponentialMovingAverage second(averaged_net::groups_of({other}));
    one.fill_(1.0);
    MovingAverages both({&first, &second});
    {
        const MovingAverageScope scope(second);
        CHECK_THROWS_AS(MovingAverageScope{both}, audyn::UsageError);
        CHECK(at::equal(one, at::ones({2})));
    }
    const MovingAverageScope scope(both);
    CHECK(at::equal(one, at::zeros({2})));
}

TEST_CASE("a model's state has the averages of all of its parts") {
    struct Model : torch::nn::Module {
        Model() {
            register_parameter("one", at::zeros({2}));
            register_parameter("other", at::zeros({2}));
        }
    } model;
    const std::vector<at::Tensor> parameters = model.parameters();
    const auto options = ExponentialMovingAverageOptions().smooth(0.5);
    ExponentialMovingAverage first(averaged_net::groups_of({parameters[0]}), options);
    ExponentialMovingAverage second(averaged_net::groups_of({parameters[1]}), options);
    for (std::size_t i = 0; i < 2; ++i) {
        parameters[i].detach().fill_(static_cast<double>(i + 1));
    }
    first.update();
    second.update();
    const StateDict state = MovingAverages({&first, &second}).model_state(model);
    CHECK(at::equal(state.at("one").as_tensor(), at::full({2}, 0.5)));
    CHECK(at::equal(state.at("other").as_tensor(), at::ones({2})));
}

TEST_CASE("averages begin anew with other parameters until the first update") {
    const at::Tensor one = at::zeros({2});
    ExponentialMovingAverage average(averaged_net::groups_of({one}), ExponentialMovingAverageOptions().smooth(0.5));
    MovingAverages all({&average});
    one.fill_(1.0);
    all.start();
    CHECK(at::equal(average.average(0), at::ones({2})));
    one.fill_(3.0);
    average.update();
    all.start();
    CHECK(at::equal(average.average(0), at::full({2}, 2.0)));
}

TEST_CASE("an infinity changes none of several optimizers' averages") {
    const Parts parts;
    MultiOptimizers optimizer = with_averaged_head(parts);
    reference::set_gradients(parts.all, 0);
    optimizer.step(at::ones({}), at::zeros({}));
    const at::Tensor average = optimizer.optimizer("head").moving_average()->average(0);
    const at::Tensor before = average.clone();
    CHECK_FALSE(at::equal(before, parts.head[0]));
    optimizer.step(at::ones({}), at::ones({}));
    CHECK(at::equal(average, before));
    optimizer.step(at::ones({}), at::zeros({}));
    CHECK_FALSE(at::equal(average, before));
}

TEST_CASE("several optimizers go on from their state, which has Audyn's layout") {
    const Parts parts;
    MultiOptimizers optimizer = with_averaged_head(parts);
    for (int64_t step = 0; step < 2; ++step) {
        reference::set_gradients(parts.all, step);
        optimizer.step();
    }
    const StateDict state = optimizer.state_dict();
    CHECK(keys(state) == std::vector<std::string>{"body", "head"});
    CHECK(keys(state.at("body").as_dict()) == std::vector<std::string>{"state", "param_groups"});
    CHECK(keys(state.at("head").as_dict()) == std::vector<std::string>{"moving_average", "original"});

    Parts resumed;
    for (std::size_t i = 0; i < parts.all.size(); ++i) {
        resumed.all[i].set_data(parts.all[i].detach().clone());
    }
    MultiOptimizers other = with_averaged_head(resumed);
    other.load_state_dict(state);
    reference::set_gradients(parts.all, 2);
    reference::set_gradients(resumed.all, 2);
    optimizer.step();
    other.step();
    CHECK(equal(parts.all, resumed.all));
    CHECK(at::equal(other.optimizer("head").moving_average()->average(0),
                    optimizer.optimizer("head").moving_average()->average(0)));

    CHECK_THROWS_WITH_AS(other.load_state_dict({{"body", state.at("body")}, {"tail", state.at("head")}}),
                         "the states do not fit the optimizers:\n  the optimizer 'head' has none\n  there is no "
                         "optimizer 'tail'",
                         audyn::StateError);
    CHECK_THROWS_WITH_AS(other.load_state_dict({{"body", state.at("body")}, {"head", state.at("body")}}),
                         doctest::Contains("optimizer 'head': the state is of an optimizer without a moving average"),
                         audyn::StateError);
}

TEST_CASE("a state that one of several optimizers refuses changes none of them") {
    const Parts parts;
    MultiOptimizers trained = with_averaged_head(parts);
    for (const char* name : {"body", "head"}) {
        trained.optimizer(name).groups()[0].lr = 0.5;
    }
    reference::set_gradients(parts.all, 0);
    trained.step();
    const StateDict state = trained.state_dict();
    for (const char* part : {"original", "moving_average"}) {
        CAPTURE(part);
        StateDict head = state.at("head").as_dict();
        head.set(part, StateDict{{"state", StateDict()}, {"param_groups", audyn::state::List()}});
        const Parts others;
        MultiOptimizers other = with_averaged_head(others);
        CHECK_THROWS_WITH_AS(other.load_state_dict({{"body", state.at("body")}, {"head", head}}),
                             doctest::Contains("optimizer 'head': the state does not fit"), audyn::StateError);
        CHECK(other.groups()[0].lr == 0.1);
        CHECK(other.state_dict().at("body").as_dict().at("state").as_dict().empty());
        CHECK_THROWS_AS(other.optimizer("head").load_state_dict(head), audyn::StateError);
        CHECK(other.groups()[1].lr == 0.01);
        CHECK(at::equal(other.optimizer("head").moving_average()->average(0), others.head[0]));
    }
}
