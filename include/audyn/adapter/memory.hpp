#pragma once

#include <cstdlib>

#if defined(__GLIBC__)
#    include <malloc.h>
#endif

namespace audyn::adapter {

/// Lets the C library keep freed memory for the next step instead of giving it back to the system: a training frees and
/// allocates the same tensors all the time, and fresh pages cost more than the arithmetic on small ones. Does nothing
/// with another C library, or where the user has set glibc's own MALLOC_ variables.
inline void keep_freed_memory() {
#if defined(__GLIBC__)
    if (std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr && std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) {
        mallopt(M_MMAP_THRESHOLD, 32 << 20); // The largest that glibc takes.
        mallopt(M_TRIM_THRESHOLD, 1 << 30);
        mallopt(M_TOP_PAD, 16 << 20);
    }
#endif
}

} // namespace audyn::adapter
