#include <audyn/core/error.hpp>
#include <audyn/core/names.hpp>
#include <audyn/criterion/adversarial.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/loss.h>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace audyn::criterion;

namespace {

std::shared_ptr<Criterion> difference() {
    return make([](const at::Tensor& input, const at::Tensor& target) { return (input - target).sum(); });
}

} // namespace

TEST_CASE("a function is a criterion") {
    const auto criterion = difference();
    CHECK(criterion->arguments()[1] == "target");
    CHECK(criterion->module() == nullptr);
    CHECK(criterion->forward(std::array{at::full({2}, 3.0), at::ones({2})}).item<float>() == 4.0F);
    CHECK_THROWS_AS((void)criterion->forward(std::array{at::ones({2})}), audyn::UsageError);

    const auto three = make([](const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) { return a + b + c; },
                            audyn::names("a", "b", "c"));
    CHECK(three->arguments().size() == 3);
    CHECK(three->forward(std::array{at::ones({}), at::ones({}), at::ones({})}).item<float>() == 3.0F);
}

TEST_CASE("libtorch's losses are criteria, with their modules") {
    const auto weighted =
        make(torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().weight(at::tensor({0.5F, 2.0F, 1.25F}))));
    CrossEntropyLoss ours(CrossEntropyLossOptions().weight(at::tensor({0.5F, 2.0F, 1.25F})));
    const std::array arguments{at::tensor({1.0F, 2.0F, 3.0F}).view({1, 3}), at::tensor({1}, at::kLong)};
    CHECK(at::equal(weighted->forward(arguments), ours.forward(arguments)));
    REQUIRE(weighted->module() != nullptr);
    CHECK(weighted->module()->named_buffers().contains("weight"));

    const auto triplet = make(torch::nn::TripletMarginLoss(), audyn::names("anchor", "positive", "negative"));
    CHECK(triplet->arguments()[2] == "negative");
    CHECK(triplet->forward(std::array{at::zeros({1, 2}), at::zeros({1, 2}), at::full({1, 2}, 9.0)}).item<float>() ==
          0.0F);
}

TEST_CASE("criteria are sorted, and names with an underscore at an end are passed over") {
    Criteria criteria;
    for (const char* name : {"waveform", "_disabled", "b", "also_disabled_", "adversarial", "_"}) {
        criteria.add({name, difference()});
    }
    std::vector<std::string> names;
    for (const WeightedCriterion& criterion : criteria) {
        names.push_back(criterion.name);
    }
    CHECK(names == std::vector<std::string>{"adversarial", "b", "waveform"});
    CHECK(criteria[2].weight == 1.0);
}

TEST_CASE("the total is the weighted sum") {
    const std::array losses{at::full({}, 2.0), at::full({}, 3.0), at::full({}, 5.0)};
    const Criteria three{{"a", difference(), 0.5}, {"b", difference()}, {"c", difference(), -2.0}};
    CHECK(three.weighted_sum(losses).item<float>() == -6.0F);
    const Criteria one{{"a", difference()}};
    CHECK(one.weighted_sum(std::span(losses).first(1)).is_same(losses[0]));
    const Criteria half{{"a", difference(), 0.5}};
    CHECK(half.weighted_sum(std::span(losses).first(1)).item<float>() == 1.0F);
    CHECK(losses[0].item<float>() == 2.0F);
}

TEST_CASE("an argument that takes a list may be mapped several times") {
    Criteria criteria;
    criteria.add({"least_squares",
                  std::make_shared<LeastSquaresLoss>(1.0),
                  1.0,
                  {{"input", "scores_0"}, {"input", "scores_1"}},
                  {}});
    CHECK(criteria[0].estimated.size() == 2);
    CHECK(criteria[0].criterion->forward(std::array{at::zeros({4}), at::full({2}, 3.0)}).item<float>() == 5.0F);
}

TEST_CASE("wrong entries are refused") {
    Criteria criteria{{"a", difference()}};
    CHECK_THROWS_AS(criteria.add({"a", difference()}), audyn::UsageError);
    CHECK_THROWS_AS(criteria.add({"b", nullptr}), audyn::UsageError);
    CHECK_THROWS_WITH_AS(criteria.add({"b", difference(), 1.0, {{"logits", "output"}}, {}}),
                         "criterion 'b' has no argument 'logits'; it has: input, target", audyn::UsageError);
    CHECK_THROWS_WITH_AS(criteria.add({"b", difference(), 1.0, {{"input", "output"}}, {{"input", "label"}}}),
                         "criterion 'b': the argument 'input' is mapped twice", audyn::UsageError);
}
