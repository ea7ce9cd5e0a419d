#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/loader.hpp>

namespace audyn::data {

AUDYN_INLINE int64_t Loader::consumed_samples_of(int64_t epoch, int64_t batches) {
    start_epoch(epoch);
    for (int64_t i = 0; i < batches && next(); ++i) {
    }
    return consumed_samples();
}

AUDYN_INLINE int64_t Loader::remaining_batches(int64_t /*epoch*/, int64_t consumed_samples) {
    if (consumed_samples != 0) {
        throw StateError("this loader cannot go on within an epoch with another number of ranks");
    }
    return size();
}

} // namespace audyn::data
