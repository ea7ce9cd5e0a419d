#pragma once

#include <audyn/config/bind.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>

namespace audyn::config::detail {

AUDYN_INLINE void find_unknown_keys(const Config& dict, const std::vector<std::string>& known, Mistakes& mistakes) {
    for (const auto& [key, value] : dict.items()) {
        if (std::ranges::find(known, key) == known.end()) {
            const std::string hint =
                nearest_name(key, known).empty() && known.size() <= 20 ? concat({"Known are: ", join(known), "."}) : "";
            mistakes.add(value.key_error(concat({"is not known", did_you_mean(key, known)}), hint).what());
        }
    }
}

} // namespace audyn::config::detail
