#pragma once

#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/moving_average.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace audyn::optim {

/// One of several optimizers.
struct NamedOptimizer {
    std::string name;
    AnyOptimizer optimizer;
};

/// Several optimizers, each with parameters of its own, that step one after the other; Audyn's class of this name, with
/// its state `{name: state, ...}`. Those with a moving average keep it. A scheduler belongs to one of them:
/// MultiLRSchedulers.
class MultiOptimizers {
public:
    /// \throws UsageError when there is none, and for a name, or a parameter, that occurs twice.
    explicit MultiOptimizers(std::vector<NamedOptimizer> optimizers);

    void step();
    /// \throws UsageError when one of them has no such step.
    void step(const at::Tensor& grad_scale, const at::Tensor& found_inf);
    /// Each calls `closure` for itself, after those before it have stepped. Returns the loss of the first call.
    at::Tensor step(const Closure& closure);
    void zero_grad(bool set_to_none = true);

    [[nodiscard]] const char* name() const { return "MultiOptimizers"; }
    /// Whether all of them do.
    [[nodiscard]] bool supports_amp_scaling() const;
    /// Whether one of them does.
    [[nodiscard]] bool needs_closure() const;
    /// Of all, in their order.
    [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }
    /// A copy of all groups, with the rates of now; they are changed by `optimizer(name).groups()`.
    [[nodiscard]] const std::vector<ParamGroup>& groups() const;

    [[nodiscard]] std::vector<NamedOptimizer>& optimizers() { return optimizers_; }
    [[nodiscard]] const std::vector<NamedOptimizer>& optimizers() const { return optimizers_; }
    /// \throws UsageError that tells the names when there is none of this one.
    [[nodiscard]] AnyOptimizer& optimizer(const std::string& name);

    /// The moving averages of all that have one, or nullptr.
    [[nodiscard]] AveragedParameters* averaged_parameters() { return averages_.get(); }

    [[nodiscard]] StateDict state_dict() const;
    /// \throws StateError for names that are missing or unknown, and for a state that does not fit its optimizer;
    /// nothing is changed then.
    void load_state_dict(const StateDict& state);
    /// \throws StateError where load_state_dict() would.
    void check_state_dict(const StateDict& state) const;

private:
    void check_names() const;
    void add_parameters();
    void collect_averages();

    std::vector<NamedOptimizer> optimizers_;
    std::vector<at::Tensor> parameters_;
    std::unique_ptr<MovingAverages> averages_;
    mutable std::vector<ParamGroup> groups_;
};

namespace detail {

/// \throws StateError unless `state` has an entry for each of `names`, and no other. `what`: "optimizer", ...
AUDYN_INLINE void check_named_states(const char* what, const std::vector<std::string>& names, const StateDict& state);

} // namespace detail

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/any_optimizer.ipp>
#    include <audyn/optim/multi_optimizers.ipp>
#endif
