#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/data/collate.hpp>
#include <audyn/data/dataset.hpp>
#include <audyn/data/random.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace audyn::data::detail {

/// A sample that could not be read and was left out.
struct SkippedSample {
    int64_t index;
    std::string reason;
};

/// A batch, or nothing when none of its samples could be read.
struct ReadBatch {
    std::optional<Batch> batch;
    std::vector<SkippedSample> skipped;
};

/// The message of the exception that is being handled, without libtorch's backtrace.
AUDYN_INLINE std::string current_message();

/// Reads the samples of a batch and joins them. Several threads use one reader at once.
class BatchReader {
public:
    BatchReader(std::shared_ptr<const Dataset> dataset, Collate collate, bool skip_unreadable, bool pin_memory);

    [[nodiscard]] const Dataset& dataset() const { return *dataset_; }

    /// \throws DataError that names the sample. Once `cancelled` is true it returns soon, with anything.
    [[nodiscard]] ReadBatch read(std::span<const int64_t> indices, const RandomSource& source,
                                 const std::atomic<bool>& cancelled) const;

private:
    [[nodiscard]] std::optional<Batch> read_whole(std::span<const int64_t> indices, const BatchRandom& random) const;

    void read_each(std::span<const int64_t> indices, const BatchRandom& random, const std::atomic<bool>& cancelled,
                   ReadBatch& result) const;

    [[nodiscard]] Batch join(std::span<const Sample> samples, std::span<const int64_t> indices) const;

    [[nodiscard]] std::string name_the_sample(std::string message, int64_t index) const;

    [[nodiscard]] std::string range(std::span<const int64_t> indices) const;

    std::shared_ptr<const Dataset> dataset_;
    Collate collate_; // Empty for the default, which lets the dataset read whole batches.
    bool skip_unreadable_;
    bool pin_memory_;
};

} // namespace audyn::data::detail

#ifndef AUDYN_COMPILED
#    include <audyn/data/detail/batch_reader.ipp>
#endif
