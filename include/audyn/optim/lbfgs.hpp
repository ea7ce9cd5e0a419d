#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/line_search.hpp>
#include <audyn/optim/detail/with_options.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of LBFGS with Python's names and defaults: `LBFGSOptions().line_search_fn("strong_wolfe")`.
class LBFGSOptions {
public:
    LBFGSOptions& lr(double value) { return lr_ = value, *this; }
    /// Greatest number of iterations in a step.
    LBFGSOptions& max_iter(int64_t value) { return max_iter_ = value, *this; }
    /// Greatest number of calls of the closure in a step; max_iter * 5 / 4 by default.
    LBFGSOptions& max_eval(std::optional<int64_t> value) { return max_eval_ = value, *this; }
    LBFGSOptions& tolerance_grad(double value) { return tolerance_grad_ = value, *this; }
    LBFGSOptions& tolerance_change(double value) { return tolerance_change_ = value, *this; }
    LBFGSOptions& history_size(int64_t value) { return history_size_ = value, *this; }
    /// "strong_wolfe", or none: a step of length lr.
    LBFGSOptions& line_search_fn(std::optional<std::string> value) { return line_search_fn_ = std::move(value), *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] int64_t max_iter() const { return max_iter_; }
    [[nodiscard]] int64_t max_eval() const { return max_eval_.value_or(max_iter_ * 5 / 4); }
    [[nodiscard]] double tolerance_grad() const { return tolerance_grad_; }
    [[nodiscard]] double tolerance_change() const { return tolerance_change_; }
    [[nodiscard]] int64_t history_size() const { return history_size_; }
    [[nodiscard]] const std::optional<std::string>& line_search_fn() const { return line_search_fn_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

    /// See audyn/optim/detail/option_visitors.hpp.
    template <class Self, class Visitor>
    static void visit(Self& options, const Visitor& visitor) {
        visitor("lr", options.lr_);
        visitor("max_iter", options.max_iter_);
        int64_t max_eval = options.max_eval();
        visitor("max_eval", max_eval);
        if constexpr (!std::is_const_v<Self>) {
            options.max_eval_ = max_eval;
        }
        visitor("tolerance_grad", options.tolerance_grad_);
        visitor("tolerance_change", options.tolerance_change_);
        visitor("history_size", options.history_size_);
        visitor("line_search_fn", options.line_search_fn_);
    }

private:
    double lr_ = 1.0;
    int64_t max_iter_ = 20;
    std::optional<int64_t> max_eval_;
    double tolerance_grad_ = 1e-7;
    double tolerance_change_ = 1e-9;
    int64_t history_size_ = 100;
    std::optional<std::string> line_search_fn_;
};

/// Limited-memory BFGS: `torch.optim.LBFGS`. A step calls its closure several times, and waits for the device at each.
/// One group; parameters on one device and of one type. It keeps 2 * history_size vectors as long as all parameters.
class LBFGS final : public detail::WithOptions<Optimizer, LBFGSOptions> {
public:
    explicit LBFGS(const NamedParameters& parameters, const LBFGSOptions& options = {})
        : LBFGS(detail::one_group(parameters, options)) {}
    explicit LBFGS(std::vector<at::Tensor> parameters, const LBFGSOptions& options = {})
        : LBFGS(detail::one_group(std::move(parameters), options)) {}
    /// \throws UsageError when there is more than one group.
    explicit LBFGS(const std::vector<OptionsGroup<LBFGSOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "LBFGS"; }
    [[nodiscard]] bool needs_closure() const override { return true; }

    using Optimizer::step;
    /// \throws UsageError always: a step needs its closure.
    AUDYN_INLINE void step() override;
    /// `closure` drops the gradients, computes the loss, and its gradients anew. Returns the loss of the first call.
    AUDYN_INLINE at::Tensor step(const Closure& closure) override;

protected:
    [[nodiscard]] AUDYN_INLINE StateDict parameter_state(std::size_t index) const override;
    AUDYN_INLINE void check_parameter_state(std::size_t index, const StateDict& state,
                                            std::vector<std::string>& mismatches) const override;
    AUDYN_INLINE void load_parameter_state(std::size_t index, const StateDict& state) override;

private:
    /// Loss and flat gradient at the parameters as they are.
    struct Evaluation {
        double loss = 0.0;
        at::Tensor grad;
    };

    /// Under Python's names. It belongs to all parameters, but lies in the first one's state.
    struct History {
        int64_t func_evals = 0;
        int64_t n_iter = 0;
        at::Tensor d;
        detail::Number t;
        std::vector<at::Tensor> old_dirs;
        std::vector<at::Tensor> old_stps;
        std::vector<at::Tensor> ro;
        /// Undefined is 1.
        at::Tensor H_diag;
        at::Tensor prev_flat_grad;
        double prev_loss = 0.0;
        std::vector<at::Tensor> al;
    };

    [[nodiscard]] int64_t numel() const;
    [[nodiscard]] at::Tensor flat_grad() const;
    void move(detail::Number t) const;
    [[nodiscard]] Evaluation evaluate(const Closure& closure, at::Tensor& loss) const;
    void update_direction(const at::Tensor& grad, int64_t history_size);
    void remember_change(const at::Tensor& grad, std::size_t history_size);
    /// Moves the parameters along the direction, and computes loss and gradient there. Returns the number of calls.
    int64_t move_by_rate(const Closure& closure, Evaluation& current, bool is_last) const;
    int64_t move_by_search(const Closure& closure, Evaluation& current, detail::Number slope,
                           const LBFGSOptions& options, int64_t evaluations);
    [[nodiscard]] bool has_converged(const Evaluation& current, const LBFGSOptions& options) const;

    History history_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/lbfgs.ipp>
#endif
