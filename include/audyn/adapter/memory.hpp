#pragma once

#include <audyn/core/inline.hpp>

#if defined(__GLIBC__)
#    include <malloc.h>
#endif

namespace audyn::adapter {

/// Lets the C library keep freed memory for the next step instead of giving it back to the system: a training frees and
/// allocates the same tensors all the time, and fresh pages cost more than the arithmetic on small ones. Does nothing
/// with another C library, or where the user has set glibc's own MALLOC_ variables.
AUDYN_INLINE void keep_freed_memory();

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/memory.ipp>
#endif
