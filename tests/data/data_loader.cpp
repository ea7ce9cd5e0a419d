#include <audyn/core/error.hpp>
#include <audyn/data/collate.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/function_dataset.hpp>
#include <audyn/data/tensor_dataset.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace audyn::data;
using audyn::DataError;

namespace {

using Indices = std::vector<int64_t>;

Indices to_vector(const at::Tensor& tensor) {
    return {tensor.const_data_ptr<int64_t>(), tensor.const_data_ptr<int64_t>() + tensor.numel()};
}

/// Draws from each sample's generator in ways that would show another seed or order.
std::shared_ptr<FunctionDataset> noisy_dataset(int64_t size) {
    return std::make_shared<FunctionDataset>(size, [](int64_t index, Random& random) {
        const at::Tensor noise = at::randn({3}, random.generator());
        return Sample{{"index", index},
                      {"noise", noise},
                      {"scalar", random.normal()},
                      {"name", "sample " + std::to_string(index)},
                      {"ragged", Indices(static_cast<std::size_t>(index % 3), index)}};
    });
}

/// Everything that an epoch gives, as one string of bytes and text.
std::string fingerprint(DataLoader& loader, int64_t epoch, int64_t consumed_samples = 0) {
    std::string text;
    loader.start_epoch(epoch, consumed_samples);
    const auto add = [&](const at::Tensor& tensor) {
        text.append(static_cast<const char*>(tensor.const_data_ptr()), static_cast<std::size_t>(tensor.nbytes()));
    };
    while (const auto batch = loader.next()) {
        for (const char* name : {"index", "noise", "scalar"}) {
            add(batch->tensor(name));
        }
        for (const std::string& name : std::get<std::vector<std::string>>(batch->at("name"))) {
            text += name;
        }
        for (const at::Tensor& list : std::get<std::vector<at::Tensor>>(batch->at("ragged"))) {
            add(list);
        }
    }
    return text;
}

Indices epoch_indices(Loader& loader, int64_t epoch, int64_t consumed_samples = 0) {
    Indices indices;
    loader.start_epoch(epoch, consumed_samples);
    while (const auto batch = loader.next()) {
        const Indices part = to_vector(batch->tensor("index"));
        indices.insert(indices.end(), part.begin(), part.end());
    }
    return indices;
}

class FailingDataset : public Dataset {
public:
    explicit FailingDataset(Indices failing) : failing_(std::move(failing)) {}

    [[nodiscard]] int64_t size() const override { return 12; }
    [[nodiscard]] Sample get(int64_t index, Random&) const override {
        for (const int64_t failing : failing_) {
            if (index == failing) {
                TORCH_CHECK(index % 2 == 0, "no such odd number");
                throw std::runtime_error("disk on fire");
            }
        }
        return {{"index", index}};
    }
    [[nodiscard]] std::string sample_name(int64_t index) const override {
        return "file" + std::to_string(index) + ".wav";
    }

private:
    Indices failing_;
};

std::string message_of_epoch(DataLoader& loader) {
    loader.start_epoch(0);
    try {
        while (loader.next()) {
        }
    } catch (const DataError& error) {
        return error.what();
    }
    return "no error";
}

Batch collated(const std::vector<Sample>& samples) {
    return default_collate(samples, [](std::size_t position) { return "s" + std::to_string(position); });
}

} // namespace

TEST_CASE("collate: the types of Python's default_collate") {
    const Batch batch = collated({{{"x", at::ones({2, 3})}, {"label", int64_t{4}}, {"weight", 0.5}, {"id", "a"}},
                                  {{"x", at::zeros({2, 3})}, {"label", int64_t{5}}, {"weight", 1.5}, {"id", "b"}}});
    CHECK(batch.tensor("x").sizes() == at::IntArrayRef({2, 2, 3}));
    CHECK((batch.tensor("x").scalar_type() == at::kFloat));
    CHECK(at::equal(batch.tensor("label"), at::tensor({4, 5}, at::kLong)));
    CHECK(at::equal(batch.tensor("weight"), at::tensor({0.5, 1.5}, at::kDouble)));
    CHECK(std::get<std::vector<std::string>>(batch.at("id")) == std::vector<std::string>{"a", "b"});
    CHECK(batch.batch_size() == 2);
    CHECK(collated({}).empty());
}

TEST_CASE("collate: values may come in another order") {
    const Batch batch = collated({{{"a", int64_t{1}}, {"b", 2.0}}, {{"b", 4.0}, {"a", int64_t{3}}}});
    CHECK(at::equal(batch.tensor("a"), at::tensor({1, 3}, at::kLong)));
    CHECK(at::equal(batch.tensor("b"), at::tensor({2.0, 4.0}, at::kDouble)));
}

TEST_CASE("collate: samples that do not fit are named with what differs") {
    CHECK_THROWS_WITH_AS(
        collated({{{"x", at::zeros({1, 5})}}, {{"x", at::zeros({1, 5})}}, {{"x", at::zeros({1, 7})}}}),
        "the value 'x' is Float of shape [1, 5] in s0 and Float of shape [1, 7] in s2; to be stacked they must be "
        "equal: crop or pad them, or give the loader a collate",
        DataError);
    CHECK_THROWS_WITH_AS(collated({{{"x", at::zeros({2})}}, {{"x", at::zeros({2}, at::kLong)}}}),
                         doctest::Contains("Float of shape [2] in s0 and Long of shape [2] in s1"), DataError);
    CHECK_THROWS_WITH_AS(collated({{{"x", 1.0}}, {{"x", int64_t{1}}}}),
                         "the value 'x' has another type in s1 than in s0", DataError);
    CHECK_THROWS_WITH_AS(collated({{{"x", 1.0}}, {{"x", 1.0}, {"y", 1.0}}}),
                         "the samples of a batch must have the same values, but s0 has x and s1 has x, y", DataError);
    CHECK_THROWS_AS(collated({{{"x", std::vector<std::string>{"a"}}}}), DataError);
}

TEST_CASE("data_loader: the same bits for any number of workers, and others in other epochs and seeds") {
    const auto dataset = noisy_dataset(53);
    const auto options = DataLoaderOptions().batch_size(8).shuffle(true).seed(3);
    DataLoader serial(dataset, options);
    const std::string first = fingerprint(serial, 0);
    const std::string second = fingerprint(serial, 1);
    const std::string rest = fingerprint(serial, 1, 24);
    CHECK(first != second);
    CHECK(second.ends_with(rest));
    for (const int workers : {1, 4}) {
        DataLoader parallel(dataset, DataLoaderOptions(options).num_workers(workers));
        CHECK(fingerprint(parallel, 0) == first);
        CHECK(fingerprint(parallel, 1) == second);
        CHECK(fingerprint(parallel, 1, 24) == rest);
        CHECK(fingerprint(parallel, 0) == first);
    }
    DataLoader other(dataset, DataLoaderOptions(options).seed(4));
    CHECK(fingerprint(other, 0) != first);
}

TEST_CASE("data_loader: every sample once in an epoch, in the order of the epoch") {
    const auto dataset = make_tensor_dataset({{"index", at::arange(10)}});
    DataLoader sequential(dataset, DataLoaderOptions().batch_size(4));
    CHECK(sequential.size() == 3);
    CHECK(epoch_indices(sequential, 5) == Indices{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});

    DataLoader dropping(dataset, DataLoaderOptions().batch_size(4).drop_last(true));
    CHECK(dropping.size() == 2);
    CHECK(epoch_indices(dropping, 0) == Indices{0, 1, 2, 3, 4, 5, 6, 7});

    DataLoader shuffled(dataset, DataLoaderOptions().batch_size(4).shuffle(true).seed(5));
    CHECK(epoch_indices(shuffled, 2) == to_vector(RandomSampler(10, 7).indices()));
}

TEST_CASE("data_loader: consumed samples are counted over the job and skipped on resume") {
    const auto dataset = make_tensor_dataset({{"index", at::arange(20)}});
    for (const int workers : {0, 2}) {
        DataLoader loader(dataset, DataLoaderOptions().batch_size(3).shard({1, 2}).num_workers(workers));
        loader.start_epoch(0);
        CHECK(loader.consumed_samples() == 0);
        CHECK(to_vector(loader.next()->tensor("index")) == Indices{1, 3, 5});
        CHECK(loader.consumed_samples() == 6);
        (void)loader.next();
        CHECK(loader.consumed_samples() == 12);
        CHECK(epoch_indices(loader, 0, 12) == Indices{13, 15, 17, 19});
        CHECK(loader.consumed_samples() == 20);
        CHECK(loader.size() == 4);
    }
}

TEST_CASE("data_loader: samplers and batch samplers of the program are used and told the epoch") {
    struct Reversed : Sampler {
        [[nodiscard]] int64_t size() const override { return 4; }
        void set_epoch(int64_t value) override { epoch = value; }
        [[nodiscard]] at::Tensor indices() const override { return at::tensor({3, 2, 1, 0}, at::kLong).roll(epoch); }
        int64_t epoch = -1;
    };
    const auto dataset = make_tensor_dataset({{"index", at::arange(4)}});
    DataLoader by_sampler(dataset, DataLoaderOptions().sampler(std::make_shared<Reversed>()));
    CHECK(epoch_indices(by_sampler, 0) == Indices{3, 2, 1, 0});
    DataLoader by_batch_sampler(dataset, DataLoaderOptions().batch_sampler(std::make_shared<FixedSizeBatchSampler>(
                                             std::make_shared<Reversed>(), 3, true)));
    CHECK(epoch_indices(by_batch_sampler, 0) == Indices{3, 2, 1});
    CHECK(epoch_indices(by_batch_sampler, 1) == Indices{0, 3, 2});

    const auto small = make_tensor_dataset({{"index", at::arange(3)}});
    DataLoader outside(small, DataLoaderOptions().sampler(std::make_shared<Reversed>()));
    CHECK_THROWS_WITH_AS(outside.start_epoch(0), "the sampler chose sample 3 of a dataset with 3 samples", DataError);
}

TEST_CASE("data_loader: contradicting options are refused") {
    const auto dataset = make_tensor_dataset({{"index", at::arange(4)}});
    const auto sampler = std::make_shared<SequentialSampler>(4);
    const auto refused = [&](const DataLoaderOptions& options) {
        CHECK_THROWS_AS(DataLoader(dataset, options), audyn::UsageError);
    };
    refused(DataLoaderOptions().batch_size(0));
    refused(DataLoaderOptions().num_workers(-1));
    refused(DataLoaderOptions().prefetch_factor(0));
    refused(DataLoaderOptions().sampler(sampler).shuffle(true));
    refused(DataLoaderOptions().batch_sampler(std::make_shared<FixedSizeBatchSampler>(sampler, 2)).batch_size(2));
    refused(DataLoaderOptions().shard({2, 2}));
    if (!at::hasCUDA()) {
        refused(DataLoaderOptions().pin_memory(true));
    }
    DataLoader loader(dataset);
    CHECK_THROWS_AS((void)loader.next(), audyn::UsageError);
}

TEST_CASE("data_loader: an error names the sample and keeps the reason, with and without workers") {
    for (const int workers : {0, 2}) {
        const auto options = DataLoaderOptions().batch_size(4).num_workers(workers);
        DataLoader burning(std::make_shared<FailingDataset>(Indices{6}), options);
        CHECK(message_of_epoch(burning) == "cannot read file6.wav: disk on fire");
        // After the error the epoch can go on.
        CHECK(to_vector(burning.next()->tensor("index")) == Indices{8, 9, 10, 11});
        CHECK_FALSE(burning.next());
        // libtorch's own errors come without their backtrace.
        DataLoader odd(std::make_shared<FailingDataset>(Indices{7}), options);
        CHECK(message_of_epoch(odd) == "cannot read file7.wav: no such odd number");
    }
}

TEST_CASE("data_loader: unreadable samples are skipped only when asked, and said") {
    for (const int workers : {0, 2}) {
        std::vector<std::string> warnings;
        const auto options = DataLoaderOptions().num_workers(workers).skip_unreadable(true).warn(
            [&](const std::string& message) { warnings.push_back(message); });
        DataLoader loader(std::make_shared<FailingDataset>(Indices{1, 6, 8, 9, 10}),
                          DataLoaderOptions(options).batch_size(4));
        CHECK(epoch_indices(loader, 0) == Indices{0, 2, 3, 4, 5, 7, 11});
        CHECK(loader.skipped_samples() == 5);
        REQUIRE(warnings.size() == 5);
        CHECK(warnings[0] == "skipped a sample (1 so far): cannot read file1.wav: no such odd number");
        CHECK(warnings[1] == "skipped a sample (2 so far): cannot read file6.wav: disk on fire");
        CHECK(epoch_indices(loader, 1).size() == 7);
        CHECK(loader.skipped_samples() == 5);
        CHECK(warnings.size() == 5); // Each file is named once.

        DataLoader empty_batch(std::make_shared<FailingDataset>(Indices{6}), options);
        CHECK(message_of_epoch(empty_batch) ==
              "none of the samples of a batch can be read; the last: cannot read file6.wav: disk on fire");
    }
}

TEST_CASE("data_loader: a collate of the program gets the samples, and its errors name the batch") {
    const auto dataset = make_tensor_dataset({{"index", at::arange(4)}});
    DataLoader summing(dataset, DataLoaderOptions().batch_size(3).num_workers(1).collate(
                                    [](std::span<const Sample> samples, const SampleNames&) {
                                        int64_t sum = 0;
                                        for (const Sample& sample : samples) {
                                            sum += sample.tensor("index").item<int64_t>();
                                        }
                                        return Batch{{"index", at::tensor({sum}, at::kLong)}};
                                    }));
    CHECK(epoch_indices(summing, 0) == Indices{3, 3});
    DataLoader failing(
        dataset, DataLoaderOptions().batch_size(3).collate([](std::span<const Sample>, const SampleNames&) -> Batch {
            throw std::runtime_error("cannot add");
        }));
    CHECK(message_of_epoch(failing) == "cannot collate the batch of sample 0 to sample 2: cannot add");
}

TEST_CASE("data_loader: workers run without gradients and with one thread, and change nobody else's settings") {
    const int threads_before = at::get_num_threads();
    struct Seen {
        std::atomic<int> threads = 0;
        std::atomic<bool> gradients = false;
    };
    const auto seen = std::make_shared<Seen>();
    const auto dataset = std::make_shared<FunctionDataset>(8, [seen](int64_t, Random&) {
        (void)at::ones({100}).sum(); // The first operation of a thread may set its number of threads.
        seen->threads = std::max(seen->threads.load(), at::get_num_threads());
        seen->gradients = seen->gradients || at::GradMode::is_enabled();
        return Sample{{"index", int64_t{0}}};
    });
    at::set_num_threads(2);
    DataLoader loader(dataset, DataLoaderOptions().num_workers(2));
    (void)epoch_indices(loader, 0);
    CHECK(seen->threads == 1);
    CHECK_FALSE(seen->gradients);
    CHECK(at::get_num_threads() == 2);
    int fresh = 0;
    std::thread([&] { fresh = at::get_num_threads(); }).join();
    CHECK(fresh == 2);
    DataLoader serial(dataset);
    (void)epoch_indices(serial, 0);
    CHECK_FALSE(seen->gradients);
    CHECK(at::GradMode::is_enabled());
    at::set_num_threads(threads_before);
}

TEST_CASE("data_loader: an epoch may be left in its middle, and a loader destroyed there") {
    const auto dataset = noisy_dataset(40);
    const auto options = DataLoaderOptions().batch_size(2).shuffle(true);
    DataLoader serial(dataset, options);
    const std::string expected = fingerprint(serial, 7);
    DataLoader loader(dataset, DataLoaderOptions(options).num_workers(3));
    for (int64_t epoch = 0; epoch < 20; ++epoch) {
        loader.start_epoch(epoch);
        for (int64_t i = 0; i < epoch; ++i) {
            (void)loader.next();
        }
        if (epoch % 5 == 0) {
            CHECK(fingerprint(loader, 7) == expected);
        }
    }
    for (int i = 0; i < 10; ++i) {
        DataLoader abandoned(dataset, DataLoaderOptions(options).num_workers(2));
        abandoned.start_epoch(i);
        (void)abandoned.next();
    }
    CHECK(dataset.use_count() == 3); // Here, in `serial` and in `loader`: nothing is leaked.
}
