#include "yaml_config.hpp"

#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/core/error.hpp>

#include <doctest/doctest.h>

#include <functional>
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
    CHECK(told("  length: 4\n") == "test.yaml:2:3: 'window' needs the key `_target_`, which says what to build: Hann\n"
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
    const auto refuses = [&](const std::string& arguments, const char* message) {
        CHECK_THROWS_WITH_AS((void)build(arguments), doctest::Contains(message), audyn::ConfigError);
    };
    refuses("mode: norm\nmax_norm: 1\nclip_value: 1\n", "mode 'norm' takes no clip_value; leave it out");
    refuses("mode: value\nclip_value: 1\nmax_norm: 1\n", "mode 'value' takes no max_norm");
    refuses("mode: value\nclip_value: 1\nnorm_type: 1\n", "mode 'value' takes no norm_type");
    refuses("mode: value\nclip_value: 1\nerror_if_nonfinite: true\n", "takes no error_if_nonfinite");
    refuses("mode: group_norm\nmax_norm: 1\nclip_factor: 0.1\n", "takes no clip_factor");
    refuses("mode: norm\nmax_norm: 1\neps: 0.1\n", "takes no eps");
    refuses("mode: adaptive\nmax_norm: 1\n", "mode 'adaptive' takes no max_norm");
}
