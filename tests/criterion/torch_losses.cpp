#include "../temporary_folder.hpp"
#include "built_loss.hpp"

#include <audyn/core/error.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using built_loss::build;
using built_loss::LossPointer;

at::Tensor tensor_of(const nlohmann::json& item, const nlohmann::json& values) {
    const auto shape = item["shape"].get<std::vector<int64_t>>();
    if (item["is_integer"].get<bool>()) {
        return at::tensor(values.get<std::vector<int64_t>>(), at::kLong).view(shape);
    }
    return at::tensor(values.get<std::vector<float>>(), at::kFloat).view(shape);
}

/// The largest difference, relative to the largest expected value.
double difference(const at::Tensor& value, const at::Tensor& expected) {
    return (value - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

} // namespace

// tests/oracle/criterion.py
TEST_CASE("the losses of torch.nn have Python's values and gradients") {
    const auto cases = nlohmann::json::parse(read_file(AUDYN_TEST_DATA_DIR "/criterion/data/criteria.json"));
    CHECK(cases.size() == 33);
    for (const auto& one : cases) {
        nlohmann::json node = one["options"];
        node["_target_"] = "torch.nn." + one["name"].get<std::string>();
        CAPTURE(node.dump());
        const LossPointer loss = build(node.dump());
        std::vector<at::Tensor> arguments;
        for (const std::string& name : loss->arguments()) {
            const auto& item = one["inputs"].at(name);
            arguments.push_back(tensor_of(item, item["values"]));
            arguments.back().requires_grad_(!item["gradient"].is_null());
        }
        REQUIRE(arguments.size() == one["inputs"].size());
        const at::Tensor value = loss->forward(arguments);
        CHECK(value.item<double>() == doctest::Approx(one["loss"].get<double>()).epsilon(1e-6));
        value.backward();
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const auto& item = one["inputs"].at(std::string(loss->arguments()[i]));
            CAPTURE(loss->arguments()[i]);
            REQUIRE(arguments[i].grad().defined() == !item["gradient"].is_null());
            if (arguments[i].grad().defined()) {
                CHECK(difference(arguments[i].grad(), tensor_of(item, item["gradient"])) <= 1e-6);
            }
        }
    }
}

TEST_CASE("the distance of triplets may be a target of the program") {
    using Distance = std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>;
    audyn::Targets targets;
    audyn::adapter::add_criterion_targets(targets);
    targets.add_function<Distance>("Absolute", audyn::constructor<>(), []() -> Distance {
        return [](const at::Tensor& one, const at::Tensor& other) { return (one - other).abs().sum(1); };
    });
    const auto loss = targets.build<LossPointer>(audyn::config::config_from_yaml(
        "{_target_: torch.nn.TripletMarginWithDistanceLoss, margin: 0.5, distance_function: {_target_: Absolute}}",
        "test.yaml"));
    const at::Tensor anchor = at::zeros({1, 3});
    CHECK(loss->forward(std::vector{anchor, anchor + 2, anchor + 1}).item<double>() == 3.5);
}

TEST_CASE("what a loss cannot take is told with its place") {
    for (const char* const name : {"TripletMarginLoss", "TripletMarginWithDistanceLoss"}) {
        CHECK_THROWS_WITH_AS(build(std::string("{_target_: torch.nn.") + name + ", margin: 0}"),
                             doctest::Contains("margin must be above 0"), audyn::ConfigError);
    }
    for (const char* const name : {"MSELoss", "CrossEntropyLoss", "HuberLoss"}) {
        CHECK_NOTHROW((void)build(std::string("{_target_: torch.nn.") + name + ", size_average: null, reduce: null}"));
    }
    CHECK_THROWS_WITH_AS(build("{_target_: torch.nn.HuberLoss, reduction: none}"), doctest::Contains("'mean' or 'sum'"),
                         audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: torch.nn.KLDivLoss, reduction: batch}"), doctest::Contains("'batchmean'"),
                         audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: torch.nn.SmoothL1Loss, size_average: true}"),
                         doctest::Contains("'size_average' has no meaning here"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: torch.nn.GaussianNLLLoss, eps: 0}"),
                         doctest::Contains("eps must be above 0"), audyn::ConfigError);
    const LossPointer gaussian = build("{_target_: torch.nn.GaussianNLLLoss}");
    CHECK_THROWS_WITH_AS(gaussian->forward(std::vector{at::ones({2, 3}), at::ones({2, 3}), at::ones({3, 2})}),
                         doctest::Contains("does not fit"), audyn::UsageError);
}
