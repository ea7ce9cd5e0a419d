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

/// Options of Adadelta with Python's names and defaults: `AdadeltaOptions().rho(0.95)`.
class AdadeltaOptions {
public:
    AdadeltaOptions& lr(double value) { return lr_ = value, *this; }
    AdadeltaOptions& rho(double value) { return rho_ = value, *this; }
    AdadeltaOptions& eps(double value) { return eps_ = value, *this; }
    AdadeltaOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    AdadeltaOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] double rho() const { return rho_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("rho", options.rho_);
        visitor("eps", options.eps_);
        visitor("weight_decay", options.weight_decay_);
        visitor("maximize", options.maximize_);
        visitor("capturable", detail::FixedOption{false});
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("differentiable", detail::FixedOption{false});
    }

private:
    double lr_ = 1.0;
    double rho_ = 0.9;
    double eps_ = 1e-6;
    double weight_decay_ = 0.0;
    bool maximize_ = false;
};

/// Adadelta on list operators: `torch.optim.Adadelta(foreach=True)`. Real and complex parameters, dense gradients.
class Adadelta final : public detail::WithOptions<detail::ForeachOptimizer, AdadeltaOptions> {
public:
    explicit Adadelta(const NamedParameters& parameters, const AdadeltaOptions& options = {})
        : Adadelta(detail::one_group(parameters, options)) {}
    explicit Adadelta(std::vector<at::Tensor> parameters, const AdadeltaOptions& options = {})
        : Adadelta(detail::one_group(std::move(parameters), options)) {}
    explicit Adadelta(const std::vector<OptionsGroup<AdadeltaOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "Adadelta"; }

protected:
    AUDYN_INLINE void update(detail::TensorLists& lists) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, square_avg, acc_delta };
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/adadelta.ipp>
#endif
