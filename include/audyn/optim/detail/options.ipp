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

AUDYN_INLINE void check_betas(std::pair<double, double> betas) {
    check_option("betas[0]", betas.first, betas.first >= 0.0 && betas.first < 1.0, "in [0, 1)");
    check_option("betas[1]", betas.second, betas.second >= 0.0 && betas.second < 1.0, "in [0, 1)");
}

} // namespace audyn::optim::detail
