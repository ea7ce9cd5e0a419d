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

/// Options of RAdam with Python's names and defaults: `RAdamOptions().lr(3e-4).betas({0.9, 0.98})`.
class RAdamOptions {
public:
    RAdamOptions& lr(double value) { return lr_ = value, *this; }
    RAdamOptions& betas(std::pair<double, double> value) { return betas_ = value, *this; }
    RAdamOptions& eps(double value) { return eps_ = value, *this; }
    RAdamOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    /// Decay of the parameters themselves, not of their gradients.
    RAdamOptions& decoupled_weight_decay(bool value) { return decoupled_weight_decay_ = value, *this; }
    RAdamOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] std::pair<double, double> betas() const { return betas_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
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
        visitor("maximize", options.maximize_);
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("capturable", detail::FixedOption{false});
        visitor("decoupled_weight_decay", options.decoupled_weight_decay_);
        visitor("differentiable", detail::FixedOption{false});
    }

private:
    double lr_ = 1e-3;
    std::pair<double, double> betas_ = {0.9, 0.999};
    double eps_ = 1e-8;
    double weight_decay_ = 0.0;
    bool decoupled_weight_decay_ = false;
    bool maximize_ = false;
};

/// RAdam on list operators: `torch.optim.RAdam(foreach=True)`. Real and complex parameters, dense gradients.
class RAdam final : public detail::WithOptions<detail::ForeachOptimizer, RAdamOptions> {
public:
    explicit RAdam(const NamedParameters& parameters, const RAdamOptions& options = {})
        : RAdam(detail::one_group(parameters, options)) {}
    explicit RAdam(std::vector<at::Tensor> parameters, const RAdamOptions& options = {})
        : RAdam(detail::one_group(std::move(parameters), options)) {}
    explicit RAdam(const std::vector<OptionsGroup<RAdamOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "RAdam"; }

protected:
    AUDYN_INLINE void update(detail::TensorLists& lists) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, exp_avg, exp_avg_sq };
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/radam.ipp>
#endif
