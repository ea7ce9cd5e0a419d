#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/fused_kernels.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <string>
#include <vector>

namespace audyn::optim::detail {

/// A tensor that an optimizer keeps for each parameter.
struct StateField {
    /// Python's key.
    const char* name;
    /// A float32 scalar that counts steps; otherwise like the parameter.
    bool is_step = false;
    /// Whether a saved state may lack it; it starts at zero then.
    bool is_optional = false;
};

/// Parameters of one group on one device and of one type, and, as a kernel takes them, the lists of those that have a
/// gradient.
struct TensorLists {
    std::size_t group = 0;
    /// Numbers of the parameters, and of those with a gradient at the last step.
    std::vector<std::size_t> members;
    std::vector<std::size_t> active;
    std::vector<at::Tensor> params;
    /// Filled for the time of a step only, so that zero_grad() frees the gradients.
    std::vector<at::Tensor> grads;
    /// One list for each field that the group uses, in the order of the fields; empty for the others.
    std::vector<std::vector<at::Tensor>> state;
};

/// Optimizers on kernels that take lists of tensors. The lists are kept from step to step and built anew only when
/// other parameters than before have a gradient.
class FusedOptimizer : public Optimizer {
public:
    using Optimizer::step;
    void step() final { step_all(Scaling{}); }
    void step(const at::Tensor& grad_scale, const at::Tensor& found_inf) final;
    [[nodiscard]] bool supports_amp_scaling() const final { return true; }

protected:
    FusedOptimizer(std::vector<ParamGroup> groups, std::vector<StateField> fields);

    /// Whether parameters of `group` have `field`.
    [[nodiscard]] virtual bool uses_field(std::size_t field, std::size_t group) const = 0;
    /// Updates `lists.params`, of which there is at least one. On a CPU a step to be skipped does not come here.
    virtual void update(TensorLists& lists, const Scaling& scaling) = 0;

    [[nodiscard]] AUDYN_INLINE StateDict parameter_state(std::size_t index) const override;
    AUDYN_INLINE void check_parameter_state(std::size_t index, const StateDict& state,
                                            std::vector<std::string>& mismatches) const override;
    AUDYN_INLINE void load_parameter_state(std::size_t index, const StateDict& state) override;

private:
    void step_all(const Scaling& scaling);
    void step_lists(TensorLists& lists, const Scaling& scaling);
    void gather_gradients(TensorLists& lists);
    [[nodiscard]] bool fields_fit(const TensorLists& lists) const;
    void rebuild(TensorLists& lists);
    const at::Tensor& state_of(std::size_t field, std::size_t index);

    std::vector<StateField> fields_;
    /// [field][parameter]; undefined before the parameter's first step.
    std::vector<std::vector<at::Tensor>> state_;
    std::vector<TensorLists> lists_;
};

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/fused_optimizer.ipp>
#endif
