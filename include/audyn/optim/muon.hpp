#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/foreach_optimizer.hpp>
#include <audyn/optim/detail/with_options.hpp>
#include <audyn/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of Muon with Python's names and defaults: `MuonOptions().lr(0.02).adjust_lr_fn("match_rms_adamw")`.
class MuonOptions {
public:
    MuonOptions& lr(double value) { return lr_ = value, *this; }
    /// Decay of the parameters themselves, not of their gradients.
    MuonOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    MuonOptions& momentum(double value) { return momentum_ = value, *this; }
    MuonOptions& nesterov(bool value) { return nesterov_ = value, *this; }
    /// Coefficients of x, x^3 and x^5 of the Newton-Schulz iteration.
    MuonOptions& ns_coefficients(std::array<double, 3> value) { return ns_coefficients_ = value, *this; }
    /// The least norm by which a gradient is divided before the iteration.
    MuonOptions& eps(double value) { return eps_ = value, *this; }
    /// Number of Newton-Schulz iterations, less than 100.
    MuonOptions& ns_steps(int64_t value) { return ns_steps_ = value, *this; }
    /// "original" (the same as none): lr * sqrt(max(1, rows / columns)); "match_rms_adamw": lr * 0.2 * sqrt(max(rows,
    /// columns)), so that AdamW's lr and weight_decay serve.
    MuonOptions& adjust_lr_fn(std::optional<std::string> value) { return adjust_lr_fn_ = std::move(value), *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] double momentum() const { return momentum_; }
    [[nodiscard]] bool nesterov() const { return nesterov_; }
    [[nodiscard]] std::array<double, 3> ns_coefficients() const { return ns_coefficients_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] int64_t ns_steps() const { return ns_steps_; }
    [[nodiscard]] const std::optional<std::string>& adjust_lr_fn() const { return adjust_lr_fn_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("weight_decay", options.weight_decay_);
        visitor("momentum", options.momentum_);
        visitor("nesterov", options.nesterov_);
        visitor("ns_coefficients", options.ns_coefficients_);
        visitor("eps", options.eps_);
        visitor("ns_steps", options.ns_steps_);
        visitor("adjust_lr_fn", options.adjust_lr_fn_);
    }

private:
    double lr_ = 1e-3;
    double weight_decay_ = 0.1;
    double momentum_ = 0.95;
    bool nesterov_ = true;
    std::array<double, 3> ns_coefficients_ = {3.4445, -4.7750, 2.0315};
    double eps_ = 1e-7;
    int64_t ns_steps_ = 5;
    std::optional<std::string> adjust_lr_fn_;
};

/// Muon: `torch.optim.Muon`, momentum whose update is made nearly orthogonal, in bfloat16. For matrices, that is hidden
/// layers; give embeddings, outputs, biases and norms to another optimizer.
class Muon final : public detail::WithOptions<detail::ForeachOptimizer, MuonOptions> {
public:
    explicit Muon(const NamedParameters& parameters, const MuonOptions& options = {})
        : Muon(detail::one_group(parameters, options)) {}
    explicit Muon(std::vector<at::Tensor> parameters, const MuonOptions& options = {})
        : Muon(detail::one_group(std::move(parameters), options)) {}
    /// \throws UsageError that names a parameter which is no matrix.
    explicit Muon(const std::vector<OptionsGroup<MuonOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "Muon"; }

protected:
    [[nodiscard]] bool takes_complex() const override { return false; }
    AUDYN_INLINE void update(detail::TensorLists& lists) override;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/muon.ipp>
#endif
