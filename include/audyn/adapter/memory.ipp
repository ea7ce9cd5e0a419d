#pragma once

#include <audyn/adapter/memory.hpp>
#include <audyn/core/inline.hpp>

#include <cstdlib>

namespace audyn::adapter {

AUDYN_INLINE void keep_freed_memory() {
#if defined(__GLIBC__)
    if (std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr && std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) {
        mallopt(M_MMAP_THRESHOLD, 32 << 20); // The largest that glibc takes.
        mallopt(M_TRIM_THRESHOLD, 1 << 30);
        mallopt(M_TOP_PAD, 16 << 20);
    }
#endif
}

} // namespace audyn::adapter
