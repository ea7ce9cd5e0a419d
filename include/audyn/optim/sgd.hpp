#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/fused_kernels.hpp>
#include <audyn/optim/detail/fused_optimizer.hpp>
#include <audyn/optim/detail/options.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

namespace audyn::optim {

/// Options of SGD with Python's names and defaults: `SGDOptions().lr(0.1).momentum(0.9).nesterov(true)`.
class SGDOptions {
public:
    SGDOptions& lr(double value) { return lr_ = value, *this; }
    SGDOptions& momentum(double value) { return momentum_ = value, *this; }
    SGDOptions& dampening(double value) { return dampening_ = value, *this; }
    SGDOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    SGDOptions& nesterov(bool value) { return nesterov_ = value, *this; }
    SGDOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] double momentum() const { return momentum_; }
    [[nodiscard]] double dampening() const { return dampening_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] bool nesterov() const { return nesterov_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

private:
    double lr_ = 1e-3;
    double momentum_ = 0.0;
    double dampening_ = 0.0;
    double weight_decay_ = 0.0;
    bool nesterov_ = false;
    bool maximize_ = false;
};

/// SGD on libtorch's fused kernel, CPU and CUDA: `torch.optim.SGD(fused=True)`. A step that is skipped because of an
/// infinity does not count as the first one; in Python it leaves the momentum uninitialised.
class SGD final : public detail::FusedOptimizer {
public:
    explicit SGD(const NamedParameters& parameters, const SGDOptions& options = {});
    explicit SGD(std::vector<at::Tensor> parameters, const SGDOptions& options = {});
    explicit SGD(const std::vector<OptionsGroup<SGDOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "SGD"; }

    /// The options of a group as they are now.
    [[nodiscard]] SGDOptions options(std::size_t group) const;

protected:
    [[nodiscard]] AUDYN_INLINE bool uses_field(std::size_t, std::size_t group) const override;
    AUDYN_INLINE void update(detail::TensorLists& lists, const detail::Scaling& scaling) override;
    [[nodiscard]] AUDYN_INLINE StateDict group_options(std::size_t group) const override;
    AUDYN_INLINE void load_group_options(std::size_t group, const StateDict& saved) override;
    AUDYN_INLINE void load_parameter_state(std::size_t index, const StateDict& saved) override;

private:
    void update_with_dampening(detail::TensorLists& lists, const detail::SGDArguments& arguments,
                               const detail::Scaling& scaling);

    /// lr and momentum are read from the groups, where schedulers change them.
    std::vector<SGDOptions> options_;
    /// Whether a parameter has taken a step; its first one is not dampened.
    std::vector<bool> started_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/sgd.ipp>
#endif
