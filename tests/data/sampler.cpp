#include <audyn/core/error.hpp>
#include <audyn/data/batch_sampler.hpp>
#include <audyn/data/sampler.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

using namespace audyn::data;

namespace {

using Indices = std::vector<int64_t>;

Indices to_vector(const at::Tensor& indices) {
    return {indices.const_data_ptr<int64_t>(), indices.const_data_ptr<int64_t>() + indices.numel()};
}

Indices shuffled(int64_t size, int64_t epoch, const Shard& shard, int64_t consumed_samples = 0) {
    RandomSampler sampler(size, 7);
    sampler.set_epoch(epoch);
    return to_vector(shard.indices(sampler.indices(), consumed_samples));
}

std::vector<Indices> batches(const BatchPlan& plan) {
    std::vector<Indices> result;
    for (const PlannedBatch& batch : plan.batches) {
        const auto samples = plan.samples(batch);
        result.emplace_back(samples.begin(), samples.end());
    }
    return result;
}

Indices consumed(const BatchPlan& plan) {
    Indices result;
    for (const PlannedBatch& batch : plan.batches) {
        result.push_back(batch.consumed_samples);
    }
    return result;
}

} // namespace

TEST_CASE("sampler: SequentialSampler counts") {
    CHECK(to_vector(SequentialSampler(4).indices()) == Indices{0, 1, 2, 3});
    CHECK(SequentialSampler(0).indices().numel() == 0);
}

TEST_CASE("sampler: RandomSampler and Shard equal Python's DistributedSampler") { // tests/oracle/samplers.py
    CHECK(shuffled(10, 2, {0, 3}) == Indices{0, 7, 9, 3});
    CHECK(shuffled(10, 2, {1, 3}) == Indices{5, 6, 1, 0});
    CHECK(shuffled(10, 2, {2, 3}) == Indices{8, 2, 4, 5});
    CHECK(shuffled(10, 2, {0, 3, UnevenShares::drop}) == Indices{0, 7, 9});
    CHECK(shuffled(10, 2, {2, 3, UnevenShares::drop}) == Indices{8, 2, 4});
    // More ranks than samples: the order repeats.
    for (int64_t rank = 0; rank < 5; ++rank) {
        CHECK(shuffled(2, 2, {rank, 5}) == Indices{rank % 2});
    }
}

TEST_CASE("sampler: the order changes with the epoch and with the seed alone") {
    RandomSampler sampler(100, 1);
    const Indices first = to_vector(sampler.indices());
    sampler.set_epoch(1);
    const Indices second = to_vector(sampler.indices());
    CHECK(first != second);
    CHECK(to_vector(sampler.indices()) == second);
    sampler.set_epoch(0);
    CHECK(to_vector(sampler.indices()) == first);
    CHECK(to_vector(RandomSampler(100, 2).indices()) == second); // seed + epoch, as in Python
}

TEST_CASE("sampler: an epoch goes on after its consumed samples, also with another number of ranks") {
    const Indices whole = shuffled(10, 0, {0, 1});
    CHECK(shuffled(10, 0, {0, 1}, 4) == Indices(whole.begin() + 4, whole.end()));
    CHECK(shuffled(10, 0, {0, 2}, 4) == Indices{whole[4], whole[6], whole[8]});
    CHECK(shuffled(10, 0, {1, 2}, 4) == Indices{whole[5], whole[7], whole[9]});
    CHECK(shuffled(10, 0, {2, 4}, 4) == Indices{whole[6], whole[0]});
    CHECK(shuffled(10, 0, {1, 2}, 10).empty());
    CHECK(shuffled(10, 0, {0, 1}, 12).empty());
}

TEST_CASE("sampler: impossible shards are refused") {
    CHECK_THROWS_AS(Shard({-1, 2}).check(), audyn::UsageError);
    CHECK_THROWS_AS(Shard({2, 2}).check(), audyn::UsageError);
    CHECK_THROWS_WITH(Shard({0, 0}).check(), "a shard needs 0 <= rank < world_size, got rank 0 and world_size 0");
}

TEST_CASE("batch_sampler: sizes, drop_last and consumed samples") {
    const auto sampler = std::make_shared<SequentialSampler>(7);
    FixedSizeBatchSampler keeping(sampler, 3);
    CHECK(keeping.size() == 3);
    CHECK(batches(keeping.plan(0)) == std::vector<Indices>{{0, 1, 2}, {3, 4, 5}, {6}});
    CHECK(consumed(keeping.plan(0)) == Indices{3, 6, 7});
    CHECK(batches(keeping.plan(6)) == std::vector<Indices>{{6}});
    CHECK(consumed(keeping.plan(3)) == Indices{6, 7});
    CHECK(keeping.plan(7).batches.empty());

    const FixedSizeBatchSampler dropping(sampler, 3, true);
    CHECK(dropping.size() == 2);
    CHECK(batches(dropping.plan(0)) == std::vector<Indices>{{0, 1, 2}, {3, 4, 5}});
    CHECK(dropping.plan(6).batches.empty());

    CHECK_THROWS_WITH(FixedSizeBatchSampler(sampler, 0), "batch_size must be at least 1, got 0");
    CHECK_THROWS_AS(FixedSizeBatchSampler(sampler, 1, false, Shard{3, 2}), audyn::UsageError);
}

TEST_CASE("batch_sampler: the ranks' batches together are the prefix that is counted as consumed") {
    const int64_t size = 23;
    RandomSampler order(size, 4);
    order.set_epoch(3);
    const Indices whole = to_vector(order.indices());
    std::vector<std::unique_ptr<FixedSizeBatchSampler>> owned;
    for (int64_t rank = 0; rank < 3; ++rank) {
        owned.push_back(std::make_unique<FixedSizeBatchSampler>(std::make_shared<RandomSampler>(size, 4), 2, false,
                                                                Shard{rank, 3}));
        owned.back()->set_epoch(3); // It must reach the sampler below.
    }
    Indices seen;
    const int64_t steps = owned[0]->size();
    CHECK(steps == 4);
    for (int64_t step = 0; step < steps; ++step) {
        int64_t consumed_samples = 0;
        for (const auto& rank : owned) {
            const BatchPlan plan = rank->plan(0);
            const PlannedBatch& batch = plan.batches[static_cast<std::size_t>(step)];
            const auto samples = plan.samples(batch);
            seen.insert(seen.end(), samples.begin(), samples.end());
            consumed_samples = batch.consumed_samples;
        }
        Indices prefix(whole.begin(), whole.begin() + consumed_samples);
        Indices sorted = seen;
        if (step + 1 < steps) { // The last step repeats a sample.
            std::sort(sorted.begin(), sorted.end());
            std::sort(prefix.begin(), prefix.end());
            CHECK(sorted == prefix);
        } else {
            CHECK(consumed_samples == size);
        }
    }
}
