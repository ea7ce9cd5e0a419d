#include <audyn/core/error.hpp>
#include <audyn/trainer/forward_call.hpp>
#include <audyn/trainer/metric_sums.hpp>

#include <ATen/ops/full.h>

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace {

at::Tensor scalar(double value) {
    return at::full({}, value);
}

struct NestedModule {
    std::tuple<at::Tensor, std::vector<at::Tensor>> forward(at::Tensor a, std::optional<at::Tensor> b, int64_t count) {
        return {a, {b.value_or(scalar(-1)), scalar(static_cast<double>(count))}};
    }
    static constexpr auto forward_arguments = audyn::names("a", "b", "count");
};

/// What a discriminator returns, with names of its own.
struct Judgement {
    at::Tensor scores;
    std::vector<at::Tensor> features;
    static constexpr auto output_names = audyn::names("scores", "features");
    [[nodiscard]] auto tensors() const { return std::tuple(scores, features); }
};
struct ListModule {
    Judgement forward(const at::Tensor& a) { return {a, {a, a}}; }
    static constexpr auto forward_arguments = audyn::names("a");
};

struct MapModule {
    std::map<std::string, at::Tensor> forward(const audyn::Batch& batch) {
        return {{"x", batch.tensor("a")}, {"y", scalar(2)}};
    }
};

struct Pair {
    at::Tensor mean;
    at::Tensor variance;
    static constexpr auto output_names = audyn::names("mean", "variance");
    [[nodiscard]] auto tensors() const { return std::tuple(mean, variance); }
};
struct StructModule {
    Pair forward(at::Tensor a) { return {a, scalar(3)}; }
};

} // namespace

TEST_CASE("outputs of every kind get names, and optional arguments may be absent") {
    NestedModule nested;
    audyn::trainer::ForwardCall<NestedModule> call({{}, audyn::OutputNames{"first", {"second", "third"}}});
    const auto outputs = call(nested, {{"count", int64_t{5}}, {"a", scalar(1)}});
    CHECK(outputs.tensor("first").item<double>() == 1);
    CHECK(outputs.tensor("second").item<double>() == -1);
    CHECK(outputs.tensor("third").item<double>() == 5);
    CHECK_THROWS_AS((void)outputs.tensor("fourth"), audyn::UsageError);

    // A batch of another layout is looked up again.
    const auto again = call(nested, {{"a", scalar(4)}, {"b", scalar(6)}, {"count", int64_t{7}}});
    CHECK(again.tensor("first").item<double>() == 4);
    CHECK(again.tensor("third").item<double>() == 7);

    MapModule map;
    audyn::trainer::ForwardCall<MapModule> map_call({});
    CHECK(map_call(map, {{"a", scalar(1)}}).tensor("y").item<double>() == 2);

    StructModule structure;
    audyn::trainer::ForwardCall<StructModule> struct_call({});
    CHECK(struct_call(structure, {{"anything", scalar(1)}}).tensor("variance").item<double>() == 3);
}

TEST_CASE("a value of the wrong type is named") {
    NestedModule nested;
    audyn::trainer::ForwardCall<NestedModule> call({});
    CHECK_THROWS_WITH_AS(call(nested, {{"a", scalar(1)}, {"count", 2.5}}), doctest::Contains("'count'"),
                         audyn::DataError);
}

TEST_CASE("names given twice and lists of the wrong length are refused") {
    const audyn::trainer::OutputLayout two{false, {}, {{}, {}}};
    const auto names = [&](audyn::OutputNames output) {
        return audyn::trainer::output_names({{}, std::move(output)}, two);
    };
    CHECK(names({"a", "b"}) == std::vector<std::string>{"a", "b"});
    CHECK_THROWS_WITH_AS(names({"a", "a"}), doctest::Contains("'a' is given twice"), audyn::UsageError);
    CHECK_THROWS_WITH_AS(names({"a", "b", "c"}), doctest::Contains("3 names for the model's 2"), audyn::UsageError);
    const audyn::trainer::OutputLayout one;
    CHECK_THROWS_WITH_AS(audyn::trainer::output_names({{}, audyn::OutputNames{"a"}}, one),
                         doctest::Contains("names a list, but the model returns a tensor"), audyn::UsageError);
}

// As Audyn's map_to_named_output.
TEST_CASE("one name may stand for a list") {
    NestedModule nested;
    const audyn::Batch batch{{"count", int64_t{5}}, {"a", scalar(1)}};
    audyn::trainer::ForwardCall<NestedModule> parts({{}, audyn::OutputNames{"first", "rest"}});
    const auto outputs = parts(nested, batch);
    CHECK(outputs.count("first") == 1);
    CHECK(outputs.count("rest") == 2);
    CHECK(outputs.tensor(*outputs.position("rest") + 1).item<double>() == 5);
    CHECK(outputs.names() == "first, rest");
    CHECK_THROWS_WITH_AS((void)outputs.tensor("rest"), doctest::Contains("'rest' is a list of 2 tensors"),
                         audyn::UsageError);

    audyn::trainer::ForwardCall<NestedModule> whole({{}, "all"});
    CHECK(whole(nested, batch).count("all") == 3);

    ListModule list;
    audyn::trainer::ForwardCall<ListModule> own({});
    CHECK(own(list, batch).names() == "scores, features");
    CHECK(own(list, batch).count("features") == 2);
}

TEST_CASE("metric sums average, remember the first bad batch, and survive a checkpoint") {
    audyn::trainer::MetricSums sums({"total"});
    for (const double value : {1.0, 2.0, 6.0}) {
        sums.start_iteration();
        sums.add(0, scalar(value));
        sums.add(sums.slot("other"), value * 10);
    }
    CHECK(sums.means()[0].value == doctest::Approx(3.0));
    CHECK(sums.means()[1].name == "other");
    CHECK(sums.iteration_means()[0].value == 6.0);
    CHECK_FALSE(sums.first_non_finite());

    audyn::trainer::MetricSums restored({"total"});
    restored.load_state_dict(sums.state_dict());
    restored.add(0, scalar(std::numeric_limits<double>::infinity()));
    restored.add(0, scalar(-std::numeric_limits<double>::infinity()));
    const auto bad = restored.first_non_finite();
    REQUIRE(bad);
    CHECK(bad->name == "total");
    CHECK(bad->batch == 3);
}
