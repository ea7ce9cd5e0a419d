#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/options.hpp>

#include <c10/util/StringUtil.h>

namespace audyn::optim::detail {

AUDYN_INLINE void check_option(const char* name, double value, bool holds, const char* range) {
    if (!holds) {
        throw UsageError(c10::str("the optimizer's ", name, " must be ", range, ", got ", value));
    }
}

} // namespace audyn::optim::detail
