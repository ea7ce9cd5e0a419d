#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/list_optimizer.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Scalar.h>

#include <vector>

namespace audyn::optim::detail {

/// Optimizers on libtorch's operators on lists, as Python's `foreach=True`. No host synchronisation: what is read of
/// the state lies on the CPU.
class ForeachOptimizer : public ListOptimizer {
public:
    using Optimizer::step;
    AUDYN_INLINE void step() final;

protected:
    using ListOptimizer::ListOptimizer;

    /// Updates `lists.params`, of which there is at least one, without gradients being recorded.
    virtual void update(TensorLists& lists) = 0;
    [[nodiscard]] bool uses_field(std::size_t, std::size_t) const override { return true; }
    [[nodiscard]] bool takes_complex() const override { return true; }

private:
    /// For the CPU, where lists save nothing: a parameter and its state stay in the cache from operator to operator.
    void update_one_by_one(const TensorLists& lists);
};

/// Adds one to each host scalar.
AUDYN_INLINE void count_steps(const std::vector<at::Tensor>& steps);

/// The gradients with their sign turned by `maximize`, plus `weight_decay` times the parameters. New tensors if either
/// is set, else the gradients themselves.
AUDYN_INLINE std::vector<at::Tensor> decayed_gradients(const TensorLists& lists, bool maximize, double weight_decay);

/// `function` of the value of each host scalar.
template <class Function>
std::vector<at::Scalar> scalars_of(const std::vector<at::Tensor>& host_scalars, const Function& function) {
    std::vector<at::Scalar> result;
    result.reserve(host_scalars.size());
    for (const at::Tensor& scalar : host_scalars) {
        result.emplace_back(function(static_cast<double>(*scalar.const_data_ptr<float>())));
    }
    return result;
}

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/foreach_optimizer.ipp>
#endif
