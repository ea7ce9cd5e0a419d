#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/multi_optimizers.hpp>
#include <audyn/adapter/optimizers.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/averaged_model.hpp>
#include <audyn/optim/multi_optimizers.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace adapter = audyn::adapter;

namespace {

const audyn::Targets& targets() {
    static const audyn::Targets all = [] {
        audyn::Targets made;
        adapter::add_optimizers(made);
        adapter::add_scheduler_targets(made);
        adapter::add_moving_average_targets(made);
        return made;
    }();
    return all;
}

audyn::Config config(const std::string& text) {
    return audyn::config::config_from_yaml("node:\n" + text, "test.yaml", audyn::config::Resolvers())["node"];
}

struct Model : torch::nn::Module {
    Model() {
        register_module("encoder", torch::nn::Linear(2, 2));
        register_module("norm", torch::nn::BatchNorm1d(2));
        register_module("encoder_head", torch::nn::Linear(2, 1));
        scale = register_parameter("scale", at::ones({1}));
    }
    at::Tensor scale;
};

audyn::optim::AnyOptimizer build(const std::string& text, const Model& model) {
    const audyn::Config node = config(text);
    adapter::check_any_optimizer(targets(), node);
    return adapter::build_any_optimizer(targets(), node, model.named_parameters(), model.named_buffers());
}

const std::string sgd = "optimizer: {_target_: torch.optim.SGD, lr: 0.5}";
const std::string adam = "optimizer: {_target_: torch.optim.Adam, lr: 0.25}";
const std::string two = "  - {name: body, modules: [encoder, norm], " + sgd +
                        "}\n  - {name: head, modules: [encoder_head], " + adam + "}\n";

/// What is wrong with the list of optimizers, checked and then built.
std::string optimizer_error(const std::string& text) {
    try {
        (void)build(text, Model());
    } catch (const audyn::ConfigError& error) {
        return error.what();
    }
    return {};
}

std::string scheduler_error(const std::string& text, const std::string& optimizer = two) {
    try {
        adapter::check_lr_scheduler(targets(), config(text), config(optimizer));
    } catch (const audyn::ConfigError& error) {
        return error.what();
    }
    return {};
}

void check_message(const std::string& message, const std::vector<std::string>& words) {
    CAPTURE(message);
    CHECK_FALSE(message.empty());
    for (const std::string& word : words) {
        CAPTURE(word);
        CHECK(message.find(word) != std::string::npos);
    }
}

} // namespace

TEST_CASE("a list of optimizers gives each the parameters of its modules") {
    const Model model;
    auto optimizer = build(two, model);
    REQUIRE(optimizer.multi() != nullptr);
    auto& body = optimizer.multi()->optimizer("body");
    CHECK(std::string(body.name()) == "SGD");
    CHECK(body.groups()[0].names ==
          std::vector<std::string>{"encoder.weight", "encoder.bias", "norm.weight", "norm.bias"});
    auto& head = optimizer.multi()->optimizer("head");
    CHECK(std::string(head.name()) == "Adam");
    CHECK(head.groups()[0].names == std::vector<std::string>{"encoder_head.weight", "encoder_head.bias"});
    CHECK(head.groups()[0].lr == 0.25);
    CHECK(adapter::parameters_without_optimizer(model.named_parameters(), {&optimizer}) ==
          std::vector<std::string>{"scale"});
    model.scale.requires_grad_(false);
    CHECK(adapter::parameters_without_optimizer(model.named_parameters(), {&optimizer}).empty());
}

TEST_CASE("entries without a name are called by their place, and a module may be a path or a parameter") {
    const Model model;
    auto optimizer =
        build("  - {modules: encoder, " + sgd + "}\n  - {modules: [norm.weight, scale], " + adam + "}\n", model);
    CHECK(optimizer.multi()->optimizer("0").parameters().size() == 2);
    CHECK(optimizer.multi()->optimizer("1").groups()[0].names == std::vector<std::string>{"norm.weight", "scale"});
}

TEST_CASE("optimizers of a list may have moving averages and parameter groups") {
    const std::string prefix = "optimizer: {_target_: audyn.optim.optimizer.";
    const std::string inner = "optimizer_class: {_target_: torch.optim.SGD, _partial_: true, lr: 0.5}";
    const Model model;
    auto optimizer = build("  - name: body\n    modules: [encoder]\n    " + prefix +
                               "ExponentialMovingAverageWrapper.build_from_optim_class, smooth: 0.75, " + inner +
                               "}\n  - name: norm\n    modules: [norm]\n    " + prefix +
                               "StochasticWeightAveragingWrapper.build_from_optim_class, swa_start: 1, " + inner +
                               "}\n  - name: head\n    modules: [encoder_head]\n    optimizer: {_target_: "
                               "torch.optim.SGD, param_groups: [{params: '*.bias', lr: 0.125}]}\n",
                           model);
    CHECK(optimizer.multi()->optimizer("head").groups().size() == 2);
    auto* norm = dynamic_cast<audyn::optim::AveragedModel*>(optimizer.multi()->optimizer("norm").moving_average());
    REQUIRE(norm != nullptr);
    for (const auto& parameter : model.named_parameters()) {
        parameter.value().mutable_grad() = at::ones_like(parameter.value());
    }
    const at::Tensor begin = model.named_parameters()["encoder.weight"].detach().clone();
    optimizer.step();
    CHECK(norm->n_averaged() == 0);
    optimizer.step();
    CHECK(norm->n_averaged() == 1);
    CHECK(norm->state_dict().contains("module.norm.running_mean"));
    // Two steps of 0.5 down: 0.75 * (0.75 * w + 0.25 * (w - 0.5)) + 0.25 * (w - 1).
    const auto averaged = optimizer.averaged_parameters()->model_state(model);
    CHECK(at::allclose(averaged.at("encoder.weight").as_tensor(), begin - 0.75 * 0.125 - 0.25));
    CHECK(at::equal(averaged.at("norm.weight").as_tensor(), at::zeros({2})));
}

TEST_CASE("mistakes in a list of optimizers name what would work") {
    check_message(optimizer_error("  - {name: a, modules: [decoder], " + sgd + "}\n"),
                  {"test.yaml:2", "'decoder'", "encoder", "norm", "encoder_head", "scale"});
    check_message(optimizer_error("  - {name: a, modules: [encode], " + sgd + "}\n"), {"'encode'", "encoder"});
    check_message(optimizer_error(two + "  - {name: body, modules: [scale], " + sgd + "}\n"),
                  {"test.yaml:4", "second optimizer of the name 'body'"});
    check_message(optimizer_error(two + "  - {name: again, modules: [norm], " + sgd + "}\n"),
                  {"'body' and 'again' both have 'norm.weight'"});
    check_message(optimizer_error("  - {name: a, module: [norm], " + sgd + "}\n"), {"'module'", "modules"});
    check_message(optimizer_error("  - {name: a, modules: [], " + sgd + "}\n"), {"at least one module"});
    check_message(optimizer_error("  - {name: a, modules: [norm], optimizer: {_target_: torch.optim.SDG}}\n"),
                  {"torch.optim.SDG", "torch.optim.SGD"});
    check_message(optimizer_error("  - {name: a, modules: [norm]}\n"), {"optimizer"});
    check_message(optimizer_error("  - {name: a, modules: [norm], optimizer: [{modules: [norm]}]}\n"),
                  {"must be one optimizer"});
    check_message(optimizer_error("  []\n"), {"empty list"});
    check_message(optimizer_error("  - body\n"), {"must be a dictionary"});
}

TEST_CASE("an optimizer without parameters or without a pattern is an error at its node") {
    const auto error = [](const std::string& text, const audyn::optim::NamedParameters& parameters) {
        try {
            (void)adapter::build_any_optimizer(targets(), config(text), parameters);
        } catch (const audyn::ConfigError& mistake) {
            return std::string(mistake.what());
        }
        return std::string();
    };
    const audyn::optim::NamedParameters none;
    check_message(error("  _target_: torch.optim.AdamW\n", none), {"test.yaml:2", "an optimizer needs parameters"});
    check_message(error("  _target_: torch.optim.AdamW\n  param_groups: [{params: 'a*', lr: 1}]\n", none),
                  {"'a*' fits no parameter"});
    const std::string ema = "  _target_: audyn.optim.optimizer.ExponentialMovingAverageWrapper.build_from_optim_class\n"
                            "  optimizer_class: {_target_: torch.optim.SGD}\n";
    check_message(error(ema, none), {"an optimizer needs parameters"});
    check_message(
        error("  _target_: torch.optim.AdamW\n  param_groups: [{params: [], lr: 1}]\n", Model().named_parameters()),
        {"at least one pattern"});
    check_message(optimizer_error("  - {name: a, modules: [encoder], optimizer: {_target_: torch.optim.SGD, "
                                  "param_groups: [{params: 'norm*', lr: 1}]}}\n"),
                  {"'norm*' fits no parameter; there are: encoder.weight, encoder.bias"});
}

TEST_CASE("a list of schedulers is built for the optimizers that it names") {
    const Model model;
    auto optimizer = build(two, model);
    const audyn::Config node =
        config("  - {name: head, lr_scheduler: {_target_: torch.optim.lr_scheduler.CosineAnnealingLR}}\n"
               "  - {name: body, lr_scheduler: null}\n");
    CHECK(adapter::has_lr_scheduler(node));
    CHECK_NOTHROW(adapter::check_lr_scheduler(targets(), node, config(two)));
    const auto scheduler = adapter::build_lr_scheduler(targets(), node, optimizer, 4);
    CHECK(scheduler->state_dict().at("head").as_dict().at("T_max").as_int() == 4);
    CHECK(scheduler->state_dict().at("body").as_dict().empty());
    scheduler->step();
    scheduler->step();
    CHECK(optimizer.multi()->groups()[0].lr == 0.5);
    CHECK(optimizer.multi()->groups()[1].lr == doctest::Approx(0.125));
    CHECK_FALSE(adapter::has_lr_scheduler(config("  - {name: body, lr_scheduler: {}}\n")));
    CHECK_FALSE(adapter::has_lr_scheduler(config("  {}\n")));
    CHECK_FALSE(adapter::has_lr_scheduler(config("  {_target_: null}\n")));
    CHECK(adapter::has_lr_scheduler(config("  {step_size: 3}\n"))); // A mistake, not none.

    // As in Audyn, an entry may be the scheduler itself, of the optimizer in its place.
    auto unnamed = build("  - {modules: encoder, " + sgd + "}\n", model);
    const audyn::Config place = config("  - {_target_: torch.optim.lr_scheduler.ExponentialLR, gamma: 0.5}\n");
    CHECK_NOTHROW(adapter::check_lr_scheduler(targets(), place, config("  - {modules: encoder, " + sgd + "}\n")));
    adapter::build_lr_scheduler(targets(), place, unnamed, 4)->step();
    CHECK(unnamed.multi()->groups()[0].lr == 0.25);
}

TEST_CASE("mistakes in a list of schedulers name what would work") {
    const std::string step = "lr_scheduler: {_target_: torch.optim.lr_scheduler.StepLR, step_size: 3}";
    check_message(scheduler_error("  - {name: tail, " + step + "}\n"), {"test.yaml:2", "'tail'", "body", "head"});
    check_message(scheduler_error("  - {name: body, " + step + "}\n  - {name: body, " + step + "}\n"),
                  {"second scheduler of the name 'body'"});
    check_message(scheduler_error("  - {name: body, lr_scheduler: {_target_: torch.optim.lr_scheduler.StepLR}}\n"),
                  {"step_size"});
    check_message(scheduler_error("  - {name: body, scheduler: null, " + step + "}\n"), {"'scheduler'"});
    check_message(scheduler_error("  - {name: body, " + step + "}\n", "  {_target_: torch.optim.SGD}\n"),
                  {"`optimizer` is a single one"});
    check_message(scheduler_error("  {_target_: torch.optim.lr_scheduler.StepLR, step_size: 3}\n"),
                  {"`optimizer` is a list", "{name: body, lr_scheduler"});
}

TEST_CASE("an exponential moving average takes the buffers in when it is told to") {
    for (const bool use_buffers : {false, true}) {
        CAPTURE(use_buffers);
        const Model model;
        auto optimizer =
            build("  _target_: audyn.optim.optimizer.ExponentialMovingAverageWrapper.build_from_optim_class\n"
                  "  optimizer_class: {_target_: torch.optim.SGD, _partial_: true}\n  smooth: 0.75\n" +
                      std::string(use_buffers ? "  use_buffers: true\n" : ""),
                  model);
        model.named_buffers()["norm.running_mean"].fill_(1.0);
        optimizer.step();
        const auto state = optimizer.averaged_parameters()->model_state(model);
        CHECK(at::equal(state.at("norm.running_mean").as_tensor(), at::full({2}, use_buffers ? 0.25 : 1.0)));
        const auto saved = optimizer.state_dict().at("moving_average").as_dict();
        CHECK(saved.at("buffers").as_list().size() == (use_buffers ? 3 : 0));
    }
}

TEST_CASE("stochastic weight averaging is built around an optimizer") {
    const std::string target =
        "  _target_: audyn.optim.optimizer.StochasticWeightAveragingWrapper.build_from_optim_class\n";
    const std::string inner = "  optimizer_class: {_target_: torch.optim.SGD, _partial_: true, lr: 0.5}\n";
    const Model model;
    auto optimizer = build(target + inner + "  swa_freq: 2\n  use_buffers: true\n", model);
    const auto& average = dynamic_cast<const audyn::optim::AveragedModel&>(*optimizer.moving_average());
    const at::Tensor begin = model.scale.detach().clone();
    for (int step = 0; step < 3; ++step) {
        model.scale.mutable_grad() = at::ones({1});
        optimizer.step();
    }
    CHECK(average.n_averaged() == 2);
    // The first and the third: down by 0.5 and by 1.5.
    const auto state = optimizer.state_dict().at("moving_average").as_dict();
    CHECK(at::allclose(state.at("module.scale").as_tensor(), begin - 1.0));
    CHECK(optimizer.averaged_parameters()->model_state(model).contains("norm.running_mean"));
    check_message(optimizer_error(target + inner + "  swa_freq: 0\n"), {"swa_freq must be at least 1, got 0"});
    check_message(optimizer_error(target), {"optimizer_class"});
}
