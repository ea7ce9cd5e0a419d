#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/with_options.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of SparseAdam with Python's names and defaults: `SparseAdamOptions().lr(1e-2).betas({0.9, 0.99})`.
class SparseAdamOptions {
public:
    SparseAdamOptions& lr(double value) { return lr_ = value, *this; }
    SparseAdamOptions& betas(std::pair<double, double> value) { return betas_ = value, *this; }
    SparseAdamOptions& eps(double value) { return eps_ = value, *this; }
    SparseAdamOptions& maximize(bool value) { return maximize_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] std::pair<double, double> betas() const { return betas_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] bool maximize() const { return maximize_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("betas", options.betas_);
        visitor("eps", options.eps_);
        visitor("maximize", options.maximize_);
    }

private:
    double lr_ = 1e-3;
    std::pair<double, double> betas_ = {0.9, 0.999};
    double eps_ = 1e-8;
    bool maximize_ = false;
};

/// Adam of the rows that a sparse gradient has, as of `torch::nn::Embedding` with `sparse(true)`; the moments of other
/// rows stay as they are: `torch.optim.SparseAdam`. Real dense parameters and sparse COO gradients.
class SparseAdam final : public detail::WithOptions<Optimizer, SparseAdamOptions> {
public:
    explicit SparseAdam(const NamedParameters& parameters, const SparseAdamOptions& options = {})
        : SparseAdam(detail::one_group(parameters, options)) {}
    explicit SparseAdam(std::vector<at::Tensor> parameters, const SparseAdamOptions& options = {})
        : SparseAdam(detail::one_group(std::move(parameters), options)) {}
    /// \throws UsageError that names a parameter which is sparse or complex.
    explicit SparseAdam(const std::vector<OptionsGroup<SparseAdamOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "SparseAdam"; }

    using Optimizer::step;
    AUDYN_INLINE void step() override;

protected:
    [[nodiscard]] AUDYN_INLINE StateDict parameter_state(std::size_t index) const override;
    AUDYN_INLINE void check_parameter_state(std::size_t index, const StateDict& state,
                                            std::vector<std::string>& mismatches) const override;
    AUDYN_INLINE void load_parameter_state(std::size_t index, const StateDict& state) override;

private:
    /// The moments are undefined before the first step.
    struct Moments {
        int64_t step = 0;
        at::Tensor exp_avg;
        at::Tensor exp_avg_sq;
    };

    void step_parameter(std::size_t index, const SparseAdamOptions& options);

    std::vector<Moments> state_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/sparse_adam.ipp>
#endif
