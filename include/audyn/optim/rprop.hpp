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

/// Options of Rprop with Python's names and defaults: `RpropOptions().lr(1e-3).step_sizes({1e-7, 1.0})`.
class RpropOptions {
public:
    RpropOptions& lr(double value) { return lr_ = value, *this; }
    /// Factors by which a step size shrinks and grows.
    RpropOptions& etas(std::pair<double, double> value) { return etas_ = value, *this; }
    /// The least and the greatest step size.
    RpropOptions& step_sizes(std::pair<double, double> value) { return step_sizes_ = value, *this; }
    RpropOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] std::pair<double, double> etas() const { return etas_; }
    [[nodiscard]] std::pair<double, double> step_sizes() const { return step_sizes_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("etas", options.etas_);
        visitor("step_sizes", options.step_sizes_);
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("maximize", options.maximize_);
        visitor("differentiable", detail::FixedOption{false});
        visitor("capturable", detail::FixedOption{false});
    }

private:
    double lr_ = 1e-2;
    std::pair<double, double> etas_ = {0.5, 1.2};
    std::pair<double, double> step_sizes_ = {1e-6, 50.0};
    bool maximize_ = false;
};

/// Resilient backpropagation on list operators: `torch.optim.Rprop(foreach=True)`. For gradients of the whole data set.
/// Real and complex parameters, dense gradients.
class Rprop final : public detail::WithOptions<detail::ForeachOptimizer, RpropOptions> {
public:
    explicit Rprop(const NamedParameters& parameters, const RpropOptions& options = {})
        : Rprop(detail::one_group(parameters, options)) {}
    explicit Rprop(std::vector<at::Tensor> parameters, const RpropOptions& options = {})
        : Rprop(detail::one_group(std::move(parameters), options)) {}
    explicit Rprop(const std::vector<OptionsGroup<RpropOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "Rprop"; }

protected:
    [[nodiscard]] AUDYN_INLINE double initial_value(std::size_t field, std::size_t group) const override;
    AUDYN_INLINE void update(detail::TensorLists& lists) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, prev, step_size };
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/rprop.ipp>
#endif
