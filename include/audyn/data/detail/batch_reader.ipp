#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/detail/batch_reader.hpp>

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <exception>
#include <utility>

namespace audyn::data::detail {

AUDYN_INLINE std::string current_message() {
    try {
        throw;
    } catch (const c10::Error& error) {
        return error.what_without_backtrace();
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an exception that is not a std::exception";
    }
}

AUDYN_INLINE BatchReader::BatchReader(std::shared_ptr<const Dataset> dataset, Collate collate, bool skip_unreadable,
                                      bool pin_memory)
    : dataset_(std::move(dataset)),
      collate_(std::move(collate)),
      skip_unreadable_(skip_unreadable),
      pin_memory_(pin_memory) {}

AUDYN_INLINE ReadBatch BatchReader::read(std::span<const int64_t> indices, const RandomSource& source,
                                         const std::atomic<bool>& cancelled) const {
    const at::NoGradGuard no_grad;
    ReadBatch result;
    const BatchRandom random(source, indices);
    if (!collate_) {
        result.batch = read_whole(indices, random);
    }
    if (!result.batch) {
        read_each(indices, random, cancelled, result);
    }
    if (pin_memory_ && result.batch) {
        result.batch->pin_memory();
    }
    return result;
}

AUDYN_INLINE std::optional<Batch> BatchReader::read_whole(std::span<const int64_t> indices,
                                                          const BatchRandom& random) const {
    try {
        return dataset_->get_batch(indices, random);
    } catch (const DataError&) {
        if (!skip_unreadable_) {
            throw;
        }
        return std::nullopt; // Which sample it is shows when each is read by itself.
    } catch (...) {
        if (!skip_unreadable_) {
            throw DataError("cannot read the batch of " + range(indices) + ": " + current_message());
        }
        return std::nullopt;
    }
}

AUDYN_INLINE void BatchReader::read_each(std::span<const int64_t> indices, const BatchRandom& random,
                                         const std::atomic<bool>& cancelled, ReadBatch& result) const {
    std::vector<Sample> samples;
    std::vector<int64_t> read;
    samples.reserve(indices.size());
    read.reserve(indices.size());
    for (std::size_t i = 0; i < indices.size() && !cancelled; ++i) {
        try {
            Random generator = random[i];
            samples.push_back(dataset_->get(indices[i], generator));
            read.push_back(indices[i]);
        } catch (...) {
            std::string message = name_the_sample(current_message(), indices[i]);
            if (!skip_unreadable_) {
                throw DataError(message);
            }
            result.skipped.push_back({indices[i], std::move(message)});
        }
    }
    if (!samples.empty() && !cancelled) {
        result.batch = join(samples, read);
    }
}

AUDYN_INLINE Batch BatchReader::join(std::span<const Sample> samples, std::span<const int64_t> indices) const {
    const SampleNames names = [&](std::size_t position) { return dataset_->sample_name(indices[position]); };
    try {
        return collate_ ? collate_(samples, names) : default_collate(samples, names);
    } catch (const DataError&) {
        throw;
    } catch (...) {
        throw DataError("cannot collate the batch of " + range(indices) + ": " + current_message());
    }
}

AUDYN_INLINE std::string BatchReader::name_the_sample(std::string message, int64_t index) const {
    const std::string name = dataset_->sample_name(index);
    return message.find(name) == std::string::npos ? "cannot read " + name + ": " + message : message;
}

AUDYN_INLINE std::string BatchReader::range(std::span<const int64_t> indices) const {
    return dataset_->sample_name(indices.front()) + " to " + dataset_->sample_name(indices.back());
}

} // namespace audyn::data::detail
