#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/state/state_dict.hpp>

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

    /// Samples that the first `batches` batches of `epoch` hold, over the whole job: where a checkpoint that counts
    /// batches only, as Python's do, is to be resumed. Here by reading them; ends the epoch that was begun.
    [[nodiscard]] AUDYN_INLINE virtual int64_t consumed_samples_of(int64_t epoch, int64_t batches);

    /// This rank's batches in what is left of `epoch` after its first `consumed_samples` samples, for a run that goes
    /// on with another number of ranks; ends the epoch that was begun. \throws StateError where the loader cannot tell
    [[nodiscard]] AUDYN_INLINE virtual int64_t remaining_batches(int64_t epoch, int64_t consumed_samples);

    /// What decides the order and the content of epochs, beside the options: seeds. Part of a checkpoint.
    [[nodiscard]] virtual StateDict state_dict() const { return {}; }
    /// Takes what `state_dict` gave, before `start_epoch`. \throws StateError
    virtual void load_state_dict(const StateDict&) {}
};

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/loader.ipp>
#endif
