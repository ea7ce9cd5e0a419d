#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>

#include <unordered_set>
#include <utility>
#include <vector>

namespace audyn::optim::detail {

/// \throws UsageError that names the option unless `holds`.
AUDYN_INLINE void check_option(const char* name, double value, bool holds, const char* range);

/// \throws UsageError unless both are at least 0 and less than 1.
AUDYN_INLINE void check_betas(std::pair<double, double> betas);

/// One group of all parameters, each once: tied parameters count under their first name, as in Python.
template <class Options>
OptionsGroup<Options> options_group(const NamedParameters& parameters, const Options& options) {
    OptionsGroup<Options> group{{}, {}, options};
    std::unordered_set<const void*> seen;
    for (const auto& parameter : parameters) {
        if (seen.insert(parameter.value().unsafeGetTensorImpl()).second) {
            group.names.push_back(parameter.key());
            group.params.push_back(parameter.value());
        }
    }
    return group;
}

/// The part of `groups` that schedulers see. Options have `betas()`, or `momentum()`, or neither.
template <class Options>
std::vector<ParamGroup> param_groups(const std::vector<OptionsGroup<Options>>& groups) {
    std::vector<ParamGroup> result;
    for (const OptionsGroup<Options>& group : groups) {
        group.options.check();
        ParamGroup& own = result.emplace_back();
        own.names = group.names;
        own.params = group.params;
        own.lr = group.options.lr();
        if constexpr (requires { group.options.betas(); }) {
            own.momentum = group.options.betas().first;
            own.momentum_is_beta1 = true;
        } else if constexpr (requires { group.options.momentum(); }) {
            own.momentum = group.options.momentum();
        }
    }
    return result;
}

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/options.ipp>
#endif
