#include <audyn/core/error.hpp>
#include <audyn/data/batch_sampler.hpp>
#include <audyn/data/distributed_batch_sampler.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

using namespace audyn::data;

namespace {

using Indices = std::vector<int64_t>;

FixedSizeBatchSampler sampler_of(int64_t samples, int64_t batch_size, const Shard& shard) {
    return FixedSizeBatchSampler(std::make_shared<RandomSampler>(samples, 5), batch_size, /*drop_last=*/false, shard);
}

Indices indices(const BatchPlan& plan) {
    Indices result;
    for (const PlannedBatch& batch : plan.batches) {
        const auto samples = plan.samples(batch);
        result.insert(result.end(), samples.begin(), samples.end());
    }
    return result;
}

Indices sorted(Indices values) {
    std::sort(values.begin(), values.end());
    return values;
}

Indices counting(int64_t size) {
    Indices values(static_cast<std::size_t>(size));
    std::iota(values.begin(), values.end(), int64_t{0});
    return values;
}

/// Batches by size: what is more than pieces of an order. The whole job's.
class Grouped final : public BatchSampler {
public:
    [[nodiscard]] int64_t size() const override { return 5; }
    void set_epoch(int64_t value) override { epoch = value; }
    [[nodiscard]] BatchPlan plan(int64_t consumed_samples) const override {
        const Indices ends{3, 4, 9, 11, 12};
        BatchPlan plan;
        plan.indices = (at::arange(12, at::kLong) + epoch * 100).narrow(0, consumed_samples, 12 - consumed_samples);
        int64_t begin = consumed_samples;
        for (const int64_t end : ends) {
            if (end > consumed_samples) {
                plan.batches.push_back({begin - consumed_samples, end - consumed_samples, end});
                begin = end;
            }
        }
        return plan;
    }
    [[nodiscard]] audyn::StateDict state_dict() const override { return {{"epoch", epoch}}; }
    void load_state_dict(const audyn::StateDict& state) override { epoch = state.at("epoch").as_int(); }

    int64_t epoch = 0;
};

} // namespace

TEST_CASE("a shard gives the order of Python's DistributedSampler") {
    // DistributedSampler(range(10), 3, rank, seed=5, drop_last=...) with set_epoch(2)
    const std::vector<Indices> padded{{5, 4, 9, 2}, {0, 1, 6, 5}, {3, 7, 8, 0}};
    const std::vector<Indices> dropped{{5, 4, 9}, {0, 1, 6}, {3, 7, 8}};
    const std::vector<Indices> kept{{5, 4, 9, 2}, {0, 1, 6}, {3, 7, 8}};
    for (int64_t rank = 0; rank < 3; ++rank) {
        const auto place = static_cast<std::size_t>(rank);
        const auto of = [&](UnevenShares uneven) {
            auto sampler = sampler_of(10, 2, {rank, 3, uneven});
            sampler.set_epoch(2);
            CHECK(sampler.size() == static_cast<int64_t>(sampler.plan(0).batches.size()));
            return indices(sampler.plan(0));
        };
        CHECK(of(UnevenShares::pad) == padded[place]);
        CHECK(of(UnevenShares::drop) == dropped[place]);
        CHECK(of(UnevenShares::keep) == kept[place]);
    }
}

TEST_CASE("kept shares count each sample once, whatever the number of ranks") {
    for (const int64_t samples : {0, 1, 7, 12, 13}) {
        for (const int64_t world_size : {1, 2, 3, 5, 20}) {
            Indices all;
            for (int64_t rank = 0; rank < world_size; ++rank) {
                const auto sampler = sampler_of(samples, 4, {rank, world_size, UnevenShares::keep});
                const auto plan = sampler.plan(0);
                CHECK(sampler.size() == static_cast<int64_t>(plan.batches.size()));
                const Indices own = indices(plan);
                all.insert(all.end(), own.begin(), own.end());
                if (!plan.batches.empty()) {
                    CHECK(plan.batches.back().consumed_samples <= samples);
                }
            }
            CHECK(sorted(all) == counting(samples));
        }
    }
}

TEST_CASE("an epoch goes on with another number of ranks") {
    for (const auto uneven : {UnevenShares::pad, UnevenShares::drop, UnevenShares::keep}) {
        constexpr int64_t samples = 47;
        Indices seen;
        int64_t consumed = 0;
        const auto read = [&](int64_t world_size, int64_t batches) {
            int64_t next = consumed;
            for (int64_t rank = 0; rank < world_size; ++rank) {
                auto sampler = sampler_of(samples, 3, {rank, world_size, uneven});
                sampler.set_epoch(4);
                const auto plan = sampler.plan(consumed);
                for (int64_t i = 0; i < std::min(batches, static_cast<int64_t>(plan.batches.size())); ++i) {
                    const auto& batch = plan.batches[static_cast<std::size_t>(i)];
                    const auto part = plan.samples(batch);
                    seen.insert(seen.end(), part.begin(), part.end());
                    next = std::max(next, batch.consumed_samples);
                }
            }
            consumed = next;
        };
        read(2, 2);
        CHECK(consumed == 12);
        read(3, 2);
        CHECK(consumed == 30);
        read(4, 1);
        CHECK(consumed == 42);
        read(1, 100);
        CHECK(consumed == samples);
        CHECK(sorted(seen) == counting(samples));
    }
}

TEST_CASE("batches of any kind are dealt in turn") {
    const auto batches = std::make_shared<Grouped>();
    const auto of = [&](int64_t rank, int64_t world_size, UnevenShares uneven, int64_t consumed = 0) {
        const DistributedBatchSampler sampler(batches, {rank, world_size, uneven});
        const auto plan = sampler.plan(consumed);
        if (consumed == 0) {
            CHECK(sampler.size() == static_cast<int64_t>(plan.batches.size()));
        }
        return plan;
    };
    CHECK(indices(of(0, 2, UnevenShares::drop)) == Indices{0, 1, 2, 4, 5, 6, 7, 8});
    CHECK(indices(of(1, 2, UnevenShares::drop)) == Indices{3, 9, 10});
    CHECK(indices(of(0, 2, UnevenShares::keep)) == Indices{0, 1, 2, 4, 5, 6, 7, 8, 11});
    CHECK(indices(of(1, 2, UnevenShares::keep)) == Indices{3, 9, 10});
    CHECK(indices(of(1, 2, UnevenShares::pad)) == Indices{3, 9, 10, 0, 1, 2});
    CHECK(of(1, 2, UnevenShares::keep).batches[0].consumed_samples == 4);
    CHECK(of(0, 2, UnevenShares::pad).batches[2].consumed_samples == 12);
    // After two batches of two ranks, three ranks.
    CHECK(indices(of(0, 3, UnevenShares::keep, 4)) == Indices{4, 5, 6, 7, 8});
    CHECK(indices(of(1, 3, UnevenShares::keep, 4)) == Indices{9, 10});
    CHECK(indices(of(2, 3, UnevenShares::keep, 4)) == Indices{11});

    DistributedBatchSampler sampler(batches, {0, 2});
    sampler.set_epoch(3);
    CHECK(batches->epoch == 3);
    CHECK(indices(sampler.plan(0)).front() == 300);
    CHECK(sampler.state_dict().at("epoch").as_int() == 3);
    sampler.load_state_dict({{"epoch", 1}});
    CHECK(batches->epoch == 1);
}

TEST_CASE("impossible shares are refused") {
    CHECK_THROWS_AS(sampler_of(4, 2, {2, 2}), audyn::UsageError);
    CHECK_THROWS_AS(sampler_of(4, 0, {0, 2}), audyn::UsageError);
    CHECK_THROWS_AS(DistributedBatchSampler(std::make_shared<Grouped>(), {-1, 2}), audyn::UsageError);
}
