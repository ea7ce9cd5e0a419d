#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstdint>

namespace audyn::data {

/// The order in which an epoch visits the samples, over the whole job: every process computes the same order and reads
/// its `Shard` of it.
class Sampler {
public:
    Sampler() = default;
    Sampler(const Sampler&) = delete;
    Sampler& operator=(const Sampler&) = delete;
    virtual ~Sampler() = default;

    /// Number of samples of an epoch, over the whole job.
    [[nodiscard]] virtual int64_t size() const = 0;

    /// Chooses the epoch (0-based) whose order `indices` gives.
    virtual void set_epoch([[maybe_unused]] int64_t epoch) {}

    /// The samples' indices in the order of the epoch: int64, (size()), contiguous. It depends on the epoch alone.
    [[nodiscard]] virtual at::Tensor indices() const = 0;

    /// What decides the order beside the epoch. Part of a checkpoint.
    [[nodiscard]] virtual StateDict state_dict() const { return {}; }
    /// \throws StateError
    virtual void load_state_dict(const StateDict&) {}
};

/// 0, 1, ..., size - 1.
class SequentialSampler : public Sampler {
public:
    explicit SequentialSampler(int64_t size) : size_(size) {}

    [[nodiscard]] int64_t size() const override { return size_; }
    [[nodiscard]] at::Tensor indices() const override { return at::arange(size_, at::kLong); }

private:
    int64_t size_;
};

/// A new permutation in each epoch: `torch.randperm` of a generator seeded with seed + epoch, as Python's
/// `DistributedSampler` draws it.
class RandomSampler : public Sampler {
public:
    RandomSampler(int64_t size, uint64_t seed) : size_(size), seed_(seed) {}

    [[nodiscard]] int64_t size() const override { return size_; }
    void set_epoch(int64_t epoch) override { epoch_ = static_cast<uint64_t>(epoch); }
    [[nodiscard]] AUDYN_INLINE at::Tensor indices() const override;
    [[nodiscard]] StateDict state_dict() const override { return {{"seed", static_cast<int64_t>(seed_)}}; }
    void load_state_dict(const StateDict& state) override { seed_ = static_cast<uint64_t>(state.at("seed").as_int()); }

private:
    int64_t size_;
    uint64_t seed_;
    uint64_t epoch_ = 0;
};

/// What becomes of samples, or batches, that do not divide evenly among the processes.
enum class UnevenShares {
    /// Some are repeated, from the start of the order: Python's `drop_last=False`.
    pad,
    /// The last are left out: Python's `drop_last=True`.
    drop,
    /// Some processes get one less: for validation, where each counts once and no step waits for others.
    keep,
};

/// The part of an epoch that one process reads: positions rank, rank + world_size, ... of the order, as with Python's
/// `DistributedSampler`. So the first n * world_size positions are what all processes have read after n samples each.
struct Shard {
    int64_t rank = 0;
    int64_t world_size = 1;
    UnevenShares uneven = UnevenShares::pad;

    /// \throws UsageError when rank or world_size is impossible.
    void check() const;

    /// Number of samples, or batches, of this process, of `samples` in all.
    [[nodiscard]] int64_t size(int64_t samples) const;

    /// This process's part of `order` (int64, contiguous) after the job has read its first `consumed_samples`.
    [[nodiscard]] at::Tensor indices(const at::Tensor& order, int64_t consumed_samples) const;
};

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/sampler.ipp>
#endif
