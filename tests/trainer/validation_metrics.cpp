#include "fixture.hpp"

#include <audyn/adapter/metrics.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/core/error.hpp>
#include <audyn/metrics/classification.hpp>
#include <audyn/metrics/mean_metric.hpp>
#include <audyn/trainer/early_stopping.hpp>
#include <audyn/trainer/validation_metrics.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using fixture::make_network;
using fixture::make_optimizer;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
const Pairs preds{{"preds", "output"}};
const Pairs target{{"target", "label"}};

audyn::metrics::ClassificationOptions three_classes() {
    return audyn::metrics::ClassificationOptions().num_classes(3);
}

std::shared_ptr<audyn::Callback> from_config(const std::string& text, audyn::config::Mistakes& mistakes) {
    audyn::Targets targets;
    audyn::adapter::add_metric_targets(targets);
    const audyn::Config config = audyn::config::config_from_yaml(text, "test.yaml");
    audyn::adapter::check_metrics(config, targets, mistakes);
    mistakes.throw_if_any();
    return audyn::adapter::build_metrics(config, targets);
}

} // namespace

TEST_CASE("metrics of a validation are those of all its samples") {
    auto network = make_network();
    fixture::Trainer<> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(), fixture::options());
    using namespace audyn::metrics;
    trainer.add_callback(std::make_shared<audyn::ValidationMetrics>(std::vector<audyn::MappedMetric>{
        {"accuracy", std::make_shared<Accuracy>(three_classes()), preds, target},
        {"recall", std::make_shared<Accuracy>(three_classes().average(Average::none)), preds, target},
        {"matrix", std::make_shared<ConfusionMatrix>(three_classes()), preds, target},
        {"mean", std::make_shared<MeanMetric>(), {{"value", "output"}}, {}}}));
    // No epoch is better than the first by so much.
    trainer.add_callback(std::make_shared<audyn::EarlyStopping>(
        audyn::EarlyStoppingOptions{.monitor = "validation/accuracy", .patience = 1, .min_delta = 2.0}));
    audyn::DataLoader train(fixture::dataset(), audyn::DataLoaderOptions().batch_size(16));
    audyn::DataLoader validation(fixture::dataset(), audyn::DataLoaderOptions().batch_size(7)); // the last has 6
    trainer.fit(train, validation);
    CHECK(trainer.stop_reason().has_value());

    const at::NoGradGuard no_grad;
    const at::Tensor output = network(fixture::features());
    const at::Tensor is_right = output.argmax(1).eq(fixture::labels());
    CHECK(trainer.metric("validation/accuracy") == is_right.to(at::kDouble).mean().item<double>());
    for (int64_t label = 0; label < 3; ++label) {
        CHECK(trainer.metric("validation/recall_" + std::to_string(label)) ==
              is_right.index({fixture::labels().eq(label)}).to(at::kDouble).mean().item<double>());
    }
    CHECK_FALSE(trainer.metric("validation/matrix").has_value());
    CHECK(*trainer.metric("validation/mean") == doctest::Approx(output.mean().item<double>()).epsilon(1e-6));
}

TEST_CASE("wrong metrics of a validation are named") {
    const auto accuracy = std::make_shared<audyn::metrics::Accuracy>(three_classes());
    const auto make = [](std::vector<audyn::MappedMetric> metrics) {
        return std::make_shared<audyn::ValidationMetrics>(std::move(metrics));
    };
    CHECK_THROWS_WITH_AS(make({{"a", nullptr, preds, target}}), "metric 'a' is null", audyn::UsageError);
    CHECK_THROWS_WITH_AS(make({{"a", accuracy, preds, target}, {"a", accuracy, preds, target}}),
                         "there are two metrics of the name 'a'", audyn::UsageError);
    for (const auto& [estimated, targets] :
         {std::pair{preds, Pairs()}, std::pair{preds, Pairs{{"target", "label"}, {"preds", "x"}}},
          std::pair{preds, Pairs{{"label", "label"}}}}) {
        CHECK_THROWS_WITH_AS(make({{"a", accuracy, estimated, targets}}),
                             doctest::Contains("metric 'a': each of its arguments (preds, target) must be mapped once"),
                             audyn::UsageError);
    }

    const auto validate = [&](const Pairs& estimated, const Pairs& targets, int64_t classes) {
        auto network = make_network();
        fixture::Trainer<> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(), fixture::options());
        const auto options = audyn::metrics::ClassificationOptions().num_classes(classes);
        trainer.add_callback(make({{"a", std::make_shared<audyn::metrics::Accuracy>(options), estimated, targets}}));
        audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(48));
        (void)trainer.validate(loader);
    };
    CHECK_THROWS_WITH_AS(validate({{"preds", "logits"}}, target, 3),
                         doctest::Contains("metric 'a': the model has no output 'logits'"), audyn::UsageError);
    CHECK_THROWS_WITH_AS(validate(preds, {{"target", "labels"}}, 3), doctest::Contains("labels"), audyn::DataError);
    CHECK_THROWS_WITH_AS(validate(preds, target, 4),
                         doctest::Contains("metric 'a': a metric of classes cannot compare"), audyn::UsageError);
}

TEST_CASE("metrics are configured as criteria are") {
    audyn::config::Mistakes mistakes;
    const std::string accuracy = "{_target_: torchmetrics.Accuracy, task: multiclass, num_classes: 3}";
    const std::string mapping = "{estimated: {preds: output}, target: {target: label}}";
    const auto callback =
        from_config("train: {metrics: {_target_: audyn.metrics.MultiMetrics, top1: {metric: " + accuracy +
                        ", key_mapping: " + mapping + "}, _off: null}}",
                    mistakes);
    REQUIRE(callback != nullptr);
    auto network = make_network();
    fixture::Trainer<> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(), fixture::options());
    trainer.add_callback(callback);
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(10));
    CHECK(trainer.validate(loader, "test").back().name == "top1");
    CHECK(trainer.metric("test/top1").has_value());

    CHECK(from_config("train: {metrics: null}", mistakes) == nullptr);
    CHECK_THROWS_WITH_AS(from_config("train: {metrics: {a: {_target_: torchmetrics.Accuracy}}}", mistakes),
                         doctest::Contains("needs the key `metric`"), audyn::ConfigError);
    audyn::config::Mistakes others;
    CHECK_THROWS_WITH_AS(from_config("train: {metrics: {a: {metric: {_target_: torchmetrics.Acuracy}}}}", others),
                         doctest::Contains("torchmetrics.Accuracy"), audyn::ConfigError);
    audyn::config::Mistakes none;
    CHECK_THROWS_WITH_AS(from_config("train: {metrics: {a: {metric: " + accuracy + "}}}", none),
                         doctest::Contains("metric 'a': each of its arguments (preds, target) must be mapped once"),
                         audyn::ConfigError);
}
