#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/optimizer_factory.hpp>
#include <audyn/adapter/optimizers.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/builtin.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Window {
    virtual ~Window() = default;
    [[nodiscard]] virtual std::string describe() const = 0;
};
struct Hann : Window {
    explicit Hann(int64_t length) : length_(length) {}
    [[nodiscard]] std::string describe() const override { return "hann " + std::to_string(length_); }
    int64_t length_;
};
struct Front {
    std::shared_ptr<Window> window;
    double power;
    std::optional<std::string> name;
    at::ScalarType dtype;
};

audyn::Targets targets() {
    audyn::Targets all;
    all.add_shared<Hann, Window>("Hann", audyn::constructor<int64_t>(audyn::arg("length")));
    all.add<Front>("Front",
                   audyn::constructor<std::shared_ptr<Window>, double, std::optional<std::string>, at::ScalarType>(
                       audyn::arg("window"), audyn::arg("power") = 2.0,
                       audyn::arg("name") = std::optional<std::string>(), audyn::arg("dtype") = at::kFloat));
    return all;
}

audyn::Config config(const std::string& text) {
    audyn::config::Resolvers resolvers;
    audyn::adapter::add_dtypes(resolvers);
    return audyn::config::config_from_yaml(text, "test.yaml", resolvers);
}

void check_error(const std::string& text, const std::vector<std::string>& words) {
    std::string message;
    try {
        targets().check<Front>(config(text));
    } catch (const audyn::ConfigError& error) {
        message = error.what();
    }
    for (const std::string& word : words) {
        CAPTURE(message);
        CHECK(message.find(word) != std::string::npos);
    }
}

} // namespace

TEST_CASE("a target is built with its arguments, nested targets included") {
    const auto front = targets().build<Front>(
        config("_target_: Front\nwindow: {_target_: Hann, length: 400}\ndtype: ${const:torch.bfloat16}\nname: null"));
    CHECK(front.window->describe() == "hann 400");
    CHECK(front.power == 2.0);
    CHECK_FALSE(front.name);
    CHECK((front.dtype == at::kBFloat16));
}

TEST_CASE("mistakes in targets and arguments are named with their place") {
    check_error("_target_: Fron\n", {"Fron", "Front", "test.yaml:1"});
    check_error("_target_: Hann\nlength: 3\n", {"builds something else", "Front"});
    check_error("_target_: Front\nwindow: {_target_: Hann, length: 4}\npowr: 1\n", {"powr", "power", "test.yaml:3"});
    check_error("_target_: Front\n", {"'window'", "missing"});
    check_error("_target_: Front\nwindow: {_target_: Hann, length: long}\n", {"window.length", "test.yaml:2"});
    check_error("_target_: Front\nwindow: {_target_: Hann, length: '?\?\?'}\n", {"window.length"});
    check_error("_target_: Front\nwindow: {_target_: Hann}\n", {"'length'", "missing"});
    check_error("_target_: Front\n_partial_: true\nwindow: {_target_: Hann, length: 4}\n", {"_partial_"});
    check_error("window: 3\n", {"_target_"});
}

TEST_CASE("arguments may be given by position") {
    const auto front =
        targets().build<Front>(config("_target_: Front\n_args_: [{_target_: Hann, _args_: [400]}, 1.5]\nname: x"));
    CHECK(front.window->describe() == "hann 400");
    CHECK(front.power == 1.5);
    CHECK(front.name == "x");
    const std::string window = "{_target_: Hann, length: 4}";
    check_error("_target_: Front\n_args_: [" + window + ", 1.5]\npower: 1\n",
                {"test.yaml:3", "'power' is given twice", "item 1 of `_args_`"});
    check_error("_target_: Front\n_args_: [" + window + ", 1, x, y, z]\n",
                {"test.yaml:2", "has 5 items for 4 arguments", "Front(window: _target_, power: float = 2.0"});
    check_error("_target_: Front\n_args_: {window: 3}\n", {"must be a list of arguments"});
}

TEST_CASE("Hydra's other instructions are read, or refused where they mean nothing") {
    const std::string window = "window: {_target_: Hann, length: 4}\n";
    CHECK_NOTHROW(targets().check<Front>(
        config("_target_: Front\n_recursive_: true\n_partial_: false\n_convert_: all\n" + window)));
    check_error("_target_: Front\n_recursive_: false\n" + window, {"'window'", "_recursive_"});
    check_error("_target_: Front\n_convert_: al\n" + window, {"test.yaml:2", "'al'", "'all'"});
    check_error("_target_: Front\n_partial_: true\n" + window, {"'_partial_'", "built whole"});
    check_error("_target_: Front\n_partial_: maybe\n" + window, {"'_partial_'", "maybe"});
}

TEST_CASE("an argument may be a function that builds, and the function's declaration a signature") {
    audyn::Targets all = targets();
    using MakeWindow = std::function<std::shared_ptr<Window>()>;
    all.add_function(
        "Bank",
        [](const MakeWindow& make, int64_t count) { return std::vector<std::string>(count, make()->describe()); },
        audyn::arg("window"), audyn::arg("count") = 2);
    using Bank = std::vector<std::string>;
    CHECK(all.build<Bank>(config("_target_: Bank\nwindow: {_target_: Hann, length: 8, _partial_: true}\n")) ==
          Bank{"hann 8", "hann 8"});
    CHECK_THROWS_WITH_AS(all.check<Bank>(config("_target_: Bank\nwindow: {_target_: Hann, length: 8}\n")),
                         doctest::Contains("_partial_: true"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(all.check<Bank>(config("_target_: Bank\nwindow: {_target_: Hann, _partial_: true}\n")),
                         doctest::Contains("'length'"), audyn::ConfigError);
    CHECK(all.help().find("Bank(window: _target_ with _partial_: true, count: int = 2)") != std::string::npos);
}

TEST_CASE("all mistakes of a target are told at once") {
    check_error("_target_: Front\nwindow: {_target_: Hann, length: long}\npower: much\ndtype: float99\nx: 1\n",
                {"'window.length' must be an integer", "'power' must be a number", "float99", "'x'"});
}

TEST_CASE("mistakes in a target are told with the line, a caret and the signature") {
    audyn::Targets all;
    all.add<Front>("Front",
                   audyn::constructor<std::shared_ptr<Window>, double, std::optional<std::string>, at::ScalarType>(
                       audyn::arg("window"), audyn::arg("power") = 2.0,
                       audyn::arg("name") = std::optional<std::string>(), audyn::arg("dtype") = at::kFloat));
    all.add_shared<Hann, Window>("Hann", audyn::constructor<int64_t>(audyn::arg("length")));
    const auto told = [&](const std::string& text) {
        try {
            all.check<std::shared_ptr<Window>>(config("window:\n" + text)["window"]);
        } catch (const audyn::ConfigError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(told("  _target_: Han\n  length: 4\n") ==
          "test.yaml:2:13: 'window._target_' names an unknown target 'Han'; did you mean 'Hann'?\n"
          "      _target_: Han\n"
          "                ^");
    CHECK(told("  _target_: Hann\n  length: 4\n  lenght: 4\n") ==
          "test.yaml:4:3: 'window.lenght' is an argument that the target does not take; did you mean 'length'?\n"
          "      lenght: 4\n"
          "      ^\n"
          "The target is Hann(length: int).");
    CHECK(told("  _target_: Hann\n  length: four\n") ==
          "test.yaml:3:11: 'window.length' must be an integer, not a string ('four')\n"
          "      length: four\n"
          "              ^\n"
          "The target is Hann(length: int).");
    CHECK(told("  _target_: Hann\n") == "test.yaml:2:3: 'window' is missing the argument 'length' (int)\n"
                                        "      _target_: Hann\n"
                                        "      ^\n"
                                        "The target is Hann(length: int).");
    CHECK(told("  _target_: Hann\n  _args_: [1, 2]\n") ==
          "test.yaml:3:11: 'window._args_' has 2 items for 1 arguments\n"
          "      _args_: [1, 2]\n"
          "              ^\n"
          "The target is Hann(length: int).");
    CHECK(
        told("  _target_: Front\n") ==
        "test.yaml:2:13: 'window._target_' names 'Front', which builds something else than is needed here; what fits: "
        "Hann\n"
        "      _target_: Front\n"
        "                ^");
    CHECK(told("  length: 4\n") == "test.yaml:2:3: 'window' needs the key `_target_`, which says what to build\n"
                                   "      length: 4\n"
                                   "      ^");
}

TEST_CASE("a constructor's own complaint is told with its place") {
    audyn::Targets all;
    audyn::adapter::add_trainer_targets(all);
    const auto build = [&](const std::string& arguments) {
        return all.build<audyn::optim::GradClipper>(config("_target_: audyn.utils.GradClipper\n" + arguments))
            .options();
    };
    CHECK_THROWS_WITH_AS((void)build("mode: norm\n"), doctest::Contains("needs max_norm"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS((void)build("mode: nrom\nmax_norm: 1\n"), doctest::Contains("'nrom'"), audyn::ConfigError);
    CHECK(build("mode: group_norm\nmax_norm: [1, 2]\nerror_if_nonfinite: true\n").max_norm() ==
          std::vector<double>{1.0, 2.0});
    CHECK(build("mode: adaptive\nclip_factor: 0.02\n").clip_factor() == 0.02);
    CHECK(build("mode: value\nclip_value: 3\n").clip_value() == 3.0);
}

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
    check_message(head + "  - {params: 'norm*', momentum: -1}\n", {"momentum must be at least 0"});
    check_message(head + "  - {weight_decay: 0}\n", {"test.yaml:4", "must have `params`"});
    check_message(head + "  - {params: 'norm*', _target_: torch.optim.Adam}\n", {"cannot differ between groups"});
    check_message("_target_: OneGroup\nparam_groups:\n  - {params: 'norm*'}\n", {"takes no param_groups"});
    check_message("_target_: torch.optim.LBFGS\nparam_groups:\n  - {params: 'norm*'}\n", {"LBFGS takes one group"});
    check_message("_target_: torch.optim.Muon\n", {"Muon takes matrices, but 'linear.weight' has the shape [2]"});
    CHECK(optimizer_error(head + "  - {params: ['*']}\n").empty());
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

TEST_CASE("what the user sets of epochs and iterations displaces the built-in default of the other") {
    const auto steps = [](const std::vector<std::string>& overrides) {
        const auto composed = audyn::config::compose(audyn::config::builtin_search_path(), "config", overrides, {});
        audyn::TrainerOptions options;
        audyn::adapter::set_steps(composed["train"]["steps"], options);
        return options;
    };
    CHECK(steps({}).max_iterations() == 100000);
    const auto epochs = steps({"train.steps.epochs=3"});
    CHECK(epochs.max_epochs() == 3);
    CHECK_FALSE(epochs.max_iterations());
    CHECK(steps({"train.steps.iterations=7"}).max_iterations() == 7);
    CHECK(steps({"train.steps.epochs=3", "train.steps.iterations=null"}).max_epochs() == 3);
    CHECK_THROWS_WITH_AS(steps({"train.steps.epochs=3", "train.steps.iterations=7"}), doctest::Contains("both set"),
                         audyn::ConfigError);
    CHECK_THROWS_WITH_AS(steps({"train.steps.lr_scheduler=epochs"}), doctest::Contains("'epoch'"), audyn::ConfigError);
}

TEST_CASE("mixed precision follows the device unless a dtype is named") {
    const auto dtype = [](const std::string& amp) {
        return audyn::adapter::amp_dtype(config("system: {accelerator: cpu, amp: " + amp + "}"));
    };
    CHECK_FALSE(dtype("{enable: null, dtype: null}"));
    CHECK((dtype("{enable: true, dtype: null}") == at::kBFloat16));
    CHECK((dtype("{enable: true, dtype: '${const:torch.float16}'}") == at::kHalf));
    CHECK_THROWS_AS((void)dtype("{enable: true, dtype: '${const:torch.int64}'}"), audyn::ConfigError);
}

TEST_CASE("system settings that do not exist here say what to choose instead") {
    const auto check = [](const std::string& text, const char* words) {
        CHECK_THROWS_WITH_AS(audyn::setup_config(config("system: " + text)), doctest::Contains(words),
                             audyn::ConfigError);
    };
    check("{accelerator: cuda}", "choose system=cpu");
    check("{accelerator: mps}", "choose system=cpu");
    check("{accelerator: tpu}", "tpu");
    check("{compile: {enable: true}}", "torch.compile");
    check("{num_threads: 0}", "at least one thread");
    check("{distributed: {enable: true}}", "several processes");
}

TEST_CASE("criteria are read in Audyn's form and alone") {
    audyn::Targets all;
    audyn::adapter::add_criterion_targets(all);
    const auto criteria = audyn::adapter::build_criteria(
        config("criterion:\n  _target_: audyn.criterion.MultiCriteria\n"
               "  mse:\n    criterion: {_target_: torch.nn.MSELoss}\n    weight: 0.5\n"
               "    key_mapping: {estimated: {input: x}, target: {target: y}}\n"
               "  _hidden: {a: 1}\n  ce:\n    criterion: {_target_: torch.nn.CrossEntropyLoss}\n"),
        all);
    REQUIRE(criteria.size() == 2);
    CHECK(criteria[0].name == "ce");
    CHECK(criteria[1].weight == 0.5);
    CHECK(criteria[1].estimated[0].second == "x");
    const auto alone = audyn::adapter::build_criteria(config("criterion: {_target_: torch.nn.L1Loss}"), all);
    CHECK(alone[0].name == "loss");
    CHECK_THROWS_AS((void)audyn::adapter::build_criteria(config("criterion: {mse: {weight: 1}}"), all),
                    audyn::ConfigError);
}

TEST_CASE("a configuration becomes a state dictionary with its types") {
    const auto state = audyn::adapter::resolved_config(
        config("a: 1\nb: {c: [1.5, true, null, x]}\nd: ${b.c}\ne: ${const:torch.float16}\n"));
    CHECK(state.at("a").as_int() == 1);
    CHECK(state.at("d").as_list()[0].as_float() == 1.5);
    CHECK(state.at("d").as_list()[2].is_none());
    CHECK(state.at("e").as_string() == "torch.float16");
}
