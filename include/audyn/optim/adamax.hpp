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

/// Options of Adamax with Python's names and defaults: `AdamaxOptions().lr(1e-3).betas({0.9, 0.99})`.
class AdamaxOptions {
public:
    AdamaxOptions& lr(double value) { return lr_ = value, *this; }
    AdamaxOptions& betas(std::pair<double, double> value) { return betas_ = value, *this; }
    AdamaxOptions& eps(double value) { return eps_ = value, *this; }
    AdamaxOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    AdamaxOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] std::pair<double, double> betas() const { return betas_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
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
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("maximize", options.maximize_);
        visitor("differentiable", detail::FixedOption{false});
        visitor("capturable", detail::FixedOption{false});
    }

private:
    double lr_ = 2e-3;
    std::pair<double, double> betas_ = {0.9, 0.999};
    double eps_ = 1e-8;
    double weight_decay_ = 0.0;
    bool maximize_ = false;
};

/// Adamax on list operators: `torch.optim.Adamax(foreach=True)`. Real and complex parameters, dense gradients.
class Adamax final : public detail::WithOptions<detail::ForeachOptimizer, AdamaxOptions> {
public:
    explicit Adamax(const NamedParameters& parameters, const AdamaxOptions& options = {})
        : Adamax(detail::one_group(parameters, options)) {}
    explicit Adamax(std::vector<at::Tensor> parameters, const AdamaxOptions& options = {})
        : Adamax(detail::one_group(std::move(parameters), options)) {}
    explicit Adamax(const std::vector<OptionsGroup<AdamaxOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "Adamax"; }

protected:
    AUDYN_INLINE void update(detail::TensorLists& lists) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, exp_avg, exp_inf };
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/adamax.ipp>
#endif
