#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/dataset.hpp>

namespace audyn::data {

AUDYN_INLINE std::optional<Batch> Dataset::get_batch([[maybe_unused]] std::span<const int64_t> indices,
                                                     [[maybe_unused]] const BatchRandom& random) const {
    return std::nullopt;
}

} // namespace audyn::data
