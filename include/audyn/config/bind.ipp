#pragma once

#include <audyn/config/bind.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

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
