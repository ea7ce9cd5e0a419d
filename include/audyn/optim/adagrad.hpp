#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/fused_optimizer.hpp>
#include <audyn/optim/detail/with_options.hpp>
#include <audyn/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of Adagrad with Python's names and defaults: `AdagradOptions().lr(0.05).lr_decay(1e-3)`.
class AdagradOptions {
public:
    AdagradOptions& lr(double value) { return lr_ = value, *this; }
    AdagradOptions& lr_decay(double value) { return lr_decay_ = value, *this; }
    AdagradOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    AdagradOptions& initial_accumulator_value(double value) { return initial_accumulator_value_ = value, *this; }
    AdagradOptions& eps(double value) { return eps_ = value, *this; }
    AdagradOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] double lr_decay() const { return lr_decay_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] double initial_accumulator_value() const { return initial_accumulator_value_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("lr_decay", options.lr_decay_);
        visitor("eps", options.eps_);
        visitor("weight_decay", options.weight_decay_);
        visitor("initial_accumulator_value", options.initial_accumulator_value_);
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("maximize", options.maximize_);
        visitor("differentiable", detail::FixedOption{false});
        visitor("fused", detail::FixedOption{true});
    }

private:
    double lr_ = 1e-2;
    double lr_decay_ = 0.0;
    double weight_decay_ = 0.0;
    double initial_accumulator_value_ = 0.0;
    double eps_ = 1e-10;
    bool maximize_ = false;
};

/// Adagrad: `torch.optim.Adagrad(fused=True)` on libtorch's fused kernel. Where the linked libtorch has none for a
/// parameter's device, the same on list operators, and without steps that unscale gradients. Real parameters and dense
/// gradients.
class Adagrad final : public detail::WithOptions<detail::FusedOptimizer, AdagradOptions> {
public:
    explicit Adagrad(const NamedParameters& parameters, const AdagradOptions& options = {})
        : Adagrad(detail::one_group(parameters, options)) {}
    explicit Adagrad(std::vector<at::Tensor> parameters, const AdagradOptions& options = {})
        : Adagrad(detail::one_group(std::move(parameters), options)) {}
    explicit Adagrad(const std::vector<OptionsGroup<AdagradOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "Adagrad"; }

    /// Whether libtorch has the kernel for the devices of all parameters.
    [[nodiscard]] bool supports_amp_scaling() const override { return has_kernel_; }
    using FusedOptimizer::step;
    AUDYN_INLINE void step(const at::Tensor& grad_scale, const at::Tensor& found_inf) override;

protected:
    [[nodiscard]] bool uses_field(std::size_t, std::size_t) const override { return true; }
    [[nodiscard]] AUDYN_INLINE double initial_value(std::size_t field, std::size_t group) const override;
    AUDYN_INLINE void update(detail::TensorLists& lists, const detail::Scaling& scaling) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, sum };

    void update_without_kernel(detail::TensorLists& lists, const AdagradOptions& options);

    bool has_kernel_ = true;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/adagrad.ipp>
#endif
