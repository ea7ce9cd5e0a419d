#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <torch/ordered_dict.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
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
    std::optional<double> swa_lr;
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
    /// The optimizer's name where there are several.
    std::string optimizer_name = {};
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
    AUDYN_INLINE virtual void step(const at::Tensor& grad_scale, const at::Tensor& found_inf);

    /// Whether the step with `grad_scale` and `found_inf` exists; Python's `_step_supports_amp_scaling`.
    [[nodiscard]] virtual bool supports_amp_scaling() const { return false; }

    /// Whether step(closure) is the only step, as of LBFGS.
    [[nodiscard]] virtual bool needs_closure() const { return false; }

    /// Calls `closure` with gradients enabled, steps, and returns the loss.
    AUDYN_INLINE virtual at::Tensor step(const Closure& closure);

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
    /// \throws StateError where load_state_dict() would.
    void check_state_dict(const StateDict& state) const;

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
    void find_mismatches(const StateDict& state, std::vector<std::string>& mismatches) const;
    void check_group(std::size_t group, const StateDict& saved, std::vector<std::string>& mismatches) const;

    std::shared_ptr<std::vector<ParamGroup>> groups_;
    std::unique_ptr<std::vector<at::Tensor>> parameters_;
};

namespace detail {

/// The number in `value`: an int, a float, or a tensor of one element, which Python allows for a learning rate.
inline double number(const state::Value& value) {
    return value.is<at::Tensor>() ? value.as_tensor().item<double>() : value.as_float();
}

AUDYN_INLINE bool is_number(const state::Value& value);

inline bool is_list(const state::Value& value) {
    return value.is<state::List>() || value.is<state::Tuple>();
}

/// `key` of `options` as a flag; `fallback` when it is missing, as in files of older versions, or None.
AUDYN_INLINE bool flag(const StateDict& options, const char* key, bool fallback = false);

/// Calls `function` with the key and a reference to each value.
template <class Values, class Function>
void for_each_schedule_value(Values& values, const Function& function) {
    function("initial_lr", values.initial_lr);
    function("max_lr", values.max_lr);
    function("min_lr", values.min_lr);
    function("max_momentum", values.max_momentum);
    function("base_momentum", values.base_momentum);
    function("swa_lr", values.swa_lr);
}

} // namespace detail

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/optimizer.ipp>
#endif
