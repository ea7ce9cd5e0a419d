#include <audyn/core/error.hpp>
#include <audyn/data/function_dataset.hpp>
#include <audyn/data/random.hpp>
#include <audyn/data/subset.hpp>
#include <audyn/data/tensor_dataset.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace audyn::data;

namespace {

Batch get_batch(const Dataset& dataset, const std::vector<int64_t>& indices, uint64_t seed = 0) {
    return dataset.get_batch(indices, BatchRandom(RandomSource(seed, 0), indices)).value();
}

/// One drawn number for each sample, read one by one or as a whole.
class Noise : public Dataset {
public:
    [[nodiscard]] int64_t size() const override { return 6; }
    [[nodiscard]] Sample get(int64_t index, Random& random) const override {
        return {{"index", index}, {"noise", random.uniform()}};
    }
    [[nodiscard]] std::optional<Batch> get_batch(std::span<const int64_t> indices,
                                                 const BatchRandom& random) const override {
        std::vector<double> noise;
        for (std::size_t i = 0; i < indices.size(); ++i) {
            noise.push_back(random[i].uniform());
        }
        return Batch{{"index", at::tensor(std::vector<int64_t>(indices.begin(), indices.end()))},
                     {"noise", at::tensor(noise, at::kDouble)}};
    }
    [[nodiscard]] std::string sample_name(int64_t index) const override { return "noise " + std::to_string(index); }
};

} // namespace

TEST_CASE("random: SplitMix64's published values, and the ranges of what is drawn") {
    Random random(1234567); // The reference implementation's first outputs for this seed.
    CHECK(random() == 6457827717110365317ULL);
    CHECK(random() == 3203168211198807973ULL);
    CHECK(random() == 9817491932198370423ULL);

    std::vector<int> counts(5);
    double sum = 0.0;
    double square_sum = 0.0;
    constexpr int draws = 20000;
    for (int i = 0; i < draws; ++i) {
        ++counts.at(static_cast<std::size_t>(random.integer(5)));
        const double uniform = random.uniform(-1.0, 3.0);
        CHECK_UNARY(uniform >= -1.0 && uniform < 3.0);
        const double normal = random.normal();
        sum += normal;
        square_sum += normal * normal;
    }
    for (const int count : counts) {
        CHECK(count == doctest::Approx(draws / 5).epsilon(0.05));
    }
    CHECK(std::abs(sum / draws) < 0.03);
    CHECK(square_sum / draws == doctest::Approx(1.0).epsilon(0.05));
}

TEST_CASE("random: a sample's generator depends on seed, epoch and index") {
    const auto first = [](uint64_t seed, int64_t epoch, int64_t index) {
        return RandomSource(seed, epoch).for_sample(index)();
    };
    CHECK(first(1, 2, 3) == first(1, 2, 3));
    CHECK(first(1, 2, 3) != first(2, 2, 3));
    CHECK(first(1, 2, 3) != first(1, 3, 3));
    CHECK(first(1, 2, 3) != first(1, 2, 4));
    CHECK(first(1, 2, 3) != first(2, 1, 3)); // Seed and epoch are not merely added.
    Random a = RandomSource(5, 0).for_sample(0);
    Random b = RandomSource(5, 0).for_sample(0);
    CHECK(at::equal(at::randn({4}, a.generator()), at::randn({4}, b.generator())));
}

TEST_CASE("tensor_dataset: whole batches equal index_select") {
    for (const at::Tensor& values : {at::randn({10, 3, 2}), at::arange(10), at::rand({10, 4}).to(at::kBFloat16),
                                     at::randn({3, 10}).t(), at::zeros({10, 0}), at::rand({10}) > 0.5}) {
        const auto dataset = make_tensor_dataset({{"x", values}});
        CHECK(dataset->size() == 10);
        const Batch batch = get_batch(*dataset, {3, 9, 0, 3});
        CHECK(at::equal(batch.tensor("x"), values.index_select(0, at::tensor({3, 9, 0, 3}, at::kLong))));
        CHECK(batch.tensor("x").is_contiguous());
        Random random(0);
        CHECK(at::equal(dataset->get(4, random).tensor("x"), values.select(0, 4)));
    }
}

TEST_CASE("tensor_dataset: batches do not share memory with the dataset nor need gradients") {
    const at::Tensor values = at::zeros({4, 2}).requires_grad_();
    const auto dataset = make_tensor_dataset({{"x", values}});
    const at::Tensor batch = get_batch(*dataset, {0, 1}).tensor("x");
    CHECK_FALSE(batch.requires_grad());
    batch.fill_(1.0);
    CHECK(values.sum().item<float>() == 0.0F);
}

TEST_CASE("tensor_dataset: what does not fit is refused") {
    using Tensors = std::vector<TensorDataset::NamedTensor>;
    CHECK_THROWS_AS(TensorDataset(Tensors{}), audyn::UsageError);
    CHECK_THROWS_AS(TensorDataset(Tensors{{"x", at::zeros({})}}), audyn::UsageError);
    CHECK_THROWS_WITH(TensorDataset(Tensors{{"x", at::zeros({3})}, {"y", at::zeros({4})}}),
                      "the tensors of a TensorDataset must have the same first dimension, but 'y' has shape [4] and "
                      "'x' has 3 samples");
    const auto dataset = make_tensor_dataset({{"x", at::zeros({3})}});
    CHECK_THROWS_WITH((void)get_batch(*dataset, {0, 3}), "sample 3 does not exist: the dataset has 3 samples");
    CHECK_THROWS_AS((void)get_batch(*dataset, {-1}), audyn::DataError);
}

TEST_CASE("function_dataset: samples come from the function, transforms see them with the same generator") {
    const auto dataset = std::make_shared<FunctionDataset>(5, [](int64_t index, Random& random) {
        return Sample{{"x", index}, {"u", random.uniform()}};
    });
    const TransformedDataset doubled(dataset, [](Sample sample, Random& random) {
        sample.set("x", 2 * std::get<int64_t>(sample.at("x")));
        sample.set("v", random.uniform());
        return sample;
    });
    CHECK(doubled.size() == 5);
    Random random(9);
    const Sample sample = doubled.get(3, random);
    Random same(9);
    CHECK(std::get<int64_t>(sample.at("x")) == 6);
    CHECK(std::get<double>(sample.at("u")) == same.uniform());
    CHECK(std::get<double>(sample.at("v")) == same.uniform());
    CHECK(doubled.sample_name(3) == "sample 3");
}

TEST_CASE("subset: indices, names and generators go through, whole batches too") {
    const auto dataset = std::make_shared<Noise>();
    const Subset subset(dataset, {5, 1, 1, 4});
    CHECK(subset.size() == 4);
    CHECK(subset.sample_name(0) == "noise 5");
    const std::vector<int64_t> indices{0, 3, 2};
    const Batch batch = get_batch(subset, indices, 11);
    CHECK(at::equal(batch.tensor("index"), at::tensor({5, 4, 1}, at::kLong)));
    for (std::size_t i = 0; i < indices.size(); ++i) {
        Random random = RandomSource(11, 0).for_sample(indices[i]);
        const Sample sample = subset.get(indices[i], random);
        CHECK(std::get<double>(sample.at("noise")) == batch.tensor("noise")[static_cast<int64_t>(i)].item<double>());
    }
    CHECK_THROWS_WITH(Subset(dataset, {6}), "a subset names sample 6 of a dataset with 6 samples");
}

TEST_CASE("subset: split equals Python's random_split") { // tests/oracle/samplers.py
    const auto dataset = make_tensor_dataset({{"x", at::zeros({11})}});
    const auto parts = split(dataset, {0.5, 0.3, 0.2}, 5);
    REQUIRE(parts.size() == 3);
    CHECK(parts[0]->indices() == std::vector<int64_t>{9, 5, 0, 8, 10, 2});
    CHECK(parts[1]->indices() == std::vector<int64_t>{3, 6, 7});
    CHECK(parts[2]->indices() == std::vector<int64_t>{1, 4});
    CHECK_THROWS_AS(split(dataset, {0.5, 0.4}, 0), audyn::UsageError);
    CHECK_THROWS_AS(split(dataset, {1.5, -0.5}, 0), audyn::UsageError);
    CHECK_THROWS_AS(split(dataset, {}, 0), audyn::UsageError);
}
