#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/fused_kernels.hpp>
#include <audyn/optim/detail/list_optimizer.hpp>

#include <ATen/core/Tensor.h>

namespace audyn::optim::detail {

/// Optimizers on libtorch's fused kernels, which unscale gradients and skip steps themselves.
class FusedOptimizer : public ListOptimizer {
public:
    using Optimizer::step;
    void step() final { step_all(Scaling{}); }
    AUDYN_INLINE void step(const at::Tensor& grad_scale, const at::Tensor& found_inf) override;
    [[nodiscard]] bool supports_amp_scaling() const override { return true; }

protected:
    using ListOptimizer::ListOptimizer;

    /// Updates `lists.params`, of which there is at least one. On a CPU a step to be skipped does not come here.
    virtual void update(TensorLists& lists, const Scaling& scaling) = 0;
    [[nodiscard]] bool takes_complex() const final { return false; }

private:
    void step_all(const Scaling& scaling);
    void step_lists(TensorLists& lists, const Scaling& scaling);
};

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/fused_optimizer.ipp>
#endif
