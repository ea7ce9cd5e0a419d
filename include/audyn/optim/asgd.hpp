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

/// Options of ASGD with Python's names and defaults: `ASGDOptions().lr(0.05).t0(1000)`.
class ASGDOptions {
public:
    ASGDOptions& lr(double value) { return lr_ = value, *this; }
    ASGDOptions& lambd(double value) { return lambd_ = value, *this; }
    ASGDOptions& alpha(double value) { return alpha_ = value, *this; }
    ASGDOptions& t0(double value) { return t0_ = value, *this; }
    ASGDOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    ASGDOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] double lambd() const { return lambd_; }
    [[nodiscard]] double alpha() const { return alpha_; }
    [[nodiscard]] double t0() const { return t0_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("lambd", options.lambd_);
        visitor("alpha", options.alpha_);
        visitor("t0", options.t0_);
        visitor("weight_decay", options.weight_decay_);
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("maximize", options.maximize_);
        visitor("differentiable", detail::FixedOption{false});
        visitor("capturable", detail::FixedOption{false});
    }

private:
    double lr_ = 1e-2;
    double lambd_ = 1e-4;
    double alpha_ = 0.75;
    double t0_ = 1e6;
    double weight_decay_ = 0.0;
    bool maximize_ = false;
};

/// Averaged stochastic gradient descent on list operators: `torch.optim.ASGD(foreach=True)`. The averages are `ax` in
/// the state. Real and complex parameters, dense gradients.
class ASGD final : public detail::WithOptions<detail::ForeachOptimizer, ASGDOptions> {
public:
    explicit ASGD(const NamedParameters& parameters, const ASGDOptions& options = {})
        : ASGD(detail::one_group(parameters, options)) {}
    explicit ASGD(std::vector<at::Tensor> parameters, const ASGDOptions& options = {})
        : ASGD(detail::one_group(std::move(parameters), options)) {}
    explicit ASGD(const std::vector<OptionsGroup<ASGDOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "ASGD"; }

protected:
    [[nodiscard]] AUDYN_INLINE double initial_value(std::size_t field, std::size_t group) const override;
    AUDYN_INLINE void update(detail::TensorLists& lists) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, eta, mu, ax };
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/asgd.ipp>
#endif
