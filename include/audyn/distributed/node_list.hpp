#pragma once

#include <audyn/core/inline.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace audyn::distributed {

/// The hosts of a Slurm node list in its order: `node[08-10,12],login1` names node08, node09, node10, node12 and
/// login1. \throws DistributedError when it is none.
[[nodiscard]] AUDYN_INLINE std::vector<std::string> expand_node_list(std::string_view text);

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/node_list.ipp>
#endif
