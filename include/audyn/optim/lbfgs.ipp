#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/list_optimizer.hpp>
#include <audyn/optim/lbfgs.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/StringUtil.h>

namespace audyn::optim {

AUDYN_INLINE void LBFGSOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("max_iter", static_cast<double>(max_iter_), max_iter_ >= 1, "at least 1");
    detail::check_option("max_eval", static_cast<double>(max_eval()), max_eval() >= 1, "at least 1");
    detail::check_option("history_size", static_cast<double>(history_size_), history_size_ >= 1, "at least 1");
    if (line_search_fn_ && *line_search_fn_ != "strong_wolfe") {
        throw UsageError("the optimizer's line_search_fn must be 'strong_wolfe' or none, got '" + *line_search_fn_ +
                         "'");
    }
}

AUDYN_INLINE LBFGS::LBFGS(const std::vector<OptionsGroup<LBFGSOptions>>& groups) : WithOptions(groups) {
    if (groups.size() != 1) {
        throw UsageError("LBFGS takes one group of parameters, got " + std::to_string(groups.size()));
    }
}

AUDYN_INLINE void LBFGS::step() {
    throw UsageError("LBFGS needs step(closure): it computes the loss several times");
}

AUDYN_INLINE int64_t LBFGS::numel() const {
    int64_t count = 0;
    for (const at::Tensor& parameter : parameters()) {
        count += detail::real_view(parameter).numel();
    }
    return count;
}

AUDYN_INLINE at::Tensor LBFGS::flat_grad() const {
    std::vector<at::Tensor> views;
    for (const at::Tensor& parameter : parameters()) {
        const at::Tensor& grad = parameter.mutable_grad();
        if (!grad.defined()) {
            const at::Tensor real = detail::real_view(parameter);
            views.push_back(at::zeros({real.numel()}, real.options().requires_grad(false)));
        } else {
            const at::Tensor dense = grad.layout() == at::kStrided ? grad : grad.to_dense();
            views.push_back(detail::real_view(dense).reshape({-1}));
        }
    }
    return at::cat(views);
}

AUDYN_INLINE void LBFGS::move(detail::Number t) const {
    int64_t offset = 0;
    for (const at::Tensor& parameter : parameters()) {
        const at::Tensor real = detail::real_view(parameter);
        real.add_(history_.d.narrow(0, offset, real.numel()).view_as(real), t.value);
        offset += real.numel();
    }
}

AUDYN_INLINE LBFGS::Evaluation LBFGS::evaluate(const Closure& closure, at::Tensor& loss) const {
    {
        const at::AutoGradMode enable_grad(true);
        loss = closure();
    }
    return {loss.item<double>(), flat_grad()};
}

AUDYN_INLINE at::Tensor LBFGS::step(const Closure& closure) {
    const at::NoGradGuard no_grad;
    const LBFGSOptions options = this->options(0);
    at::Tensor first_loss;
    Evaluation current = evaluate(closure, first_loss);
    int64_t evaluations = 1;
    ++history_.func_evals;
    if (detail::Number::of(current.grad.abs().max()) <= detail::Number{options.tolerance_grad()}) {
        return first_loss;
    }
    for (int64_t iteration = 1; iteration <= options.max_iter(); ++iteration) {
        const bool is_first = ++history_.n_iter == 1;
        update_direction(current.grad, options.history_size());
        history_.prev_flat_grad = current.grad.clone();
        history_.prev_loss = current.loss;
        const detail::Number lr{options.lr()};
        history_.t =
            is_first ? detail::lesser_of({1.0}, detail::Number{1.0} / detail::Number::of(current.grad.abs().sum())) * lr
                     : lr;
        const detail::Number slope = detail::Number::of(at::dot(current.grad, history_.d));
        if (slope > detail::Number{-options.tolerance_change()}) {
            break;
        }
        const bool is_last = iteration == options.max_iter();
        const int64_t calls = options.line_search_fn() ? move_by_search(closure, current, slope, options, evaluations)
                                                       : move_by_rate(closure, current, is_last);
        evaluations += calls;
        history_.func_evals += calls;
        if (is_last || evaluations >= options.max_eval() || has_converged(current, options)) {
            break;
        }
    }
    return first_loss;
}

/// The negative gradient times the approximate inverse Hessian, by the two-loop recursion.
AUDYN_INLINE void LBFGS::update_direction(const at::Tensor& grad, int64_t history_size) {
    History& history = history_;
    if (history.n_iter == 1) {
        history.d = grad.neg();
        return;
    }
    remember_change(grad, static_cast<std::size_t>(history_size));
    history.al.resize(static_cast<std::size_t>(history_size));
    at::Tensor direction = grad.neg();
    for (std::size_t i = history.old_dirs.size(); i-- > 0;) {
        history.al[i] = at::dot(history.old_stps[i], direction).mul(history.ro[i]);
        direction.add_(history.old_dirs[i], -history.al[i].item<double>());
    }
    if (history.H_diag.defined()) {
        direction.mul_(history.H_diag);
    }
    for (std::size_t i = 0; i < history.old_dirs.size(); ++i) {
        const at::Tensor beta = at::dot(history.old_dirs[i], direction).mul(history.ro[i]);
        direction.add_(history.old_stps[i], history.al[i].sub(beta).item<double>());
    }
    history.d = direction;
}

AUDYN_INLINE void LBFGS::remember_change(const at::Tensor& grad, std::size_t history_size) {
    History& history = history_;
    const at::Tensor grad_change = grad.sub(history.prev_flat_grad);
    const at::Tensor change = history.d.mul(history.t.value);
    const at::Tensor curvature = at::dot(grad_change, change);
    if (!(detail::Number::of(curvature) > detail::Number{1e-10})) {
        return;
    }
    if (history.old_dirs.size() == history_size) {
        history.old_dirs.erase(history.old_dirs.begin());
        history.old_stps.erase(history.old_stps.begin());
        history.ro.erase(history.ro.begin());
    }
    history.old_dirs.push_back(grad_change);
    history.old_stps.push_back(change);
    history.ro.push_back(curvature.reciprocal());
    history.H_diag = curvature.div(at::dot(grad_change, grad_change));
}

AUDYN_INLINE int64_t LBFGS::move_by_rate(const Closure& closure, Evaluation& current, bool is_last) const {
    move(history_.t);
    if (is_last) {
        return 0; // The next step's first call computes the same.
    }
    at::Tensor loss;
    current = evaluate(closure, loss);
    return 1;
}

AUDYN_INLINE int64_t LBFGS::move_by_search(const Closure& closure, Evaluation& current, detail::Number slope,
                                           const LBFGSOptions& options, int64_t evaluations) {
    std::vector<at::Tensor> origin;
    for (const at::Tensor& parameter : parameters()) {
        origin.push_back(parameter.detach().clone());
    }
    const auto objective = [&](detail::Number t) {
        move(t);
        at::Tensor loss;
        const Evaluation there = evaluate(closure, loss);
        for (std::size_t i = 0; i < origin.size(); ++i) {
            at::Tensor(parameters()[i]).copy_(origin[i]);
        }
        return detail::LinePoint{t, {there.loss}, there.grad, detail::Number::of(at::dot(there.grad, history_.d))};
    };
    detail::StrongWolfe search(objective, {{}, {current.loss}, current.grad, slope},
                               {.tolerance_change = {options.tolerance_change()},
                                .direction_max = detail::Number::of(history_.d.abs().max()),
                                .max_iterations = options.max_eval() - evaluations});
    const detail::LinePoint found = search.search(history_.t);
    current = {found.loss.value, found.grad};
    history_.t = found.t;
    move(history_.t);
    return search.evaluations();
}

AUDYN_INLINE bool LBFGS::has_converged(const Evaluation& current, const LBFGSOptions& options) const {
    const detail::Number tolerance_change{options.tolerance_change()};
    return detail::Number::of(current.grad.abs().max()) <= detail::Number{options.tolerance_grad()} ||
           detail::Number::of(history_.d.mul(history_.t.value).abs().max()) <= tolerance_change ||
           detail::absolute({current.loss - history_.prev_loss}) < tolerance_change;
}

AUDYN_INLINE StateDict LBFGS::parameter_state(std::size_t index) const {
    if (index != 0 || history_.func_evals == 0) {
        return {};
    }
    StateDict state{{"func_evals", history_.func_evals}, {"n_iter", history_.n_iter}};
    if (history_.n_iter == 0) {
        return state;
    }
    const auto list = [](const std::vector<at::Tensor>& tensors) {
        state::List items;
        for (const at::Tensor& tensor : tensors) {
            state::Value& item = items.emplace_back();
            if (tensor.defined()) {
                item = tensor;
            }
        }
        return items;
    };
    if (!history_.al.empty()) {
        state.set("al", list(history_.al));
    }
    state.set("d", history_.d);
    state.set("t", history_.t.value);
    if (history_.t.is_single) {
        state.set("t", at::scalar_tensor(history_.t.value, history_.d.options()));
    }
    state.set("old_dirs", list(history_.old_dirs));
    state.set("old_stps", list(history_.old_stps));
    state.set("ro", list(history_.ro));
    state.set("H_diag", 1);
    if (history_.H_diag.defined()) {
        state.set("H_diag", history_.H_diag);
    }
    state.set("prev_flat_grad", history_.prev_flat_grad);
    state.set("prev_loss", history_.prev_loss);
    return state;
}

AUDYN_INLINE void LBFGS::check_parameter_state(std::size_t index, const StateDict& state,
                                               std::vector<std::string>& mismatches) const {
    if (index != 0 || state.empty()) {
        return;
    }
    const auto number_of = [&](const char* key) {
        const state::Value* value = state.find(key);
        if (value == nullptr || !detail::is_number(*value)) {
            mismatches.push_back(c10::str("'", key, "' is missing or no number"));
        }
    };
    number_of("func_evals");
    number_of("n_iter");
    if (!state.contains("d")) {
        return; // No iteration yet.
    }
    for (const char* key : {"t", "H_diag", "prev_loss"}) {
        number_of(key);
    }
    for (const char* key : {"d", "prev_flat_grad"}) {
        const state::Value* value = state.find(key);
        if (value == nullptr || !value->is<at::Tensor>() || value->as_tensor().numel() != numel()) {
            mismatches.push_back(c10::str("'", key, "' is missing or no tensor of ", numel(),
                                          " elements, which is what the parameters have"));
        }
    }
    const auto length_of = [&](const char* key) {
        const state::Value* value = state.find(key);
        return value != nullptr && detail::is_list(*value) ? std::optional(value->as_list().size()) : std::nullopt;
    };
    const auto length = length_of("old_dirs");
    if (!length || length_of("old_stps") != length || length_of("ro") != length) {
        mismatches.emplace_back("'old_dirs', 'old_stps' and 'ro' are not three lists of one length");
    }
}

AUDYN_INLINE void LBFGS::load_parameter_state(std::size_t index, const StateDict& state) {
    if (index != 0) {
        return;
    }
    history_ = {};
    if (state.empty()) {
        return;
    }
    const at::TensorOptions options = detail::real_view(parameters()[0]).options().requires_grad(false);
    const auto tensor = [&](const state::Value& value) {
        return value.is_none() ? at::Tensor() : value.as_tensor().to(options, /*non_blocking=*/false, /*copy=*/true);
    };
    const auto list = [&](const char* key) {
        std::vector<at::Tensor> tensors;
        for (const state::Value& value : state.at(key).as_list()) {
            tensors.push_back(tensor(value));
        }
        return tensors;
    };
    history_.func_evals = static_cast<int64_t>(detail::number(state.at("func_evals")));
    history_.n_iter = static_cast<int64_t>(detail::number(state.at("n_iter")));
    if (!state.contains("d")) {
        return;
    }
    const state::Value& t = state.at("t");
    history_.d = tensor(state.at("d"));
    history_.t = t.is<at::Tensor>() ? detail::Number::of(t.as_tensor()) : detail::Number{t.as_float()};
    history_.old_dirs = list("old_dirs");
    history_.old_stps = list("old_stps");
    history_.ro = list("ro");
    if (state.at("H_diag").is<at::Tensor>()) {
        history_.H_diag = tensor(state.at("H_diag"));
    }
    history_.prev_flat_grad = tensor(state.at("prev_flat_grad"));
    history_.prev_loss = detail::number(state.at("prev_loss"));
    if (state.contains("al")) {
        history_.al = list("al");
    }
}

} // namespace audyn::optim
