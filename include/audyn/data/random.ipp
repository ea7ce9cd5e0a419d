#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/random.hpp>

#include <cmath>

namespace audyn::data {

AUDYN_INLINE auto Random::operator()() -> result_type {
    state_ += 0x9E3779B97F4A7C15ULL;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31);
}

AUDYN_INLINE double Random::normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
}

AUDYN_INLINE Random RandomSource::for_sample(int64_t index) const {
    // Each stage is a full mix, so that near seeds, epochs and indices give unrelated streams.
    const uint64_t epoch_seed = Random(Random(seed_)() ^ epoch_)();
    return Random(Random(epoch_seed ^ static_cast<uint64_t>(index))());
}

} // namespace audyn::data
