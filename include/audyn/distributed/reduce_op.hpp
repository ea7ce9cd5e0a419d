#pragma once

namespace audyn::distributed {

/// How values of several ranks become one.
enum class ReduceOp { sum, mean, min, max, product };

} // namespace audyn::distributed
