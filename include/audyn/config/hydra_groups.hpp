#pragma once

#include <audyn/config/search_path.hpp>
#include <audyn/core/inline.hpp>

#include <span>

namespace audyn::config {

/// The tree behind `hydra.*`: where a run writes, how a job is called, what was chosen. Keys are Hydra's; what has no
/// meaning here (launcher, sweeper and logging plug-ins) is there so that configurations that mention it compose.
[[nodiscard]] AUDYN_INLINE std::span<const EmbeddedFile> hydra_files();

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/hydra_groups.ipp>
#endif
