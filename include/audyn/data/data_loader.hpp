#pragma once

#include <audyn/core/error.hpp>
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

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

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
    DataLoaderOptions& batch_sampler(std::shared_ptr<BatchSampler> value) {
        return set(batch_sampler_, std::move(value));
    }
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
    void check() const {
        if (num_workers_ < 0 || prefetch_factor_ < 1) {
            throw UsageError("a loader needs num_workers >= 0 and prefetch_factor >= 1, got " +
                             std::to_string(num_workers_) + " and " + std::to_string(prefetch_factor_));
        }
        if (sampler_ && shuffle_) {
            throw UsageError("a loader takes either sampler or shuffle");
        }
        if (batch_sampler_ && (batch_size_ || shuffle_ || drop_last_ || sampler_ || shard_)) {
            throw UsageError("a loader with a batch_sampler takes no batch_size, shuffle, drop_last, sampler or shard");
        }
    }

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
    explicit DataLoader(std::shared_ptr<const Dataset> dataset, DataLoaderOptions options = {})
        : options_(std::move(options)), seed_(options_.seed()) {
        options_.check();
        if (options_.pin_memory() && !at::hasCUDA()) {
            throw UsageError("pin_memory needs a CUDA device and a program built with audyn::cuda");
        }
        batch_sampler_ = make_batch_sampler(*dataset, options_);
        reader_ = std::make_shared<const detail::BatchReader>(std::move(dataset), options_.collate(),
                                                              options_.skip_unreadable(), options_.pin_memory());
        if (options_.num_workers() > 0) {
            start_workers();
        }
    }

    [[nodiscard]] int64_t size() const override { return batch_sampler_->size(); }

    void start_epoch(int64_t epoch, int64_t consumed_samples = 0) override {
        batch_sampler_->set_epoch(epoch);
        plan_ = std::make_shared<const BatchPlan>(batch_sampler_->plan(consumed_samples));
        check_indices();
        source_ = RandomSource(seed_, epoch);
        given_ = 0;
        consumed_samples_ = consumed_samples;
        skipped_samples_ = 0;
        if (workers_) {
            workers_->start(
                static_cast<int64_t>(plan_->batches.size()),
                [reader = reader_, plan = plan_, source = source_](int64_t number, const std::atomic<bool>& cancelled) {
                    const PlannedBatch& batch = plan->batches[static_cast<std::size_t>(number)];
                    return reader->read(plan->samples(batch), source, cancelled);
                });
        }
    }

    /// After an error, the next call goes on with the batch that follows.
    [[nodiscard]] std::optional<Batch> next() override {
        if (!plan_) {
            throw UsageError("DataLoader::next was called before start_epoch");
        }
        if (given_ == plan_->batches.size()) {
            return std::nullopt;
        }
        const PlannedBatch& planned = plan_->batches[given_++];
        consumed_samples_ = planned.consumed_samples;
        detail::ReadBatch read =
            workers_ ? *workers_->next() : reader_->read(plan_->samples(planned), source_, never_cancelled_);
        if (!read.skipped.empty()) {
            report(read);
        }
        return std::move(read.batch);
    }

    [[nodiscard]] int64_t consumed_samples() const override { return consumed_samples_; }

    /// Reads nothing.
    [[nodiscard]] int64_t consumed_samples_of(int64_t epoch, int64_t batches) override {
        batch_sampler_->set_epoch(epoch);
        const BatchPlan plan = batch_sampler_->plan(0);
        const int64_t count = std::min(batches, static_cast<int64_t>(plan.batches.size()));
        return count == 0 ? 0 : plan.batches[static_cast<std::size_t>(count - 1)].consumed_samples;
    }

    /// The seeds: of what samples draw, and of the sampler's order.
    [[nodiscard]] StateDict state_dict() const override {
        return {{"seed", static_cast<int64_t>(seed_)}, {"sampler", batch_sampler_->state_dict()}};
    }
    void load_state_dict(const StateDict& state) override {
        const auto saved = static_cast<uint64_t>(state.at("seed").as_int());
        if (saved != seed_) {
            warn("the data's order goes on with the checkpoint's seed " + std::to_string(saved) + ", not with " +
                 std::to_string(seed_));
        }
        seed_ = saved;
        batch_sampler_->load_state_dict(state.at("sampler").as_dict());
    }

    /// Samples that could not be read and were skipped so far in this epoch, on this rank.
    [[nodiscard]] int64_t skipped_samples() const { return skipped_samples_; }

private:
    static std::shared_ptr<BatchSampler> make_batch_sampler(const Dataset& dataset, const DataLoaderOptions& options) {
        if (options.batch_sampler()) {
            return options.batch_sampler();
        }
        std::shared_ptr<Sampler> sampler = options.sampler();
        if (!sampler && options.shuffle()) {
            sampler = std::make_shared<RandomSampler>(dataset.size(), options.seed());
        } else if (!sampler) {
            sampler = std::make_shared<SequentialSampler>(dataset.size());
        }
        return std::make_shared<FixedSizeBatchSampler>(std::move(sampler), options.batch_size().value_or(1),
                                                       options.drop_last(), options.shard().value_or(Shard{}));
    }

    void start_workers() {
        const int threads = options_.num_workers();
        // A thread takes its number of intra-op threads from the last call in the process, so the caller's is put back.
        const int intra_op_threads = at::get_num_threads();
        workers_.emplace(threads,
                         static_cast<std::size_t>(threads) * static_cast<std::size_t>(options_.prefetch_factor()), [] {
                             at::internal::lazy_init_num_threads();
                             at::get_num_threads(); // Initialises libtorch's own copy of this thread's setting.
                             at::set_num_threads(1);
                         });
        at::set_num_threads(intra_op_threads);
    }

    void check_indices() const {
        const int64_t size = reader_->dataset().size();
        const int64_t* indices = plan_->indices.const_data_ptr<int64_t>();
        for (int64_t i = 0; i < plan_->indices.numel(); ++i) {
            if (indices[i] < 0 || indices[i] >= size) {
                throw DataError("the sampler chose sample " + std::to_string(indices[i]) + " of a dataset with " +
                                std::to_string(size) + " samples");
            }
        }
    }

    void report(const detail::ReadBatch& read) {
        skipped_samples_ += static_cast<int64_t>(read.skipped.size());
        for (const detail::SkippedSample& skipped : read.skipped) {
            if (reported_.insert(skipped.index).second) {
                warn("skipped a sample (" + std::to_string(reported_.size()) + " so far): " + skipped.reason);
            }
        }
        if (!read.batch) {
            throw DataError("none of the samples of a batch can be read; the last: " + read.skipped.back().reason);
        }
    }

    void warn(const std::string& message) const {
        if (options_.warn()) {
            options_.warn()(message);
        } else {
            std::cerr << "warning: " << message << '\n';
        }
    }

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
