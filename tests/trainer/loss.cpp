#include <audyn/core/error.hpp>
#include <audyn/criterion/adversarial.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/criterion/losses.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/trainer/gan_step.hpp>
#include <audyn/trainer/loss.hpp>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::criterion;
using audyn::trainer::Loss;
using audyn::trainer::MetricSums;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Scores and features of two discriminators, for generated samples.
audyn::Outputs outputs() {
    const auto names = std::make_shared<const std::vector<std::string>>(
        std::vector<std::string>{"scores_0", "features_0", "scores_1", "features_1"});
    return {names, {at::full({4}, 3.0), at::full({4, 2}, 1.0), at::full({2}, -1.0), at::full({2, 2}, 5.0)}};
}

/// The features for true samples.
audyn::Batch batch() {
    return {{"true_0", at::full({4, 2}, 2.0)}, {"true_1", at::full({2, 2}, 2.0)}};
}

double evaluate(const std::shared_ptr<Criterion>& criterion, const Pairs& estimated, const Pairs& target) {
    Loss loss(Criteria{{"loss", criterion, 1.0, estimated, target}});
    MetricSums sums(loss.metric_names());
    return loss(outputs(), batch(), sums, [](std::size_t) { return false; }).item().toDouble();
}

} // namespace

TEST_CASE("a criterion of lists takes several outputs, in the order of its mapping") {
    const auto least_squares = std::make_shared<LeastSquaresLoss>(1.0);
    CHECK(evaluate(least_squares, {{"input", "scores_0"}}, {}) == 4.0);
    CHECK(evaluate(least_squares, {{"input", "scores_1"}, {"input", "scores_0"}}, {}) == 8.0);

    const auto matching = std::make_shared<FeatureMatchingLoss>();
    const Pairs features{{"input", "features_0"}, {"input", "features_1"}};
    CHECK(evaluate(matching, features, {{"target", "true_0"}, {"target", "true_1"}}) == 4.0);
    // Shapes tell that the second list is in another order than the first.
    CHECK_THROWS_WITH_AS(evaluate(matching, features, {{"target", "true_1"}, {"target", "true_0"}}),
                         doctest::Contains("[2, 2] differs from the input's, [4, 2]"), audyn::UsageError);
}

TEST_CASE("an output of several tensors is a criterion's list") {
    const auto names = std::make_shared<const std::vector<std::string>>(
        std::vector<std::string>{"features", "features", "scores", "true", "true"});
    const audyn::Outputs listed{names,
                                {at::full({4, 2}, 1.0), at::full({2, 2}, 5.0), at::full({4}, 3.0),
                                 at::full({4, 2}, 2.0), at::full({2, 2}, 2.0)}};
    const auto evaluate_listed = [&](const std::shared_ptr<Criterion>& criterion, const Pairs& estimated) {
        Loss loss(Criteria{{"loss", criterion, 1.0, estimated, {}}});
        MetricSums sums(loss.metric_names());
        for (int i = 0; i < 2; ++i) { // looked up once, then found again
            (void)loss(listed, {}, sums, [](std::size_t) { return false; });
        }
        return sums.means().back().value;
    };
    const auto matching = std::make_shared<FeatureMatchingLoss>();
    CHECK(evaluate_listed(matching, {{"input", "features"}, {"target", "true"}}) == 4.0);
    CHECK(evaluate_listed(std::make_shared<LeastSquaresLoss>(1.0), {{"input", "scores"}, {"input", "true"}}) == 6.0);
    CHECK(evaluate_listed(std::make_shared<LeastSquaresLoss>(1.0), {}) == 16.0);
    CHECK_THROWS_WITH_AS(evaluate_listed(matching, {{"input", "features"}, {"target", "scores"}}),
                         doctest::Contains("its argument 'target' is a list of 1 tensors, those before it have 2"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(
        evaluate_listed(std::make_shared<MSELoss>(), {{"input", "features"}, {"target", "scores"}}),
        doctest::Contains("its argument 'input' is one tensor, but the output 'features' is a list of 2"),
        audyn::UsageError);
}

TEST_CASE("a criterion that fails is named") {
    const auto names = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"logits"});
    const audyn::Outputs logits{names, {at::zeros({2, 3})}};
    const auto evaluate_labels = [&](const std::shared_ptr<Criterion>& criterion, const at::Tensor& labels) {
        Loss loss(Criteria{{"class", criterion, 1.0, {{"input", "logits"}}, {{"target", "label"}}}});
        MetricSums sums(loss.metric_names());
        (void)loss(logits, {{"label", labels}}, sums, [](std::size_t) { return false; });
    };
    const auto entropy = std::make_shared<CrossEntropyLoss>();
    CHECK_NOTHROW(evaluate_labels(entropy, at::tensor({0, 2}, at::kLong)));
    CHECK_THROWS_WITH_AS(evaluate_labels(entropy, at::tensor({0, 3}, at::kLong)),
                         doctest::Contains("criterion 'class': CrossEntropyLoss: the label 3"), audyn::DataError);
    CHECK_THROWS_WITH_AS(evaluate_labels(std::make_shared<FeatureMatchingLoss>(), at::zeros({2})),
                         doctest::Contains("criterion 'class': FeatureMatchingLoss"), audyn::UsageError);
    CHECK_THROWS_WITH_AS(evaluate_labels(entropy, at::tensor({0}, at::kLong)),
                         doctest::Contains("in criterion 'class'"), c10::Error);
}

TEST_CASE("outputs of a GAN are joined, lists with them") {
    using audyn::Outputs;
    const auto named = [](std::vector<std::string> names) -> std::optional<Outputs> {
        std::vector<at::Tensor> tensors(names.size(), at::ones({}));
        return Outputs(std::make_shared<const std::vector<std::string>>(std::move(names)), std::move(tensors));
    };
    const auto fake = named({"fake", "features", "features"});
    const auto real = named({"real", "true", "true"});
    audyn::trainer::detail::JoinedOutputs join;
    CHECK(join({&fake, &real}).count("true") == 2);
    audyn::trainer::detail::JoinedOutputs twice;
    CHECK_THROWS_WITH_AS(twice({&fake, &fake}), doctest::Contains("two outputs of the GAN are called 'fake'"),
                         audyn::UsageError);
    const auto features = named({"features"});
    audyn::trainer::detail::JoinedOutputs adjacent;
    CHECK_THROWS_WITH_AS(adjacent({&fake, &features}), doctest::Contains("are called 'features'"), audyn::UsageError);
}

TEST_CASE("lists of a criterion have one length, and exist") {
    const auto matching = std::make_shared<FeatureMatchingLoss>();
    const Pairs features{{"input", "features_0"}, {"input", "features_1"}};
    CHECK_THROWS_WITH_AS(evaluate(matching, features, {{"target", "true_0"}}),
                         doctest::Contains("its argument 'target' is a list of 1 tensors, those before it have 2"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(evaluate(matching, features, {}), doctest::Contains("'target' is mapped neither"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(evaluate(matching, {{"input", "features_2"}}, {{"target", "true_0"}}),
                         doctest::Contains("takes the output 'features_2', but the model's outputs are: scores_0"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(evaluate(matching, {{"input", "features_0"}}, {{"target", "true_2"}}),
                         doctest::Contains("takes the value 'true_2', but the batch has: true_0"), audyn::UsageError);
}
