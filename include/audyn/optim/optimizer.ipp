#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>

#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <unordered_set>
#include <utility>

namespace audyn::optim::detail {

AUDYN_INLINE bool is_number(const state::Value& value) {
    return value.is<int64_t>() || value.is<double>() || (value.is<at::Tensor>() && value.as_tensor().numel() == 1);
}

AUDYN_INLINE bool flag(const StateDict& options, const char* key, bool fallback) {
    const state::Value* value = options.find(key);
    return value == nullptr || value->is_none() ? fallback : value->as_bool();
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE Optimizer::Optimizer(std::vector<ParamGroup> groups)
    : groups_(std::make_shared<std::vector<ParamGroup>>(std::move(groups))),
      parameters_(std::make_unique<std::vector<at::Tensor>>()) {
    std::unordered_set<const void*> seen;
    for (const ParamGroup& group : *groups_) {
        if (group.params.empty()) {
            throw UsageError("an optimizer needs parameters: got an empty list");
        }
        if (!group.names.empty() && group.names.size() != group.params.size()) {
            throw UsageError("a group of " + std::to_string(group.params.size()) + " parameters has " +
                             std::to_string(group.names.size()) + " names; give one for each, or none");
        }
        parameters_->insert(parameters_->end(), group.params.begin(), group.params.end());
    }
    if (parameters_->empty()) {
        throw UsageError("an optimizer needs parameters: got no group");
    }
    for (std::size_t i = 0; i < parameters_->size(); ++i) {
        const at::Tensor& parameter = (*parameters_)[i];
        if (!parameter.defined() || !(parameter.is_leaf() || parameter.retains_grad())) {
            throw UsageError("'" + parameter_name(i) + "' cannot be optimized: it is not a leaf tensor");
        }
        if (!seen.insert(parameter.unsafeGetTensorImpl()).second) {
            throw UsageError("'" + parameter_name(i) + "' occurs twice in the optimizer's parameters");
        }
    }
}

AUDYN_INLINE void Optimizer::step(const at::Tensor&, const at::Tensor&) {
    throw UsageError(std::string(name()) + " has no step that unscales gradients; unscale them before step()");
}

AUDYN_INLINE at::Tensor Optimizer::step(const Closure& closure) {
    at::Tensor loss;
    {
        const at::AutoGradMode enable_grad(true);
        loss = closure();
    }
    step();
    return loss;
}

AUDYN_INLINE void Optimizer::zero_grad(bool set_to_none) {
    for (const at::Tensor& parameter : *parameters_) {
        at::Tensor& grad = parameter.mutable_grad();
        if (!grad.defined()) {
            continue;
        }
        if (set_to_none) {
            grad.reset();
            continue;
        }
        // Not detach_() always: it refuses views, and gradients may be views of DDP's buckets.
        if (grad.grad_fn()) {
            grad.detach_();
        } else {
            grad.requires_grad_(false);
        }
        grad.zero_();
    }
}

AUDYN_INLINE std::string Optimizer::parameter_name(std::size_t index) const {
    std::size_t place = index;
    for (const ParamGroup& group : *groups_) {
        if (place < group.params.size()) {
            return group.names.empty() ? "parameter " + std::to_string(index) : group.names[place];
        }
        place -= group.params.size();
    }
    throw UsageError("the optimizer has no parameter " + std::to_string(index));
}

AUDYN_INLINE StateDict Optimizer::state_dict() const {
    StateDict parameter_states;
    for (std::size_t i = 0; i < parameters_->size(); ++i) {
        if (StateDict state = parameter_state(i); !state.empty()) {
            parameter_states.set(static_cast<int64_t>(i), std::move(state));
        }
    }
    state::List groups;
    int64_t next = 0;
    for (std::size_t g = 0; g < groups_->size(); ++g) {
        StateDict group = group_options(g);
        detail::for_each_schedule_value((*groups_)[g].schedule,
                                        [&](const char* key, const std::optional<double>& value) {
                                            if (value) {
                                                group.set(key, *value);
                                            }
                                        });
        state::List params;
        for (std::size_t i = 0; i < (*groups_)[g].params.size(); ++i) {
            params.emplace_back(next++);
        }
        group.set("params", std::move(params));
        groups.emplace_back(std::move(group));
    }
    return {{"state", std::move(parameter_states)}, {"param_groups", std::move(groups)}};
}

AUDYN_INLINE void Optimizer::check_group(std::size_t group, const StateDict& saved,
                                         std::vector<std::string>& mismatches) const {
    const std::string place = "param_groups[" + std::to_string(group) + "]";
    for (const auto& [key, own] : group_options(group)) {
        const bool required = detail::is_number(own) || detail::is_list(own);
        const state::Value* value = saved.find(key);
        if (value == nullptr) {
            if (required) {
                mismatches.push_back(place + " has no '" + key.to_string() + "'");
            }
            continue;
        }
        const bool fits = detail::is_number(own) ? detail::is_number(*value)
                          : detail::is_list(own)
                              ? detail::is_list(*value) && value->as_list().size() == own.as_list().size()
                              : !own.is<bool>() || value->is_none() || value->is<bool>();
        if (!fits) {
            mismatches.push_back(place + "['" + key.to_string() + "'] is of kind " + value->kind() + " where " +
                                 own.kind() + " is needed");
        }
    }
    const ScheduleValues own_schedule;
    detail::for_each_schedule_value(own_schedule, [&](const char* key, const std::optional<double>&) {
        if (const state::Value* value = saved.find(key); value != nullptr && !detail::is_number(*value)) {
            mismatches.push_back(place + "['" + key + "'] is of kind " + value->kind() + ", not a number");
        }
    });
}

AUDYN_INLINE void Optimizer::find_mismatches(const StateDict& state, std::vector<std::string>& mismatches) const {
    const state::Value* saved_groups = state.find("param_groups");
    const state::Value* states = state.find("state");
    if (saved_groups == nullptr || !detail::is_list(*saved_groups) || states == nullptr || !states->is<StateDict>()) {
        std::string keys;
        for (const auto& [key, value] : state) {
            keys += (keys.empty() ? "" : ", ") + key.to_string();
        }
        mismatches.push_back("it is not an optimizer's state: 'state' or 'param_groups' is missing" +
                             (keys.empty() ? "" : "; it has: " + keys));
        return;
    }
    const std::vector<state::Value>& groups = saved_groups->as_list();
    if (groups.size() != groups_->size()) {
        mismatches.push_back("it has " + std::to_string(groups.size()) + " parameter groups, the optimizer has " +
                             std::to_string(groups_->size()));
        return;
    }
    std::size_t index = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const StateDict& group = groups[g].as_dict();
        check_group(g, group, mismatches);
        check_group_options(g, group, mismatches);
        const std::vector<state::Value>& params = group.at("params").as_list();
        const std::size_t count = (*groups_)[g].params.size();
        if (params.size() != count) {
            mismatches.push_back("param_groups[" + std::to_string(g) + "] has " + std::to_string(params.size()) +
                                 " parameters, the optimizer's group has " + std::to_string(count));
            index += count;
            continue;
        }
        for (const state::Value& number : params) {
            const state::Value* saved = states->as_dict().find(number.as_int());
            check_parameter_state(index++, saved == nullptr ? StateDict() : saved->as_dict(), mismatches);
        }
    }
}

AUDYN_INLINE void Optimizer::check_state_dict(const StateDict& state) const {
    std::vector<std::string> mismatches;
    find_mismatches(state, mismatches);
    if (!mismatches.empty()) {
        std::string message = std::string("the state does not fit the optimizer ") + name() + ":";
        for (const std::string& mismatch : mismatches) {
            message += "\n  " + mismatch;
        }
        throw StateError(message);
    }
}

AUDYN_INLINE void Optimizer::load_state_dict(const StateDict& state) {
    check_state_dict(state);
    const StateDict& states = state.at("state").as_dict();
    std::size_t index = 0;
    for (std::size_t g = 0; g < groups_->size(); ++g) {
        const StateDict& group = state.at("param_groups").as_list()[g].as_dict();
        load_group_options(g, group);
        detail::for_each_schedule_value((*groups_)[g].schedule, [&](const char* key, std::optional<double>& value) {
            const state::Value* saved = group.find(key);
            value = saved == nullptr ? std::nullopt : std::optional<double>(detail::number(*saved));
        });
        for (const state::Value& number : group.at("params").as_list()) {
            const state::Value* saved = states.find(number.as_int());
            load_parameter_state(index++, saved == nullptr ? StateDict() : saved->as_dict());
        }
    }
}

} // namespace audyn::optim
