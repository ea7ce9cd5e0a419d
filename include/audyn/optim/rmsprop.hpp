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

/// Options of RMSprop with Python's names and defaults: `RMSpropOptions().lr(1e-3).momentum(0.9).centered(true)`.
class RMSpropOptions {
public:
    RMSpropOptions& lr(double value) { return lr_ = value, *this; }
    RMSpropOptions& alpha(double value) { return alpha_ = value, *this; }
    RMSpropOptions& eps(double value) { return eps_ = value, *this; }
    RMSpropOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    RMSpropOptions& momentum(double value) { return momentum_ = value, *this; }
    RMSpropOptions& centered(bool value) { return centered_ = value, *this; }
    RMSpropOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] double alpha() const { return alpha_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] double momentum() const { return momentum_; }
    [[nodiscard]] bool centered() const { return centered_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("momentum", options.momentum_);
        visitor("alpha", options.alpha_);
        visitor("eps", options.eps_);
        visitor("centered", options.centered_);
        visitor("weight_decay", options.weight_decay_);
        visitor("capturable", detail::FixedOption{false});
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("maximize", options.maximize_);
        visitor("differentiable", detail::FixedOption{false});
    }

private:
    double lr_ = 1e-2;
    double alpha_ = 0.99;
    double eps_ = 1e-8;
    double weight_decay_ = 0.0;
    double momentum_ = 0.0;
    bool centered_ = false;
    bool maximize_ = false;
};

/// RMSprop on list operators: `torch.optim.RMSprop(foreach=True)`. Real and complex parameters, dense gradients.
class RMSprop final : public detail::WithOptions<detail::ForeachOptimizer, RMSpropOptions> {
public:
    explicit RMSprop(const NamedParameters& parameters, const RMSpropOptions& options = {})
        : RMSprop(detail::one_group(parameters, options)) {}
    explicit RMSprop(std::vector<at::Tensor> parameters, const RMSpropOptions& options = {})
        : RMSprop(detail::one_group(std::move(parameters), options)) {}
    explicit RMSprop(const std::vector<OptionsGroup<RMSpropOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "RMSprop"; }

protected:
    [[nodiscard]] AUDYN_INLINE bool uses_field(std::size_t field, std::size_t group) const override;
    AUDYN_INLINE void update(detail::TensorLists& lists) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, square_avg, momentum_buffer, grad_avg };
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/rmsprop.ipp>
#endif
