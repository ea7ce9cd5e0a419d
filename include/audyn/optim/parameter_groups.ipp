#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/glob.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/options.hpp>
#include <audyn/optim/parameter_groups.hpp>

#include <algorithm>
#include <cstddef>

namespace audyn::optim {

namespace detail {

/// The first pattern that fits, or null.
AUDYN_INLINE const std::string* fitting_pattern(const NamePatterns& patterns, const std::string& name) {
    const auto found = std::find_if(patterns.begin(), patterns.end(),
                                    [&](const std::string& pattern) { return core::glob_match(pattern, name); });
    return found == patterns.end() ? nullptr : &*found;
}

AUDYN_INLINE void check_patterns(const std::vector<NamePatterns>& groups, const std::vector<std::string>& names) {
    for (const NamePatterns& patterns : groups) {
        for (const std::string& pattern : patterns) {
            if (std::none_of(names.begin(), names.end(),
                             [&](const std::string& name) { return core::glob_match(pattern, name); })) {
                std::string known;
                for (const std::string& name : names) {
                    known += (known.empty() ? "" : ", ") + name;
                }
                throw UsageError("the pattern '" + pattern + "' fits no parameter; there are: " + known);
            }
        }
        if (patterns.empty()) {
            throw UsageError("a parameter group needs at least one pattern of names");
        }
    }
}

} // namespace detail

AUDYN_INLINE std::vector<NamedTensors> split_by_name(const NamedParameters& parameters,
                                                     const std::vector<NamePatterns>& groups) {
    const auto all = detail::options_group(parameters, 0);
    detail::check_patterns(groups, all.names);
    std::vector<NamedTensors> result(groups.size() + 1);
    for (std::size_t i = 0; i < all.names.size(); ++i) {
        const std::string& name = all.names[i];
        std::size_t chosen = 0;
        const std::string* chosen_pattern = nullptr;
        for (std::size_t g = 0; g < groups.size(); ++g) {
            const std::string* pattern = detail::fitting_pattern(groups[g], name);
            if (pattern != nullptr && chosen_pattern != nullptr) {
                throw UsageError("two parameter groups match '" + name + "', by '" + *chosen_pattern + "' and by '" +
                                 *pattern + "'; each parameter belongs to one");
            }
            if (pattern != nullptr) {
                chosen = g + 1;
                chosen_pattern = pattern;
            }
        }
        result[chosen].names.push_back(name);
        result[chosen].params.push_back(all.params[i]);
    }
    return result;
}

} // namespace audyn::optim
