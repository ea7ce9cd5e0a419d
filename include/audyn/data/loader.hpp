#pragma once

#include <audyn/data/batch.hpp>

#include <cstdint>
#include <optional>

namespace audyn::data {

/// A source of batches, epoch by epoch: what the trainer consumes. `DataLoader` is the toolkit's; a program may bring
/// its own. One thread calls these functions.
class Loader {
public:
    Loader() = default;
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;
    virtual ~Loader() = default;

    /// Number of batches in a whole epoch of this rank.
    [[nodiscard]] virtual int64_t size() const = 0;

    /// Begins `epoch` (0-based) after its first `consumed_samples` samples, counted over the whole job in the order of
    /// the epoch's permutation; they are skipped without being read. What an unfinished epoch had prefetched is
    /// dropped.
    virtual void start_epoch(int64_t epoch, int64_t consumed_samples = 0) = 0;

    /// The next batch of the epoch, or nothing at its end.
    /// \throws DataError that names the sample which could not be read.
    [[nodiscard]] virtual std::optional<Batch> next() = 0;

    /// Samples that the batches given out so far in this epoch hold, over the whole job: the position to resume from.
    [[nodiscard]] virtual int64_t consumed_samples() const = 0;
};

} // namespace audyn::data
