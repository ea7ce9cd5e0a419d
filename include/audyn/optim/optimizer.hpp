#pragma once

#include <audyn/core/error.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <torch/ordered_dict.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace audyn::optim {

/// What `torch::nn::Module::named_parameters()` returns.
using NamedParameters = torch::OrderedDict<std::string, at::Tensor>;

/// Computes the loss again, gradients included.
using Closure = std::function<at::Tensor()>;

/// What schedulers keep in a group under Python's names; saved with the group, as in Python.
struct ScheduleValues {
    std::optional<double> initial_lr;
    std::optional<double> max_lr;
    std::optional<double> min_lr;
    std::optional<double> max_momentum;
    std::optional<double> base_momentum;
};

/// Parameters that are optimized with the same options; an entry of Python's `optimizer.param_groups`. Here lies what
/// schedulers change; the other options belong to the optimizer.
struct ParamGroup {
    /// One for each parameter, or none.
    std::vector<std::string> names;
    std::vector<at::Tensor> params;
    double lr = 0.0;
    /// SGD's momentum, or the first of Adam's betas; unset for an optimizer without.
    std::optional<double> momentum;
    bool momentum_is_beta1 = false;
    ScheduleValues schedule;
};

/// Parameters with the options of their own: `{names, params, AdamWOptions().lr(1e-4)}`.
template <class Options>
struct OptionsGroup {
    /// One for each parameter, or none.
    std::vector<std::string> names;
    std::vector<at::Tensor> params;
    Options options;
};

/// Base of the optimizers: parameter groups, gradients, and state dictionaries in Python's layout. Not thread-safe.
class Optimizer {
public:
    virtual ~Optimizer() = default;
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;

    /// "AdamW", ...: for messages.
    [[nodiscard]] virtual const char* name() const = 0;

    /// Updates every parameter that has a gradient.
    virtual void step() = 0;

    /// Divides the gradients by `grad_scale` and steps, unless `found_inf` is not zero: then nothing changes. Both are
    /// float32 scalars. An undefined `grad_scale` means that the gradients are unscaled already.
    /// No host synchronisation. \throws UsageError when supports_amp_scaling() is false.
    inline virtual void step(const at::Tensor& grad_scale, const at::Tensor& found_inf);

    /// Whether the step with `grad_scale` and `found_inf` exists; Python's `_step_supports_amp_scaling`.
    [[nodiscard]] virtual bool supports_amp_scaling() const { return false; }

    /// Calls `closure` with gradients enabled, steps, and returns the loss.
    inline virtual at::Tensor step(const Closure& closure);

    /// Drops the gradients, or fills them with zeros. Works with gradients that are views of DDP's buckets.
    void zero_grad(bool set_to_none = true);

    /// Every parameter, group by group: the order of the numbers in a state dictionary. Stays where it is.
    [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return *parameters_; }

    [[nodiscard]] std::vector<ParamGroup>& groups() { return *groups_; }
    [[nodiscard]] const std::vector<ParamGroup>& groups() const { return *groups_; }

    /// The groups, for a scheduler: it may outlive the optimizer, or see it moved.
    [[nodiscard]] std::shared_ptr<std::vector<ParamGroup>> shared_groups() const { return groups_; }

    /// The parameter's name, or "parameter 3" when names were not given.
    [[nodiscard]] std::string parameter_name(std::size_t index) const;

    /// `{"state": {0: {...}}, "param_groups": [{...}]}` as Python's. Tensors are shared, not copied.
    [[nodiscard]] StateDict state_dict() const;

    /// Takes a state of this class or of Python's class of the same name; tensors are copied to the parameters' devices
    /// and types. \throws StateError that lists every mismatch; nothing is changed then.
    void load_state_dict(const StateDict& state);

protected:
    /// \throws UsageError without parameters, for one that occurs twice, or for one that is no leaf.
    explicit Optimizer(std::vector<ParamGroup> groups);
    Optimizer(Optimizer&&) = default;
    Optimizer& operator=(Optimizer&&) = default;

    /// Options of a group under Python's names and in Python's order.
    [[nodiscard]] virtual StateDict group_options(std::size_t group) const = 0;
    /// Takes options that have every number and tuple of `group_options()`; what else is missing keeps Python's
    /// default.
    virtual void load_group_options(std::size_t group, const StateDict& options) = 0;
    /// Appends a line to `mismatches` for each option that the optimizer cannot follow.
    virtual void check_group_options(std::size_t, const StateDict&, std::vector<std::string>&) const {}
    /// State of a parameter, empty before its first step.
    [[nodiscard]] virtual StateDict parameter_state(std::size_t index) const = 0;
    /// Appends a line to `mismatches` for each thing in `state` that does not fit the parameter.
    virtual void check_parameter_state(std::size_t index, const StateDict& state,
                                       std::vector<std::string>& mismatches) const = 0;
    /// Takes a checked state; an empty one means that the parameter has not been stepped.
    virtual void load_parameter_state(std::size_t index, const StateDict& state) = 0;

private:
    void check_state(const StateDict& state, std::vector<std::string>& mismatches) const;
    void check_group(std::size_t group, const StateDict& saved, std::vector<std::string>& mismatches) const;

    std::shared_ptr<std::vector<ParamGroup>> groups_;
    std::unique_ptr<std::vector<at::Tensor>> parameters_;
};

namespace detail {

/// The number in `value`: an int, a float, or a tensor of one element, which Python allows for a learning rate.
inline double number(const state::Value& value) {
    return value.is<at::Tensor>() ? value.as_tensor().item<double>() : value.as_float();
}

inline bool is_number(const state::Value& value) {
    return value.is<int64_t>() || value.is<double>() || (value.is<at::Tensor>() && value.as_tensor().numel() == 1);
}

inline bool is_list(const state::Value& value) {
    return value.is<state::List>() || value.is<state::Tuple>();
}

/// `key` of `options` as a flag; `fallback` when it is missing, as in files of older versions, or None.
inline bool flag(const StateDict& options, const char* key, bool fallback = false) {
    const state::Value* value = options.find(key);
    return value == nullptr || value->is_none() ? fallback : value->as_bool();
}

/// Calls `function` with the key and a reference to each value.
template <class Values, class Function>
void for_each_schedule_value(Values& values, const Function& function) {
    function("initial_lr", values.initial_lr);
    function("max_lr", values.max_lr);
    function("min_lr", values.min_lr);
    function("max_momentum", values.max_momentum);
    function("base_momentum", values.base_momentum);
}

} // namespace detail

inline Optimizer::Optimizer(std::vector<ParamGroup> groups)
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

inline void Optimizer::step(const at::Tensor&, const at::Tensor&) {
    throw UsageError(std::string(name()) + " has no step that unscales gradients; unscale them before step()");
}

inline at::Tensor Optimizer::step(const Closure& closure) {
    at::Tensor loss;
    {
        const at::AutoGradMode enable_grad(true);
        loss = closure();
    }
    step();
    return loss;
}

inline void Optimizer::zero_grad(bool set_to_none) {
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

inline std::string Optimizer::parameter_name(std::size_t index) const {
    std::size_t place = index;
    for (const ParamGroup& group : *groups_) {
        if (place < group.params.size()) {
            return group.names.empty() ? "parameter " + std::to_string(index) : group.names[place];
        }
        place -= group.params.size();
    }
    throw UsageError("the optimizer has no parameter " + std::to_string(index));
}

inline StateDict Optimizer::state_dict() const {
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

inline void Optimizer::check_group(std::size_t group, const StateDict& saved,
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
}

inline void Optimizer::check_state(const StateDict& state, std::vector<std::string>& mismatches) const {
    const state::Value* saved_groups = state.find("param_groups");
    const state::Value* states = state.find("state");
    if (saved_groups == nullptr || !detail::is_list(*saved_groups) || states == nullptr || !states->is<StateDict>()) {
        mismatches.emplace_back("it is not an optimizer's state: 'state' or 'param_groups' is missing");
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

inline void Optimizer::load_state_dict(const StateDict& state) {
    std::vector<std::string> mismatches;
    check_state(state, mismatches);
    if (!mismatches.empty()) {
        std::string message = std::string("the state does not fit the optimizer ") + name() + ":";
        for (const std::string& mismatch : mismatches) {
            message += "\n  " + mismatch;
        }
        throw StateError(message);
    }
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
