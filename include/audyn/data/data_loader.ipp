#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/data_loader.hpp>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <iostream>

namespace audyn::data {

AUDYN_INLINE DataLoaderOptions& DataLoaderOptions::batch_sampler(std::shared_ptr<BatchSampler> value) {
    return set(batch_sampler_, std::move(value));
}

AUDYN_INLINE void DataLoaderOptions::check() const {
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

AUDYN_INLINE DataLoader::DataLoader(std::shared_ptr<const Dataset> dataset, DataLoaderOptions options)
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

AUDYN_INLINE void DataLoader::start_epoch(int64_t epoch, int64_t consumed_samples) {
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

AUDYN_INLINE std::optional<Batch> DataLoader::next() {
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

AUDYN_INLINE int64_t DataLoader::consumed_samples_of(int64_t epoch, int64_t batches) {
    batch_sampler_->set_epoch(epoch);
    const BatchPlan plan = batch_sampler_->plan(0);
    const int64_t count = std::min(batches, static_cast<int64_t>(plan.batches.size()));
    return count == 0 ? 0 : plan.batches[static_cast<std::size_t>(count - 1)].consumed_samples;
}

AUDYN_INLINE int64_t DataLoader::remaining_batches(int64_t epoch, int64_t consumed_samples) {
    batch_sampler_->set_epoch(epoch);
    return static_cast<int64_t>(batch_sampler_->plan(consumed_samples).batches.size());
}

AUDYN_INLINE StateDict DataLoader::state_dict() const {
    return {{"seed", static_cast<int64_t>(seed_)}, {"sampler", batch_sampler_->state_dict()}};
}

AUDYN_INLINE void DataLoader::load_state_dict(const StateDict& state) {
    const auto saved = static_cast<uint64_t>(state.at("seed").as_int());
    if (saved != seed_) {
        warn("the data's order goes on with the checkpoint's seed " + std::to_string(saved) + ", not with " +
             std::to_string(seed_));
    }
    seed_ = saved;
    batch_sampler_->load_state_dict(state.at("sampler").as_dict());
}

AUDYN_INLINE std::shared_ptr<BatchSampler> DataLoader::make_batch_sampler(const Dataset& dataset,
                                                                          const DataLoaderOptions& options) {
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

AUDYN_INLINE void DataLoader::start_workers() {
    const int threads = options_.num_workers();
    // A thread takes its number of intra-op threads from the last call in the process, so the caller's is put back.
    const int intra_op_threads = at::get_num_threads();
    workers_.emplace(threads, static_cast<std::size_t>(threads) * static_cast<std::size_t>(options_.prefetch_factor()),
                     [] {
                         at::internal::lazy_init_num_threads();
                         at::get_num_threads(); // Initialises libtorch's own copy of this thread's setting.
                         at::set_num_threads(1);
                     });
    at::set_num_threads(intra_op_threads);
}

AUDYN_INLINE void DataLoader::check_indices() const {
    const int64_t size = reader_->dataset().size();
    const int64_t* indices = plan_->indices.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < plan_->indices.numel(); ++i) {
        if (indices[i] < 0 || indices[i] >= size) {
            throw DataError("the sampler chose sample " + std::to_string(indices[i]) + " of a dataset with " +
                            std::to_string(size) + " samples");
        }
    }
}

AUDYN_INLINE void DataLoader::report(const detail::ReadBatch& read) {
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

AUDYN_INLINE void DataLoader::warn(const std::string& message) const {
    if (options_.warn()) {
        options_.warn()(message);
    } else {
        std::cerr << "warning: " << message << '\n';
    }
}

} // namespace audyn::data
