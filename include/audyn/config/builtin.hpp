#pragma once

#include <audyn/config/search_path.hpp>
#include <audyn/core/inline.hpp>

#include <span>

namespace audyn::config {

/// The groups compiled into every program. Keys and defaults are Audyn's, so that an Audyn configuration composes as it
/// is; what Audyn lacks stands beside them.
[[nodiscard]] AUDYN_INLINE std::span<const EmbeddedFile> builtin_files();

/// The search path that has the built-in groups only.
[[nodiscard]] AUDYN_INLINE SearchPath builtin_search_path();

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/builtin.ipp>
#endif
