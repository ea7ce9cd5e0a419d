#pragma once

#include <cstddef>
#include <vector>

namespace audyn::distributed::detail {

/// Positions of a model's trained parameters, bucket by bucket.
using BucketIndices = std::vector<std::vector<std::size_t>>;

} // namespace audyn::distributed::detail
