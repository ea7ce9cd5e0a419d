#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/fused_kernels.hpp>
#include <audyn/optim/detail/fused_optimizer.hpp>
#include <audyn/optim/detail/options.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of Adam with Python's names and defaults: `AdamOptions().lr(1e-4).betas({0.9, 0.98})`.
class AdamOptions {
public:
    AdamOptions& lr(double value) { return lr_ = value, *this; }
    AdamOptions& betas(std::pair<double, double> value) { return betas_ = value, *this; }
    AdamOptions& eps(double value) { return eps_ = value, *this; }
    AdamOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    AdamOptions& amsgrad(bool value) { return amsgrad_ = value, *this; }
    AdamOptions& maximize(bool value) { return maximize_ = value, *this; }
    /// AdamW's weight decay: of the parameters themselves, not of their gradients.
    AdamOptions& decoupled_weight_decay(bool value) { return decoupled_weight_decay_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] std::pair<double, double> betas() const { return betas_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] bool amsgrad() const { return amsgrad_; }
    [[nodiscard]] bool maximize() const { return maximize_; }
    [[nodiscard]] bool decoupled_weight_decay() const { return decoupled_weight_decay_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

private:
    double lr_ = 1e-3;
    std::pair<double, double> betas_ = {0.9, 0.999};
    double eps_ = 1e-8;
    double weight_decay_ = 0.0;
    bool amsgrad_ = false;
    bool maximize_ = false;
    bool decoupled_weight_decay_ = false;
};

/// Adam on libtorch's fused kernel, CPU and CUDA: `torch.optim.Adam(fused=True)`. Real parameters and dense gradients.
class Adam : public detail::FusedOptimizer {
public:
    explicit Adam(const NamedParameters& parameters, const AdamOptions& options = {});
    explicit Adam(std::vector<at::Tensor> parameters, const AdamOptions& options = {});
    explicit Adam(const std::vector<OptionsGroup<AdamOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "Adam"; }

    /// The options of a group as they are now.
    [[nodiscard]] AdamOptions options(std::size_t group) const;

protected:
    [[nodiscard]] AUDYN_INLINE bool uses_field(std::size_t field, std::size_t group) const override;
    AUDYN_INLINE void update(detail::TensorLists& lists, const detail::Scaling& scaling) override;
    [[nodiscard]] AUDYN_INLINE StateDict group_options(std::size_t group) const override;
    AUDYN_INLINE void load_group_options(std::size_t group, const StateDict& saved) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, exp_avg, exp_avg_sq, max_exp_avg_sq };

    /// lr and the first beta are read from the groups, where schedulers change them.
    std::vector<AdamOptions> options_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/adam.ipp>
#endif
