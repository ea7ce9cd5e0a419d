#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/foreach_optimizer.hpp>
#include <audyn/optim/detail/with_options.hpp>
#include <audyn/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of NAdam with Python's names and defaults: `NAdamOptions().lr(1e-3).momentum_decay(1e-2)`.
class NAdamOptions {
public:
    NAdamOptions& lr(double value) { return lr_ = value, *this; }
    NAdamOptions& betas(std::pair<double, double> value) { return betas_ = value, *this; }
    NAdamOptions& eps(double value) { return eps_ = value, *this; }
    NAdamOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    NAdamOptions& momentum_decay(double value) { return momentum_decay_ = value, *this; }
    /// Decay of the parameters themselves, not of their gradients.
    NAdamOptions& decoupled_weight_decay(bool value) { return decoupled_weight_decay_ = value, *this; }
    NAdamOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] std::pair<double, double> betas() const { return betas_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] double momentum_decay() const { return momentum_decay_; }
    [[nodiscard]] bool decoupled_weight_decay() const { return decoupled_weight_decay_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("betas", options.betas_);
        visitor("eps", options.eps_);
        visitor("weight_decay", options.weight_decay_);
        visitor("momentum_decay", options.momentum_decay_);
        visitor("decoupled_weight_decay", options.decoupled_weight_decay_);
        visitor("maximize", options.maximize_);
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("capturable", detail::FixedOption{false});
        visitor("differentiable", detail::FixedOption{false});
    }

private:
    double lr_ = 2e-3;
    std::pair<double, double> betas_ = {0.9, 0.999};
    double eps_ = 1e-8;
    double weight_decay_ = 0.0;
    double momentum_decay_ = 4e-3;
    bool decoupled_weight_decay_ = false;
    bool maximize_ = false;
};

/// NAdam on list operators: `torch.optim.NAdam(foreach=True)`. Real and complex parameters, dense gradients.
class NAdam final : public detail::WithOptions<detail::ForeachOptimizer, NAdamOptions> {
public:
    explicit NAdam(const NamedParameters& parameters, const NAdamOptions& options = {})
        : NAdam(detail::one_group(parameters, options)) {}
    explicit NAdam(std::vector<at::Tensor> parameters, const NAdamOptions& options = {})
        : NAdam(detail::one_group(std::move(parameters), options)) {}
    explicit NAdam(const std::vector<OptionsGroup<NAdamOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "NAdam"; }

protected:
    [[nodiscard]] AUDYN_INLINE double initial_value(std::size_t field, std::size_t group) const override;
    AUDYN_INLINE void update(detail::TensorLists& lists) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, mu_product, exp_avg, exp_avg_sq };
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/nadam.ipp>
#endif
