#include <audyn/core/error.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/criterion/gaussian_nll.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <torch/nn/modules/loss.h>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::criterion;

namespace {

/// The batch of tests/oracle/loss.py.
at::Tensor input() {
    return at::tensor({0.5F, -1.25F, 2.0F, 1.0F, 0.0F, -0.5F, 0.25F, 0.75F, 3.0F, -2.0F, 1.5F, 0.125F})
        .view({4, 3})
        .requires_grad_();
}
at::Tensor classes() {
    return at::tensor({2, 0, 1, 1}, at::kLong);
}
at::Tensor probabilities() {
    return at::tensor({0.25F, 0.25F, 0.5F, 1.0F, 0.0F, 0.0F, 0.5F, 0.5F, 0.0F, 0.125F, 0.375F, 0.5F}).view({4, 3});
}

at::Tensor call(Criterion& criterion, const at::Tensor& input, const at::Tensor& target) {
    return criterion.forward(std::array{input, target});
}

/// The loss and its gradient for the first logit of the third row are as Python's.
void check(Criterion& criterion, const at::Tensor& target, double loss, double gradient) {
    const at::Tensor logits = input();
    const at::Tensor value = call(criterion, logits, target);
    CHECK(value.item<double>() == doctest::Approx(loss).epsilon(1e-6));
    value.backward();
    CHECK(logits.grad()[2][0].item<double>() == doctest::Approx(gradient).epsilon(1e-5));
}

/// Keeps the warnings of a scope.
class Warnings final : public c10::WarningHandler {
public:
    void process(const c10::Warning& warning) override { messages.push_back(warning.msg()); }
    std::vector<std::string> messages;

private:
    c10::WarningUtils::WarningHandlerGuard guard_{this};
};

} // namespace

TEST_CASE("CrossEntropyLoss is Python's") {
    using Options = CrossEntropyLossOptions;
    const at::Tensor weight = at::tensor({0.5F, 2.0F, 1.25F});
    CrossEntropyLoss plain;
    check(plain, classes(), 0.8381622433662415, 0.01366766169667244);
    check(plain, probabilities(), 1.4787873029708862, -0.11133234202861786);
    CrossEntropyLoss weighted(Options().weight(weight));
    check(weighted, classes(), 1.0146571397781372, 0.019015876576304436);
    CrossEntropyLoss ignoring(Options().ignore_index(1));
    check(ignoring, classes(), 0.34849539399147034, 0.0);
    CrossEntropyLoss smoothing(Options().weight(weight).label_smoothing(0.2));
    check(smoothing, classes(), 1.0969858169555664, 0.011792585253715515);
    CrossEntropyLoss sum(Options().reduction(Reduction::sum));
    check(sum, classes(), 3.352648973464966, 0.05467064678668976);
    CrossEntropyLoss none(Options().reduction(Reduction::none));
    const at::Tensor each = call(none, input(), classes());
    CHECK(each.sizes() == at::IntArrayRef{4});
    CHECK(each[2].item<double>() == doctest::Approx(2.406428337097168).epsilon(1e-6));
    CHECK_THROWS_AS(CrossEntropyLoss(Options().label_smoothing(1.5)), audyn::UsageError);
}

TEST_CASE("CrossEntropyLoss's weight is a buffer") {
    CHECK(CrossEntropyLoss().module() == nullptr);
    CrossEntropyLoss weighted(CrossEntropyLossOptions().weight(at::ones({3})));
    REQUIRE(weighted.module() != nullptr);
    CHECK(weighted.module()->named_buffers().contains("weight"));
    weighted.module()->to(at::kDouble);
    const at::Tensor loss = call(weighted, input().to(at::kDouble), classes());
    CHECK((loss.scalar_type() == at::kDouble));
}

TEST_CASE("MSELoss and L1Loss are Python's") {
    MSELoss mse;
    check(mse, probabilities(), 1.6549478769302368, -0.0416666679084301);
    MSELoss mse_sum(Reduction::sum);
    check(mse_sum, probabilities(), 19.859375, -0.5);
    L1Loss l1;
    check(l1, probabilities(), 0.90625, -0.0833333358168602);
    L1Loss l1_sum(Reduction::sum);
    check(l1_sum, probabilities(), 10.875, -1.0);
    MSELoss none(Reduction::none);
    CHECK(call(none, input(), probabilities()).sizes() == at::IntArrayRef{4, 3});
}

TEST_CASE("arguments have Python's names, and are counted") {
    MSELoss loss;
    CHECK(loss.arguments()[0] == "input");
    CHECK(loss.arguments()[1] == "target");
    CHECK_THROWS_AS((void)loss.forward(std::array{input()}), audyn::UsageError);
}

TEST_CASE("shapes that broadcast are warned of once, with both shapes") {
    Warnings warnings;
    MSELoss loss;
    (void)call(loss, at::ones({4, 1}), at::ones({4, 1}));
    CHECK(warnings.messages.empty());
    (void)call(loss, at::ones({4, 1}), at::ones({4}));
    (void)call(loss, at::ones({4, 1}), at::ones({4}));
    REQUIRE(warnings.messages.size() == 1);
    CHECK(warnings.messages[0].find("MSELoss: the target's shape [4] differs from the input's, [4, 1]") !=
          std::string::npos);
}

TEST_CASE("libtorch's own elementwise losses warn once, too, and keep their values") {
    const at::Tensor input = at::tensor({0.5F, -1.0F, 2.0F}).view({3, 1});
    const at::Tensor target = at::tensor({0.25F, 0.75F, 0.5F});
    const auto check = [&](const std::shared_ptr<Criterion>& loss, const std::string& name, double expected) {
        CAPTURE(name);
        Warnings warnings;
        const double value = call(*loss, input, target).item<double>();
        CHECK(call(*loss, input, target).item<double>() == value);
        CHECK(value == doctest::Approx(expected).epsilon(1e-6));
        REQUIRE(warnings.messages.size() == 1);
        CHECK(warnings.messages[0].find(name + ": the target's shape [3] differs from the input's, [3, 1]") == 0);
    };
    const at::Tensor difference = input - target;
    check(make(torch::nn::MSELoss()), "MSELoss", difference.square().mean().item<double>());
    check(make(torch::nn::L1Loss()), "L1Loss", difference.abs().mean().item<double>());
    check(make(torch::nn::SmoothL1Loss()), "SmoothL1Loss",
          at::where(difference.abs() < 1, 0.5 * difference.square(), difference.abs() - 0.5).mean().item<double>());
    check(make(torch::nn::HuberLoss(torch::nn::HuberLossOptions().delta(2.0))), "HuberLoss",
          (0.5 * difference.square()).mean().item<double>());
    const auto divergence = torch::nn::KLDivLossOptions().reduction(torch::kBatchMean);
    check(make(torch::nn::KLDivLoss(divergence)), "KLDivLoss",
          (target * (target.log() - input)).sum().item<double>() / 3);
    check(make(torch::nn::SoftMarginLoss()), "SoftMarginLoss", (-target * input).exp().log1p().mean().item<double>());

    Warnings warnings;
    GaussianNLLLoss gaussian;
    for (int i = 0; i < 2; ++i) {
        (void)gaussian.forward(std::array{input, target, at::ones({3, 1})});
    }
    REQUIRE(warnings.messages.size() == 1);
    CHECK(warnings.messages[0].find("GaussianNLLLoss: the target's shape [3]") == 0);
}

TEST_CASE("KLDivLoss warns once of the reduction that is no divergence") {
    Warnings warnings;
    for (const auto& [options, count] : {std::pair{torch::nn::KLDivLossOptions().reduction(torch::kBatchMean), 0U},
                                         std::pair{torch::nn::KLDivLossOptions().reduction(torch::kSum), 0U},
                                         std::pair{torch::nn::KLDivLossOptions().log_target(true), 1U}}) {
        const auto loss = make(torch::nn::KLDivLoss(options));
        for (int i = 0; i < 3; ++i) {
            (void)call(*loss, input(), probabilities());
        }
        CHECK(warnings.messages.size() == count);
    }
    REQUIRE(warnings.messages.size() == 1);
    CHECK(warnings.messages[0].find("'batchmean'") != std::string::npos);
}

TEST_CASE("labels out of range are named") {
    const auto refuses = [](Criterion& loss, const at::Tensor& logits, const at::Tensor& labels, const char* words) {
        CHECK_THROWS_WITH_AS((void)call(loss, logits, labels), doctest::Contains(words), audyn::DataError);
    };
    const auto wrong = at::tensor({0, 2, 3, -1}, at::kLong);
    for (const auto& weight : {at::Tensor(), at::ones({3})}) {
        for (const double label_smoothing : {0.0, 0.1}) {
            CrossEntropyLoss loss(
                CrossEntropyLossOptions().weight(weight).label_smoothing(label_smoothing).ignore_index(-1));
            refuses(
                loss, input(), wrong,
                "CrossEntropyLoss: the label 3 (at [2] of the target) is out of range: there are 3 classes, 0 to 2, "
                "and -1 for what does not count; 1 of 4 labels are wrong");
            CHECK(call(loss, input(), at::tensor({0, 2, -1, -1}, at::kLong)).isfinite().item<bool>());
        }
    }
    CrossEntropyLoss plain;
    refuses(plain, input(), wrong, "the label 3 (at [2] of the target)");
    refuses(plain, input(), at::tensor({0, -1, 2, -100}, at::kLong), "the label -1 (at [1] of the target)");
    refuses(plain, at::ones({2, 3, 4}), at::full({2, 4}, 5, at::kLong), "the label 5 (at [0, 0] of the target)");
    refuses(plain, at::ones({3}), at::full({}, 3, at::kLong), "CrossEntropyLoss: the label 3 is out of range");
    refuses(plain, at::ones({4, 3}), at::tensor({0, 1, 2, 200}, at::kByte), "the label 200 (at [3] of the target)");

    const auto nll = make(torch::nn::NLLLoss());
    refuses(*nll, input().log_softmax(1), wrong, "NLLLoss: the label 3 (at [2] of the target)");
    const auto entropy = make(torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().ignore_index(3)));
    refuses(*entropy, input(), wrong, "CrossEntropyLoss: the label -1 (at [3] of the target)");
    CHECK_NOTHROW((void)call(*entropy, input(), at::tensor({0, 2, 3, 3}, at::kLong)));
    // Another mistake keeps its own message.
    CHECK_THROWS_WITH((void)call(plain, input(), at::tensor({0, 1}, at::kLong)), doctest::Contains("batch_size"));
}
