#include "yaml_config.hpp"

#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/optimizer_factory.hpp>
#include <audyn/adapter/optimizers.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

TEST_CASE("optimizers and schedulers are built from Python's names and arguments") {
    audyn::Targets all;
    audyn::adapter::add_optimizers(all);
    audyn::adapter::add_scheduler_targets(all);
    audyn::optim::NamedParameters parameters;
    parameters.insert("weight", at::ones({2}).requires_grad_());
    auto optimizer = all.build<audyn::adapter::OptimizerFactory>(
        config("_target_: torch.optim.AdamW\nlr: 0.5\nbetas: [0.8, 0.9]\nforeach: null\n"))(parameters);
    CHECK(optimizer->name() == std::string("AdamW"));
    CHECK(optimizer->groups()[0].lr == 0.5);
    CHECK(optimizer->state_dict().at("param_groups").as_list()[0].as_dict().at("betas").as_list()[0].as_float() == 0.8);

    auto scheduler = all.build<audyn::adapter::SchedulerFactory>(
        config("_target_: torch.optim.lr_scheduler.OneCycleLR\nmax_lr: 1.0\ntotal_steps: null\n"))(*optimizer, 100);
    CHECK(optimizer->groups()[0].lr == doctest::Approx(1.0 / 25));
    CHECK(scheduler->state_dict().at("total_steps").as_int() == 100);
    CHECK_THROWS_WITH_AS(
        all.check<audyn::adapter::OptimizerFactory>(config("_target_: torch.optim.Adam\ncapturable: true\n")),
        doctest::Contains("capturable"), audyn::ConfigError);
}

TEST_CASE("every optimizer is built from Python's name, with Python's defaults, and steps") {
    audyn::Targets all;
    audyn::adapter::add_optimizers(all);
    audyn::optim::NamedParameters parameters;
    parameters.insert("weight", at::ones({2, 3}).requires_grad_());
    const std::map<std::string, std::pair<double, double>> rates_and_decays{
        {"SGD", {1e-3, 0}},     {"Adam", {1e-3, 0}},        {"AdamW", {1e-3, 0.01}}, {"Adagrad", {1e-2, 0}},
        {"RMSprop", {1e-2, 0}}, {"NAdam", {2e-3, 0}},       {"RAdam", {1e-3, 0}},    {"Adamax", {2e-3, 0}},
        {"Adadelta", {1.0, 0}}, {"ASGD", {1e-2, 0}},        {"Rprop", {1e-2, -1}},   {"Adafactor", {1e-2, 0}},
        {"Muon", {1e-3, 0.1}},  {"SparseAdam", {1e-3, -1}}, {"LBFGS", {1.0, -1}}};
    for (const auto& [name, defaults] : rates_and_decays) {
        CAPTURE(name);
        const audyn::Config node = config("_target_: torch.optim." + name + "\n");
        audyn::adapter::check_optimizer(all, node);
        const auto optimizer = audyn::adapter::build_optimizer(all, node, parameters);
        CHECK(optimizer->name() == name);
        CHECK(optimizer->groups()[0].lr == defaults.first);
        const audyn::StateDict group = optimizer->state_dict().at("param_groups").as_list()[0].as_dict();
        CHECK((group.contains("weight_decay") ? group.at("weight_decay").as_float() : -1) == defaults.second);
    }
}

TEST_CASE("optimizers' arguments reach their options") {
    audyn::Targets all;
    audyn::adapter::add_optimizers(all);
    audyn::optim::NamedParameters parameters;
    parameters.insert("weight", at::ones({2, 3}).requires_grad_());
    const auto group = [&](const std::string& text) {
        const auto optimizer = audyn::adapter::build_optimizer(all, config(text), parameters);
        return optimizer->state_dict().at("param_groups").as_list()[0].as_dict();
    };
    const auto adafactor = group("_target_: torch.optim.Adafactor\neps: [null, 0.5]\nd: 2\nbeta2_decay: -0.5\n");
    CHECK(adafactor.at("eps").as_list()[0].is_none());
    CHECK(adafactor.at("eps").as_list()[1].as_float() == 0.5);
    CHECK(adafactor.at("d").as_float() == 2.0);
    const auto muon =
        group("_target_: torch.optim.Muon\nns_coefficients: [3, -4, 2]\nadjust_lr_fn: original\nns_steps: 3\n");
    CHECK(muon.at("ns_coefficients").as_list()[1].as_float() == -4.0);
    CHECK(muon.at("adjust_lr_fn").as_string() == "original");
    CHECK(muon.at("ns_steps").as_int() == 3);
    const auto lbfgs = group("_target_: torch.optim.LBFGS\nmax_iter: 8\nline_search_fn: strong_wolfe\n");
    CHECK(lbfgs.at("max_eval").as_int() == 10);
    CHECK(lbfgs.at("line_search_fn").as_string() == "strong_wolfe");
    const auto adam = group("_target_: torch.optim.Adam\ndecoupled_weight_decay: true\nfused: true\n");
    CHECK(adam.at("decoupled_weight_decay").as_bool());
    const auto rprop = group("_target_: torch.optim.Rprop\netas: [0.25, 2]\nstep_sizes: [0.001, 4]\nmaximize: true\n");
    CHECK(rprop.at("step_sizes").as_list()[1].as_float() == 4.0);
    CHECK(rprop.at("etas").as_list()[0].as_float() == 0.25);
    CHECK(rprop.at("maximize").as_bool());
    CHECK_THROWS_WITH_AS((void)group("_target_: torch.optim.Adafactor\neps: [0.5]\n"),
                         doctest::Contains("eps must be [number or null, number]"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS((void)group("_target_: torch.optim.ASGD\nlr: -1\n"),
                         doctest::Contains("lr must be at least 0"), audyn::ConfigError);
}

namespace {

const char* const grouped = R"yaml(
_target_: torch.optim.AdamW
lr: 0.5
weight_decay: 0.25
param_groups:
  - {params: ["*.bias", "*norm*"], weight_decay: 0}
)yaml";

audyn::optim::NamedParameters named_parameters() {
    audyn::optim::NamedParameters parameters;
    for (const char* name : {"linear.weight", "linear.bias", "norm.weight"}) {
        parameters.insert(name, at::ones({2}).requires_grad_());
    }
    return parameters;
}

/// What check_optimizer() says, or build_optimizer().
std::string optimizer_error(const std::string& text) {
    audyn::Targets all;
    audyn::adapter::add_optimizers(all);
    all.add_function<audyn::adapter::OptimizerFactory>("OneGroup", audyn::constructor<>(), [] {
        return audyn::adapter::OptimizerFactory(
            [](const audyn::optim::NamedParameters& parameters) -> std::unique_ptr<audyn::optim::Optimizer> {
                return std::make_unique<audyn::optim::AdamW>(parameters);
            });
    });
    try {
        audyn::adapter::check_optimizer(all, config(text));
        (void)audyn::adapter::build_optimizer(all, config(text), named_parameters());
    } catch (const audyn::ConfigError& error) {
        return error.what();
    }
    return "";
}

} // namespace

TEST_CASE("no weight decay for biases and norms takes two lines") {
    audyn::Targets all;
    audyn::adapter::add_optimizers(all);
    audyn::adapter::check_optimizer(all, config(grouped));
    const auto optimizer = audyn::adapter::build_optimizer(all, config(grouped), named_parameters());
    REQUIRE(optimizer->groups().size() == 2);
    CHECK(optimizer->groups()[0].names == std::vector<std::string>{"linear.weight"});
    CHECK(optimizer->groups()[1].names == std::vector<std::string>{"linear.bias", "norm.weight"});
    CHECK(optimizer->groups()[1].lr == 0.5);
    const auto groups = optimizer->state_dict().at("param_groups").as_list();
    CHECK(groups[0].as_dict().at("weight_decay").as_float() == 0.25);
    CHECK(groups[1].as_dict().at("weight_decay").as_float() == 0.0);
}

TEST_CASE("mistakes in parameter groups are told with their place") {
    const std::string head = "_target_: torch.optim.SGD\nlr: 0.5\nparam_groups:\n";
    const auto check_message = [&](const std::string& text, const std::vector<std::string>& words) {
        const std::string message = optimizer_error(text);
        CAPTURE(message);
        for (const std::string& word : words) {
            CHECK(message.find(word) != std::string::npos);
        }
    };
    check_message(head + "  - {params: 'decoder.*'}\n", {"test.yaml", "'decoder.*' fits no parameter", "norm.weight"});
    check_message(head + "  - {params: '*.weight'}\n  - {params: 'norm*', lr: 1}\n",
                  {"two parameter groups match 'norm.weight'", "'*.weight'", "'norm*'"});
    check_message(head + "  - {params: 'norm*', beta: 1}\n", {"test.yaml:4", "beta", "torch.optim.SGD("});
    check_message(head + "  - {params: 'norm*', momentum: fast}\n", {"test.yaml:4", "momentum"});
    check_message(head + "  - {params: 'norm*', momentum: -1}\n  - {params: '*bias', lr: -1}\n",
                  {"test.yaml:4", "momentum must be at least 0", "test.yaml:5", "lr must be at least 0"});
    check_message(head + "  - {weight_decay: 0}\n", {"test.yaml:4", "must have `params`"});
    check_message("_target_: torch.optim.SGD\nparam_groups: {params: 'norm*', lr: 1}\n",
                  {"test.yaml:2", "must be a list of groups, as [{params: "});
    check_message(head + "  - {params: 'norm*', _target_: torch.optim.Adam}\n", {"cannot differ between groups"});
    check_message("_target_: OneGroup\nparam_groups:\n  - {params: 'norm*'}\n", {"takes no param_groups"});
    check_message("_target_: torch.optim.LBFGS\nparam_groups:\n  - {params: 'norm*'}\n", {"LBFGS takes one group"});
    check_message("_target_: torch.optim.Muon\n", {"Muon takes matrices, but 'linear.weight' has the shape [2]"});
    CHECK(optimizer_error(head + "  - {params: ['*']}\n").empty());
}

TEST_CASE("an optimizer that is named in another way is told how") {
    audyn::Targets all;
    audyn::adapter::add_optimizers(all);
    audyn::adapter::add_moving_average_targets(all);
    const auto refuses = [&](const std::string& text, const char* message) {
        CHECK_THROWS_WITH_AS(audyn::adapter::check_any_optimizer(all, config(text)["optimizer"]),
                             doctest::Contains(message), audyn::ConfigError);
    };
    refuses("optimizer: {_target_: AdamW}\n", "names an unknown target 'AdamW'; did you mean 'torch.optim.AdamW'?");
    refuses("optimizer: adamw\n", "A group is chosen by `optimizer=adamw` on the command line, or by `- optimizer: "
                                  "adamw` in the defaults list.");
    const std::string average = "optimizer:\n  _target_: "
                                "audyn.optim.optimizer.ExponentialMovingAverageWrapper.build_from_optim_class\n"
                                "  optimizer_class: {_target_: torch.optim.SGD}\n";
    refuses(average + "  param_groups: [{params: '*bias'}]\n", "belongs to `optimizer.optimizer_class`");
    refuses(average + "  smooth: 1.5\n", "smooth must lie in [0, 1), got 1.5");
}

TEST_CASE("an optimizer's moving average is built around it") {
    audyn::Targets all;
    audyn::adapter::add_optimizers(all);
    audyn::adapter::add_moving_average_targets(all);
    const at::Tensor weight = at::ones({2}).requires_grad_();
    audyn::optim::NamedParameters parameters;
    parameters.insert("weight", weight);
    const std::string target =
        "_target_: audyn.optim.optimizer.ExponentialMovingAverageWrapper.build_from_optim_class\n";
    const auto node = config(target + "optimizer_class: {_target_: torch.optim.SGD, _partial_: true, lr: 0.5}\n"
                                      "smooth: 0.75\n");
    CHECK_NOTHROW(audyn::adapter::check_any_optimizer(all, node));
    auto optimizer = audyn::adapter::build_any_optimizer(all, node, parameters);
    weight.mutable_grad() = at::ones({2});
    optimizer.step();
    CHECK(at::equal(weight, at::full({2}, 0.5)));
    REQUIRE(optimizer.moving_average() != nullptr);
    CHECK(at::equal(optimizer.moving_average()->average(0), at::full({2}, 0.875)));
    const auto plain = config("_target_: torch.optim.SGD\nlr: 0.5\n");
    CHECK(audyn::adapter::build_any_optimizer(all, plain, parameters).moving_average() == nullptr);
    CHECK_THROWS_WITH_AS(audyn::adapter::check_any_optimizer(all, config(target + "smooth: 0.5\n")),
                         doctest::Contains("optimizer_class"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(
        (void)audyn::adapter::build_any_optimizer(
            all, config(target + "optimizer_class: {_target_: torch.optim.SGD}\nsmooth: 1.5\n"), parameters),
        doctest::Contains("smooth must lie in [0, 1)"), audyn::ConfigError);
    parameters.insert("bias", at::ones({1}).requires_grad_());
    const auto grouped = [&](const std::string& patterns) {
        return config(target +
                      "optimizer_class:\n  _target_: torch.optim.SGD\n  _partial_: true\n  lr: 0.5\n"
                      "  weight_decay: 0.1\n  param_groups:\n  - {params: '" +
                      patterns + "', weight_decay: 0}\n");
    };
    CHECK_NOTHROW(audyn::adapter::check_any_optimizer(all, grouped("*bias")));
    auto in_groups = audyn::adapter::build_any_optimizer(all, grouped("*bias"), parameters);
    REQUIRE(in_groups.groups().size() == 2);
    CHECK(in_groups.groups()[1].params.front().is_same(parameters["bias"]));
    CHECK(in_groups.moving_average()->parameters().size() == 2);
    CHECK_THROWS_WITH_AS((void)audyn::adapter::build_any_optimizer(all, grouped("norm*"), parameters),
                         doctest::Contains("norm*"), audyn::ConfigError);
}
