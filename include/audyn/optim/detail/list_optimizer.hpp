#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace audyn::optim::detail {

enum class FieldKind {
    /// Type and device of the parameter, by default also its shape.
    tensor,
    /// A float32 scalar on the parameter's device.
    device_scalar,
    /// A float32 scalar on the CPU, where it is read without a synchronisation.
    host_scalar
};

/// A tensor that an optimizer keeps for each parameter.
struct StateField {
    /// Python's key.
    const char* name;
    FieldKind kind = FieldKind::tensor;
    /// Whether a saved state may lack it; it starts at its initial value then.
    bool is_optional = false;
};

/// Parameters of one group on one device and of one type, and, as operators take them, the lists of those that have a
/// gradient. Complex tensors are viewed as real ones.
struct TensorLists {
    std::size_t group = 0;
    /// Numbers of the parameters, and of those with a gradient at the last step.
    std::vector<std::size_t> members;
    std::vector<std::size_t> active;
    std::vector<at::Tensor> params;
    /// Filled for the time of a step only, so that zero_grad() frees the gradients.
    std::vector<at::Tensor> grads;
    /// One list for each field that the group uses, in the order of the fields; empty for the others. Undefined where
    /// a parameter has no such field.
    std::vector<std::vector<at::Tensor>> state;
};

/// Optimizers on operators that take lists of tensors. The lists are kept from step to step and built anew only when
/// other parameters than before have a gradient.
class ListOptimizer : public Optimizer {
protected:
    ListOptimizer(std::vector<ParamGroup> groups, std::vector<StateField> fields);

    /// Calls `update(lists)` for each of the lists that has a gradient.
    template <class Update>
    void for_each_list(const Update& update) {
        for (TensorLists& lists : lists_) {
            gather_gradients(lists);
            if (!lists.active.empty()) {
                update(lists);
            }
            lists.grads.clear();
        }
    }

    /// Makes the state of every parameter now, for optimizers that have one before their first step.
    void make_state();

    /// Whether parameters of `group` have `field`.
    [[nodiscard]] virtual bool uses_field(std::size_t field, std::size_t group) const = 0;
    /// What every element of `field` is before the first step; both parts of complex ones.
    [[nodiscard]] virtual double initial_value(std::size_t, std::size_t) const { return 0.0; }
    /// Shape of a tensor field; nothing when this parameter has none.
    [[nodiscard]] AUDYN_INLINE virtual std::optional<std::vector<int64_t>>
    state_shape(std::size_t field, const at::Tensor& parameter) const;
    [[nodiscard]] virtual bool takes_complex() const = 0;

    [[nodiscard]] AUDYN_INLINE StateDict parameter_state(std::size_t index) const override;
    AUDYN_INLINE void check_parameter_state(std::size_t index, const StateDict& state,
                                            std::vector<std::string>& mismatches) const override;
    AUDYN_INLINE void load_parameter_state(std::size_t index, const StateDict& state) override;

private:
    void gather_gradients(TensorLists& lists);
    [[nodiscard]] bool fields_fit(const TensorLists& lists) const;
    void rebuild(TensorLists& lists);
    void check_gradient(std::size_t index) const;
    [[nodiscard]] at::Tensor new_state(std::size_t field, std::size_t index) const;
    const at::Tensor& state_of(std::size_t field, std::size_t index, std::size_t group);
    void check_field(std::size_t field, std::size_t index, const state::Value* value,
                     std::vector<std::string>& mismatches) const;

    std::vector<StateField> fields_;
    /// [field][parameter]; undefined before the parameter's first step, or where it has no such field.
    std::vector<std::vector<at::Tensor>> state_;
    std::vector<TensorLists> lists_;
};

/// As operators on real numbers take it: a complex tensor with a last dimension of two.
AUDYN_INLINE at::Tensor real_view(const at::Tensor& tensor);

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/list_optimizer.ipp>
#endif
