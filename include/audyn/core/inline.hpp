#pragma once

/// `inline`, as this is a header-only library; nothing in a program that links audyn::compiled, where AUDYN_COMPILED is
/// defined and the bodies of functions (files X.ipp beside X.hpp) come from that library instead of every source file.
#ifdef AUDYN_COMPILED
#    define AUDYN_INLINE
#else
#    define AUDYN_INLINE inline
#endif
