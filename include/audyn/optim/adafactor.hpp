#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/foreach_optimizer.hpp>
#include <audyn/optim/detail/with_options.hpp>
#include <audyn/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of Adafactor with Python's names and defaults: `AdafactorOptions().lr(1e-3).d(2.0)`.
class AdafactorOptions {
public:
    /// The first is added to squares, by default the machine epsilon of the parameter's type; the second bounds the
    /// root mean square of the parameter, by which steps are scaled, from below.
    using Eps = std::pair<std::optional<double>, double>;

    AdafactorOptions& lr(double value) { return lr_ = value, *this; }
    AdafactorOptions& beta2_decay(double value) { return beta2_decay_ = value, *this; }
    AdafactorOptions& eps(Eps value) { return eps_ = value, *this; }
    /// Greatest root mean square of an update.
    AdafactorOptions& d(double value) { return d_ = value, *this; }
    /// Decay of the parameters themselves, not of their gradients.
    AdafactorOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    AdafactorOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] double beta2_decay() const { return beta2_decay_; }
    [[nodiscard]] Eps eps() const { return eps_; }
    [[nodiscard]] double d() const { return d_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("beta2_decay", options.beta2_decay_);
        visitor("eps", options.eps_);
        visitor("d", options.d_);
        visitor("weight_decay", options.weight_decay_);
        visitor("foreach", detail::FixedOption{nullptr});
        visitor("maximize", options.maximize_);
    }

private:
    double lr_ = 1e-2;
    double beta2_decay_ = -0.8;
    Eps eps_ = {std::nullopt, 1e-3};
    double d_ = 1.0;
    double weight_decay_ = 0.0;
    bool maximize_ = false;
};

/// Adafactor: `torch.optim.Adafactor`. Of a parameter of two and more dimensions it keeps one number for each row and
/// column of the last two, not one for each element. Norms stay on the device, where Python reads them on the host.
/// Real parameters, dense gradients.
class Adafactor final : public detail::WithOptions<detail::ForeachOptimizer, AdafactorOptions> {
public:
    explicit Adafactor(const NamedParameters& parameters, const AdafactorOptions& options = {})
        : Adafactor(detail::one_group(parameters, options)) {}
    explicit Adafactor(std::vector<at::Tensor> parameters, const AdafactorOptions& options = {})
        : Adafactor(detail::one_group(std::move(parameters), options)) {}
    explicit Adafactor(const std::vector<OptionsGroup<AdafactorOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "Adafactor"; }

protected:
    [[nodiscard]] bool takes_complex() const override { return false; }
    [[nodiscard]] AUDYN_INLINE std::optional<std::vector<int64_t>>
    state_shape(std::size_t field, const at::Tensor& parameter) const override;
    AUDYN_INLINE void update(detail::TensorLists& lists) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, row_var, col_var, variance };

    static at::Tensor factored_variance(const detail::TensorLists& lists, std::size_t place, const at::Tensor& grad,
                                        double weight, double eps);
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/adafactor.ipp>
#endif
