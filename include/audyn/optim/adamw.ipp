#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/adamw.hpp>

namespace audyn::optim {

AUDYN_INLINE AdamW::AdamW(const NamedParameters& parameters, const AdamWOptions& options)
    : Adam(parameters, options.as_adam()) {}

AUDYN_INLINE AdamW::AdamW(std::vector<at::Tensor> parameters, const AdamWOptions& options)
    : Adam(std::move(parameters), options.as_adam()) {}

AUDYN_INLINE void AdamW::load_group_options(std::size_t group, const StateDict& saved) {
    StateDict options = saved;
    options.set("decoupled_weight_decay", true);
    Adam::load_group_options(group, options);
}

AUDYN_INLINE std::vector<OptionsGroup<AdamOptions>>
AdamW::as_adam(const std::vector<OptionsGroup<AdamWOptions>>& groups) {
    std::vector<OptionsGroup<AdamOptions>> result;
    for (const OptionsGroup<AdamWOptions>& group : groups) {
        result.push_back({group.names, group.params, group.options.as_adam()});
    }
    return result;
}

} // namespace audyn::optim
