#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>

#include <cstdint>
#include <limits>
#include <span>

namespace audyn::data {

/// The random generator of one sample: small enough to be made anew for each, so that what a dataset draws depends on
/// (seed, epoch, index) alone, never on rank, worker or time. SplitMix64 (Steele, Lea, Flood 2014). It meets
/// `std::uniform_random_bit_generator`.
class Random {
public:
    using result_type = uint64_t;

    explicit Random(uint64_t seed) : state_(seed) {}

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

    result_type operator()();

    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
    /// Uniform in [low, high).
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    /// Uniform integer in [0, bound), for a positive `bound` of at most 2^52.
    int64_t integer(int64_t bound) { return static_cast<int64_t>(uniform() * static_cast<double>(bound)); }
    /// Normal with mean 0 and standard deviation 1 (Box and Muller 1958).
    double normal();
    /// A libtorch generator seeded from here, for tensor operations that take one.
    [[nodiscard]] at::Generator generator() { return at::detail::createCPUGenerator((*this)()); }

private:
    uint64_t state_;
};

/// Makes the generator of each sample of one epoch.
class RandomSource {
public:
    RandomSource(uint64_t seed, int64_t epoch) : seed_(seed), epoch_(static_cast<uint64_t>(epoch)) {}

    [[nodiscard]] Random for_sample(int64_t index) const;

private:
    uint64_t seed_;
    uint64_t epoch_;
};

/// The generators of the samples of one batch, by their position in it.
class BatchRandom {
public:
    /// `indices` are the samples' and must outlive this object.
    BatchRandom(const RandomSource& source, std::span<const int64_t> indices) : source_(source), indices_(indices) {}

    [[nodiscard]] Random operator[](std::size_t position) const { return source_.for_sample(indices_[position]); }

private:
    RandomSource source_;
    std::span<const int64_t> indices_;
};

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/random.ipp>
#endif
