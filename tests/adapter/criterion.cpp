#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/metrics.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/error.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

const std::string mapping = "key_mapping: {estimated: {input: output}, target: {target: label}}";

audyn::Targets all_targets() {
    audyn::Targets targets;
    audyn::adapter::add_criterion_targets(targets);
    audyn::adapter::add_metric_targets(targets);
    return targets;
}

/// As a program does: everything is checked, then built.
audyn::criterion::Criteria criteria(const std::string& group) {
    const audyn::Targets targets = all_targets();
    const audyn::Config config = audyn::config::config_from_yaml("criterion: " + group, "test.yaml");
    audyn::config::Mistakes mistakes;
    audyn::adapter::check_criteria(config, targets, mistakes);
    mistakes.throw_if_any();
    return audyn::adapter::build_criteria(config, targets);
}

void metrics(const std::string& group) {
    const audyn::Targets targets = all_targets();
    const audyn::Config config = audyn::config::config_from_yaml("train: {metrics: " + group + "}", "test.yaml");
    audyn::config::Mistakes mistakes;
    audyn::adapter::check_metrics(config, targets, mistakes);
    mistakes.throw_if_any();
    (void)audyn::adapter::build_metrics(config, targets);
}

void refuses(void (*build)(const std::string&), const std::string& group, const char* key, const char* words) {
    CAPTURE(group);
    CHECK_THROWS_WITH_AS(build(group), doctest::Contains(key), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build(group), doctest::Contains(words), audyn::ConfigError);
}

void build_criteria(const std::string& group) {
    (void)criteria(group);
}

} // namespace

TEST_CASE("criteria are built from Audyn's form, and from a single loss") {
    const auto built = criteria(
        "{_target_: audyn.criterion.MultiCriteria, spectrum: {criterion: {_target_: auraloss.freq.STFTLoss}, "
        "weight: 0.5, key_mapping: {estimated: {input: denoised}, target: {target: clean}}}, "
        "score: {_target_: audyn.criterion.BaseCriterionWrapper, criterion: {_target_: "
        "audyn.criterion.hifigan.MSELoss, target: 1}, key_mapping: {estimated: {input: [a, b]}}}, _off: null}");
    REQUIRE(built.size() == 2);
    CHECK(built[0].name == "score");
    CHECK(built[0].estimated.size() == 2);
    CHECK(built[1].weight == 0.5);
    CHECK(built[1].target[0].second == "clean");
    CHECK(criteria("{_target_: torch.nn.L1Loss}")[0].name == "loss");
}

TEST_CASE("a mistake in a criterion is told with its key, and what would work") {
    const auto wrong = [](const std::string& group, const char* key, const char* words) {
        refuses(build_criteria, group, key, words);
    };
    const auto entry = [](const std::string& criterion, const std::string& rest) {
        return "{mse: {criterion: " + criterion + ", " + rest + "}}";
    };
    const std::string loss = "{_target_: torch.nn.MSELoss}";
    wrong(entry("{_target_: torch.nn.MSELos}", mapping), "'criterion.mse.criterion._target_'", "torch.nn.MSELoss");
    wrong(entry("{_target_: torch.nn.LinearCrossEntropyLoss}", mapping), "'criterion.mse.criterion._target_'",
          "did you mean 'torch.nn.");
    wrong(entry("{_target_: torch.nn.MSELoss, reducton: sum}", mapping), "'criterion.mse.criterion.reducton'",
          "'reduction'");
    wrong(entry("{_target_: torch.nn.MSELoss, reduction: max}", mapping), "'criterion.mse.criterion'",
          "'mean' or 'sum', got 'max'");
    wrong(entry("{_target_: torch.nn.HuberLoss, delta: big}", mapping), "'criterion.mse.criterion.delta'", "float");
    wrong(entry(loss, "weight: much, " + mapping), "'criterion.mse.weight'", "must be a number");
    wrong(entry(loss, "weigth: 0.5, " + mapping), "'criterion.mse.weigth'", "did you mean 'weight'");
    wrong(entry(loss, "_target_: MyWrapper, " + mapping), "'criterion.mse._target_'",
          "left out or audyn.criterion.BaseCriterionWrapper, not 'MyWrapper'");
    wrong(entry(loss, "key_mapping: {estimate: {input: output}}"), "'criterion.mse.key_mapping.estimate'",
          "'estimated'");
    wrong(entry(loss, "key_mapping: {estimated: {inputs: output}}"), "'criterion.mse.key_mapping'",
          "has no argument 'inputs'; it has: input, target");
    wrong(entry(loss, "key_mapping: {estimated: {input: [a, b]}}"), "'criterion.mse.key_mapping'",
          "the argument 'input' is mapped twice");
    wrong(entry(loss, "key_mapping: {estimated: output}"), "'criterion.mse.key_mapping.estimated'", "");
    wrong("{mse: {" + mapping + "}}", "'criterion.mse'", "needs the key `criterion`");
    wrong("{mse: " + loss + "}", "'criterion.mse'", "needs the key `criterion`");
}

TEST_CASE("a mistake in a metric is told with its key, and what would work") {
    const auto wrong = [](const std::string& entry, const char* key, const char* words) {
        refuses(metrics, "{top: {" + entry + "}}", key, words);
    };
    const std::string preds = "key_mapping: {estimated: {preds: output}, target: {target: label}}";
    const std::string accuracy = "metric: {_target_: torchmetrics.Accuracy, task: multiclass, num_classes: 3}, ";
    CHECK_NOTHROW(metrics("{top: {" + accuracy + preds + "}}"));
    wrong("metric: {_target_: torchmetrics.Acuracy, task: binary}, " + preds, "'train.metrics.top.metric._target_'",
          "torchmetrics.Accuracy");
    wrong("metric: {_target_: torchmetrics.Accuracy, num_classes: 3}, " + preds, "'train.metrics.top.metric'",
          "missing the argument 'task'");
    wrong("metric: {_target_: torchmetrics.Accuracy, task: multiclass, num_classes: 1}, " + preds,
          "'train.metrics.top.metric'", "num_classes of at least 2, got 1");
    wrong("metric: {_target_: torchmetrics.Accuracy, task: multiclass, num_classes: three}, " + preds,
          "'train.metrics.top.metric.num_classes'", "int");
    wrong(accuracy + "weight: 2, " + preds, "'train.metrics.top.weight'", "There are: metric, key_mapping");
    wrong(accuracy + "key_mapping: {estimated: {input: output}, target: {target: label}}", "'train.metrics",
          "(preds, target) must be mapped once");
    wrong(accuracy + "key_mapping: {estimated: {preds: output}, targets: {target: label}}",
          "'train.metrics.top.key_mapping.targets'", "'target'");
    wrong(preds, "'train.metrics.top'", "needs the key `metric`");
}
