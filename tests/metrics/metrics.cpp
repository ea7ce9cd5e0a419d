#include "../temporary_folder.hpp"

#include <audyn/adapter/metrics.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/core/error.hpp>
#include <audyn/metrics/classification.hpp>
#include <audyn/metrics/mean_metric.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::metrics;

namespace {

using MetricPointer = std::shared_ptr<StatefulMetric>;

MetricPointer build(const nlohmann::json& node) {
    audyn::Targets targets;
    audyn::adapter::add_metric_targets(targets);
    return targets.build<MetricPointer>(audyn::config::config_from_yaml(node.dump(), "test.yaml"));
}

/// A metric of the oracle, and what each batch gives it.
struct Case {
    explicit Case(const nlohmann::json& record) : node(record["options"]) {
        node["_target_"] = record["target"];
        const MetricPointer metric = build(node);
        for (std::size_t i = 0; i < 3; ++i) {
            batches.emplace_back();
            for (const std::string& name : metric->arguments()) {
                const auto& item = record["inputs"].at(name)[i];
                const auto shape = item["shape"].get<std::vector<int64_t>>();
                batches.back().push_back(
                    item["is_integer"].get<bool>()
                        ? at::tensor(item["values"].get<std::vector<int64_t>>(), at::kLong).view(shape)
                        : at::tensor(item["values"].get<std::vector<float>>(), at::kFloat).view(shape));
            }
        }
        std::vector<double> numbers;
        for (const auto& number : record["value"].flatten()) {
            numbers.push_back(number.get<double>());
        }
        expected = at::tensor(numbers, at::kDouble);
    }

    [[nodiscard]] bool is_expected(const at::Tensor& value) const {
        return at::allclose(value.to(at::kDouble).flatten(), expected, 1e-6, 1e-9);
    }

    nlohmann::json node;
    std::vector<std::vector<at::Tensor>> batches;
    at::Tensor expected;
};

std::vector<Case> cases() {
    std::vector<Case> result;
    for (const auto& record : nlohmann::json::parse(read_file(AUDYN_TEST_DATA_DIR "/metrics/data/metrics.json"))) {
        result.emplace_back(record);
    }
    return result;
}

/// Adds up like a group of ranks: the k-th tensor that is given with the k-th states of the others.
class OtherRanks {
public:
    explicit OtherRanks(std::vector<MetricPointer> others) : others_(std::move(others)) {}

    void operator()(at::Tensor& sum) const {
        for (const MetricPointer& other : others_) {
            const auto states = other->state_dict();
            sum.add_((states.begin() + next_)->second.as_tensor());
        }
        ++next_;
    }

private:
    std::vector<MetricPointer> others_;
    mutable std::ptrdiff_t next_ = 0;
};

} // namespace

// tests/oracle/metrics.py
TEST_CASE("metrics have TorchMetrics' values, over batches and after a reset") {
    CHECK(cases().size() == 30);
    for (const Case& one : cases()) {
        CAPTURE(one.node.dump());
        const MetricPointer metric = build(one.node);
        for (int pass = 0; pass < 2; ++pass) {
            for (const auto& batch : one.batches) {
                metric->update(batch);
            }
            CHECK(one.is_expected(metric->compute()));
            metric->reset();
        }
    }
}

TEST_CASE("metrics are the same however ranks share the samples, and in another order") {
    for (const Case& one : cases()) {
        CAPTURE(one.node.dump());
        // Rank 0 has two batches, rank 1 none, rank 2 one.
        std::vector<MetricPointer> ranks{build(one.node), build(one.node), build(one.node)};
        ranks[0]->update(one.batches[2]);
        ranks[0]->update(one.batches[0]);
        ranks[2]->update(one.batches[1]);
        CHECK(one.is_expected(ranks[0]->compute(OtherRanks({ranks[1], ranks[2]}))));
        CHECK(one.is_expected(ranks[1]->compute(OtherRanks({ranks[0], ranks[2]}))));
        // What a rank has stays its own.
        CHECK(one.is_expected(ranks[0]->compute(OtherRanks({ranks[1], ranks[2]}))));
    }
}

TEST_CASE("a metric goes on from its state") {
    for (const Case& one : cases()) {
        CAPTURE(one.node.dump());
        const MetricPointer first = build(one.node);
        first->update(one.batches[0]);
        first->update(one.batches[1]);
        const MetricPointer second = build(one.node);
        second->load_state_dict(first->state_dict());
        second->update(one.batches[2]);
        CHECK(one.is_expected(second->compute()));
        first->update(one.batches[2]);
        CHECK(at::equal(first->compute(), second->compute()));
    }
    Accuracy few(ClassificationOptions().num_classes(3));
    CHECK_THROWS_WITH_AS(few.load_state_dict(Accuracy(ClassificationOptions().num_classes(4)).state_dict()),
                         doctest::Contains("'correct' has another shape"), audyn::StateError);
}

TEST_CASE("the classes of each task have TorchMetrics' defaults") {
    const at::Tensor preds = at::tensor({0, 0, 0, 1}, at::kLong);
    const at::Tensor target = at::tensor({0, 0, 1, 2}, at::kLong);
    const auto value = [&](const char* node) {
        const MetricPointer metric = build(nlohmann::json::parse(node));
        metric->update(std::array{preds, target});
        return metric->compute().item<double>();
    };
    CHECK(value(R"({"_target_": "torchmetrics.classification.MulticlassAccuracy", "num_classes": 3})") ==
          doctest::Approx(1.0 / 3));
    CHECK(value(R"({"_target_": "torchmetrics.Accuracy", "task": "multiclass", "num_classes": 3})") == 0.5);
    CHECK(value(R"({"_target_": "torchmetrics.classification.MulticlassF1Score", "num_classes": 3})") ==
          doctest::Approx(0.8 / 3));
    const MetricPointer binary = build({{"_target_", "torchmetrics.classification.BinaryF1Score"}});
    binary->update(std::array{at::tensor({0.9F, 0.2F, 0.7F}), at::tensor({1, 0, 0}, at::kLong)});
    CHECK(binary->compute().item<double>() == doctest::Approx(2.0 / 3));
}

TEST_CASE("classes out of range are counted and told") {
    const auto refuses = [](StatefulMetric& metric, const at::Tensor& preds, const at::Tensor& target,
                            const char* words) {
        metric.update(std::array{preds, target});
        CHECK_THROWS_WITH_AS((void)metric.compute(), doctest::Contains(words), audyn::DataError);
        metric.reset();
        metric.update(std::array{at::tensor({0, 1}, at::kLong), at::tensor({0, 1}, at::kLong)});
        CHECK_NOTHROW((void)metric.compute());
    };
    const at::Tensor good = at::tensor({0, 1, 2, 2}, at::kLong);
    const at::Tensor bad = at::tensor({0, 5, 2, -1}, at::kLong);
    Accuracy accuracy(ClassificationOptions().num_classes(3));
    refuses(accuracy, good, bad,
            "a metric of 3 classes got 2 samples whose label or predicted class is not one of 0 to 2");
    refuses(accuracy, bad, good, "not one of 0 to 2; ignore_index names a label that does not count");
    refuses(accuracy, good, at::tensor({0, 1, 2, 3}, at::kLong), "got 1 samples");
    Accuracy ignoring(ClassificationOptions().num_classes(3).ignore_index(-1));
    refuses(ignoring, good, bad,
            "got 1 samples whose label or predicted class is not one of 0 to 2, nor the ignored -1");
    ConfusionMatrix matrix(ClassificationOptions().num_classes(3));
    refuses(matrix, good, bad, "got 2 samples");
}

TEST_CASE("a mean keeps what is not finite, and one of nothing is no number") {
    MeanMetric mean;
    CHECK(std::isnan(mean.compute().item<double>()));
    mean.update(std::array{at::tensor({1.0F, INFINITY})});
    CHECK(std::isinf(mean.compute().item<double>()));
}

TEST_CASE("wrong options and shapes are refused") {
    CHECK_THROWS_WITH_AS(build({{"_target_", "torchmetrics.Accuracy"}, {"task", "multilabel"}}),
                         doctest::Contains("'binary' or 'multiclass', got 'multilabel'"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build({{"_target_", "torchmetrics.Accuracy"}, {"task", "multiclass"}}),
                         doctest::Contains("num_classes of at least 2, got 0"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build({{"_target_", "torchmetrics.F1Score"}, {"task", "binary"}, {"average", "samples"}}),
                         doctest::Contains("'weighted' or 'none', got 'samples'"), audyn::ConfigError);
    CHECK_THROWS_AS(Accuracy(ClassificationOptions().num_classes(3).top_k(4)), audyn::UsageError);
    CHECK_THROWS_AS(F1Score(ClassificationOptions().task(Task::binary).threshold(1.5)), audyn::UsageError);
    CHECK_THROWS_AS(ConfusionMatrix(ClassificationOptions().num_classes(3).top_k(2)), audyn::UsageError);
    CHECK_THROWS_AS(ConfusionMatrix(ClassificationOptions().num_classes(-3)), audyn::UsageError);

    Accuracy accuracy(ClassificationOptions().num_classes(3));
    CHECK_THROWS_WITH_AS(accuracy.update(std::array{at::ones({4, 5}), at::ones({4}, at::kLong)}),
                         doctest::Contains("preds of shape [4, 5] with a target of shape [4]"), audyn::UsageError);
    CHECK_THROWS_AS(accuracy.update(std::array{at::ones({4}), at::ones({4}, at::kLong)}), audyn::UsageError);
    CHECK_THROWS_AS(accuracy.update(std::array{at::ones({4})}), audyn::UsageError);
    ScaleInvariantSignalDistortionRatio ratio;
    CHECK_THROWS_WITH_AS(ratio.update(std::array{at::ones({4, 9}), at::ones({4, 1, 9})}),
                         doctest::Contains("[4, 1, 9] differs from the preds', [4, 9]"), audyn::UsageError);
}
