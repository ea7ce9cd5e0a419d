#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/data/batch_sampler.hpp>
#include <audyn/data/collate.hpp>
#include <audyn/data/dataset.hpp>
#include <audyn/data/detail/batch_reader.hpp>
#include <audyn/data/detail/ordered_prefetcher.hpp>
#include <audyn/data/loader.hpp>
#include <audyn/data/random.hpp>
#include <audyn/data/sampler.hpp>
#include <audyn/state/state_dict.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace audyn::data {

/// Options of a `DataLoader`, by the names of Python's: `DataLoaderOptions().batch_size(32).shuffle(true)`.
class DataLoaderOptions {
public:
    /// Receives one line of text from the thread that calls `DataLoader::next`.
    using Warn = std::function<void(const std::string& message)>;

    /// Samples of a batch, on each rank.
    DataLoaderOptions& batch_size(int64_t value) { return set(batch_size_, value); }
    /// A new order in each epoch (`RandomSampler` with `seed`) in place of the dataset's.
    DataLoaderOptions& shuffle(bool value) { return set(shuffle_, value); }
    /// Leaves out the last batch of an epoch when it is smaller than the others.
    DataLoaderOptions& drop_last(bool value) { return set(drop_last_, value); }
    /// Threads that read ahead; with 0, `next` reads.
    DataLoaderOptions& num_workers(int value) { return set(num_workers_, value); }
    /// Batches read ahead by each worker.
    DataLoaderOptions& prefetch_factor(int value) { return set(prefetch_factor_, value); }
    /// Puts batches into page-locked memory; needs a CUDA device.
    DataLoaderOptions& pin_memory(bool value) { return set(pin_memory_, value); }
    /// Leaves a sample that cannot be read out of its batch, with a warning, in place of an error. A batch of which no
    /// sample can be read is an error all the same.
    DataLoaderOptions& skip_unreadable(bool value) { return set(skip_unreadable_, value); }
    /// Seed of the order and of what samples draw. Equal on all ranks.
    DataLoaderOptions& seed(uint64_t value) { return set(seed_, value); }
    /// How samples become a batch, in place of `default_collate`. The dataset then reads sample by sample.
    DataLoaderOptions& collate(Collate value) { return set(collate_, std::move(value)); }
    /// The order of an epoch. Excludes `shuffle`.
    DataLoaderOptions& sampler(std::shared_ptr<Sampler> value) { return set(sampler_, std::move(value)); }
    /// The batches of an epoch. Excludes `batch_size`, `shuffle`, `drop_last`, `sampler` and `shard`.
    DataLoaderOptions& batch_sampler(std::shared_ptr<BatchSampler> value);
    /// This process's part of the epoch.
    DataLoaderOptions& shard(Shard value) { return set(shard_, value); }
    /// Where warnings go; std::cerr unless set.
    DataLoaderOptions& warn(Warn value) { return set(warn_, std::move(value)); }

    [[nodiscard]] std::optional<int64_t> batch_size() const { return batch_size_; }
    [[nodiscard]] bool shuffle() const { return shuffle_; }
    [[nodiscard]] bool drop_last() const { return drop_last_; }
    [[nodiscard]] int num_workers() const { return num_workers_; }
    [[nodiscard]] int prefetch_factor() const { return prefetch_factor_; }
    [[nodiscard]] bool pin_memory() const { return pin_memory_; }
    [[nodiscard]] bool skip_unreadable() const { return skip_unreadable_; }
    [[nodiscard]] uint64_t seed() const { return seed_; }
    [[nodiscard]] const Collate& collate() const { return collate_; }
    [[nodiscard]] const std::shared_ptr<Sampler>& sampler() const { return sampler_; }
    [[nodiscard]] const std::shared_ptr<BatchSampler>& batch_sampler() const { return batch_sampler_; }
    [[nodiscard]] const std::optional<Shard>& shard() const { return shard_; }
    [[nodiscard]] const Warn& warn() const { return warn_; }

    /// \throws UsageError when options contradict each other or are out of range.
    void check() const;

private:
    template <class T, class U>
    DataLoaderOptions& set(T& option, U&& value) {
        option = std::forward<U>(value);
        return *this;
    }

    std::optional<int64_t> batch_size_;
    bool shuffle_ = false;
    bool drop_last_ = false;
    int num_workers_ = 0;
    int prefetch_factor_ = 2;
    bool pin_memory_ = false;
    bool skip_unreadable_ = false;
    uint64_t seed_ = 0;
    Collate collate_;
    std::shared_ptr<Sampler> sampler_;
    std::shared_ptr<BatchSampler> batch_sampler_;
    std::optional<Shard> shard_;
    Warn warn_;
};

/// Reads a dataset batch by batch; Python's `DataLoader` with threads for workers. The batches and their order are the
/// same for any number of workers. Workers live as long as the loader; they run without gradients and with one
/// intra-op thread each.
class DataLoader : public Loader {
public:
    /// \throws UsageError when options contradict each other, or memory cannot be pinned.
    explicit DataLoader(std::shared_ptr<const Dataset> dataset, DataLoaderOptions options = {});

    [[nodiscard]] int64_t size() const override { return batch_sampler_->size(); }

    AUDYN_INLINE void start_epoch(int64_t epoch, int64_t consumed_samples = 0) override;

    /// After an error, the next call goes on with the batch that follows.
    [[nodiscard]] AUDYN_INLINE std::optional<Batch> next() override;

    [[nodiscard]] int64_t consumed_samples() const override { return consumed_samples_; }

    /// Reads nothing.
    [[nodiscard]] AUDYN_INLINE int64_t consumed_samples_of(int64_t epoch, int64_t batches) override;
    [[nodiscard]] AUDYN_INLINE int64_t remaining_batches(int64_t epoch, int64_t consumed_samples) override;

    /// The seeds: of what samples draw, and of the sampler's order.
    [[nodiscard]] AUDYN_INLINE StateDict state_dict() const override;
    AUDYN_INLINE void load_state_dict(const StateDict& state) override;

    /// Samples that could not be read and were skipped so far in this epoch, on this rank.
    [[nodiscard]] int64_t skipped_samples() const { return skipped_samples_; }

private:
    static std::shared_ptr<BatchSampler> make_batch_sampler(const Dataset& dataset, const DataLoaderOptions& options);

    void start_workers();

    void check_indices() const;

    void report(const detail::ReadBatch& read);

    void warn(const std::string& message) const;

    DataLoaderOptions options_;
    uint64_t seed_;
    std::shared_ptr<BatchSampler> batch_sampler_;
    std::shared_ptr<const detail::BatchReader> reader_;
    std::shared_ptr<const BatchPlan> plan_;
    RandomSource source_{0, 0};
    std::size_t given_ = 0;
    int64_t consumed_samples_ = 0;
    int64_t skipped_samples_ = 0;
    std::set<int64_t> reported_;
    const std::atomic<bool> never_cancelled_ = false;
    std::optional<detail::OrderedPrefetcher<detail::ReadBatch>> workers_; // Last, so that it ends first.
};

} // namespace audyn::data

namespace audyn {
using data::DataLoader;
using data::DataLoaderOptions;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/data/data_loader.ipp>
#endif
