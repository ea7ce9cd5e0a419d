#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/loader.hpp>

namespace audyn::data {

AUDYN_INLINE int64_t Loader::consumed_samples_of(int64_t epoch, int64_t batches) {
    start_epoch(epoch);
    for (int64_t i = 0; i < batches && next(); ++i) {
    }
    return consumed_samples();
}

} // namespace audyn::data
