#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/lbfgs.h>
#include <torch/optim/optimizer.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// What libtorch's optimizers keep, under Python's names. `visit_...` calls `visitor(key, reference)` for each field.
namespace audyn::optim::detail {

/// A counter that Python keeps as a float32 scalar tensor.
struct StepCount {
    int64_t& count;
};

template <class Options, class Visitor>
void visit_adam_options(Options& options, const Visitor& visitor) {
    visitor("lr", options.lr());
    visitor("betas", options.betas());
    visitor("eps", options.eps());
    visitor("weight_decay", options.weight_decay());
    visitor("amsgrad", options.amsgrad());
}
template <class Visitor>
void visit_options(torch::optim::AdamOptions& options, const Visitor& visitor) {
    visit_adam_options(options, visitor);
}
template <class Visitor>
void visit_options(torch::optim::AdamWOptions& options, const Visitor& visitor) {
    visit_adam_options(options, visitor);
}
template <class Visitor>
void visit_options(torch::optim::SGDOptions& options, const Visitor& visitor) {
    visitor("lr", options.lr());
    visitor("momentum", options.momentum());
    visitor("dampening", options.dampening());
    visitor("weight_decay", options.weight_decay());
    visitor("nesterov", options.nesterov());
}
template <class Visitor>
void visit_options(torch::optim::AdagradOptions& options, const Visitor& visitor) {
    visitor("lr", options.lr());
    visitor("lr_decay", options.lr_decay());
    visitor("eps", options.eps());
    visitor("weight_decay", options.weight_decay());
    visitor("initial_accumulator_value", options.initial_accumulator_value());
}
template <class Visitor>
void visit_options(torch::optim::RMSpropOptions& options, const Visitor& visitor) {
    visitor("lr", options.lr());
    visitor("momentum", options.momentum());
    visitor("alpha", options.alpha());
    visitor("eps", options.eps());
    visitor("centered", options.centered());
    visitor("weight_decay", options.weight_decay());
}
template <class Visitor>
void visit_options(torch::optim::LBFGSOptions& options, const Visitor& visitor) {
    visitor("lr", options.lr());
    visitor("max_iter", options.max_iter());
    visitor("max_eval", options.max_eval());
    visitor("tolerance_grad", options.tolerance_grad());
    visitor("tolerance_change", options.tolerance_change());
    visitor("history_size", options.history_size());
    visitor("line_search_fn", options.line_search_fn());
}

template <class State, class Visitor>
void visit_adam_state(State& state, const Visitor& visitor) {
    visitor("step", StepCount{state.step()});
    visitor("exp_avg", state.exp_avg());
    visitor("exp_avg_sq", state.exp_avg_sq());
    visitor("max_exp_avg_sq", state.max_exp_avg_sq());
}
template <class Visitor>
void visit_state(torch::optim::AdamParamState& state, const Visitor& visitor) {
    visit_adam_state(state, visitor);
}
template <class Visitor>
void visit_state(torch::optim::AdamWParamState& state, const Visitor& visitor) {
    visit_adam_state(state, visitor);
}
template <class Visitor>
void visit_state(torch::optim::SGDParamState& state, const Visitor& visitor) {
    visitor("momentum_buffer", state.momentum_buffer());
}
template <class Visitor>
void visit_state(torch::optim::AdagradParamState& state, const Visitor& visitor) {
    visitor("step", StepCount{state.step()});
    visitor("sum", state.sum());
}
template <class Visitor>
void visit_state(torch::optim::RMSpropParamState& state, const Visitor& visitor) {
    visitor("step", StepCount{state.step()});
    visitor("square_avg", state.square_avg());
    visitor("momentum_buffer", state.momentum_buffer());
    visitor("grad_avg", state.grad_avg());
}
template <class Visitor>
void visit_state(torch::optim::LBFGSParamState& state, const Visitor& visitor) {
    visitor("func_evals", state.func_evals());
    visitor("n_iter", state.n_iter());
    visitor("d", state.d());
    visitor("t", state.t());
    visitor("old_dirs", state.old_dirs());
    visitor("old_stps", state.old_stps());
    visitor("ro", state.ro());
    visitor("H_diag", state.H_diag());
    visitor("prev_flat_grad", state.prev_flat_grad());
    visitor("prev_loss", state.prev_loss());
    visitor("al", state.al());
}

/// Turns fields into values; fields that Python would not have are left out.
struct FieldWriter {
    StateDict& state;

    void operator()(const char* key, bool value) const { state.set(key, value); }
    void operator()(const char* key, int64_t value) const { state.set(key, value); }
    void operator()(const char* key, double value) const { state.set(key, value); }
    void operator()(const char* key, StepCount step) const;
    void operator()(const char* key, const std::tuple<double, double>& value) const;
    void operator()(const char* key, const at::Tensor& value) const;
    void operator()(const char* key, const std::optional<int64_t>& value) const;
    void operator()(const char* key, const std::optional<std::string>& value) const;
    void operator()(const char* key, const std::deque<at::Tensor>& values) const { write_list(key, values); }
    void operator()(const char* key, const std::optional<std::vector<at::Tensor>>& values) const;

private:
    template <class Tensors>
    void write_list(const char* key, const Tensors& tensors) const {
        state::List list;
        for (const at::Tensor& tensor : tensors) {
            state::Value& item = list.emplace_back();
            if (tensor.defined()) {
                item = tensor;
            }
        }
        state.set(key, std::move(list));
    }
};

/// Takes fields from values; a missing one keeps what it is. Tensors are copied to the parameter's device, and those
/// that are floating point to its type.
struct FieldReader {
    const StateDict& state;
    at::TensorOptions target;

    void operator()(const char* key, bool& value) const;
    void operator()(const char* key, int64_t& value) const;
    void operator()(const char* key, double& value) const;
    void operator()(const char* key, StepCount step) const;
    void operator()(const char* key, std::tuple<double, double>& value) const;
    void operator()(const char* key, at::Tensor& value) const;
    void operator()(const char* key, std::optional<int64_t>& value) const;
    void operator()(const char* key, std::optional<std::string>& value) const;
    void operator()(const char* key, std::deque<at::Tensor>& values) const;
    void operator()(const char* key, std::optional<std::vector<at::Tensor>>& values) const;

private:
    template <class Read>
    void read(const char* key, const Read& take) const {
        if (const state::Value* saved = state.find(key); saved != nullptr && !saved->is_none()) {
            take(*saved);
        }
    }
    /// A tensor, or a number where Python begins with one, as LBFGS's H_diag.
    [[nodiscard]] at::Tensor tensor(const state::Value& saved) const;
    [[nodiscard]] std::vector<at::Tensor> tensors(const state::Value& saved) const;
};

/// Options and states of one of libtorch's optimizers as dictionaries in Python's layout.
class TorchLayout {
public:
    TorchLayout() = default;
    TorchLayout(const TorchLayout&) = delete;
    TorchLayout& operator=(const TorchLayout&) = delete;
    virtual ~TorchLayout() = default;

    [[nodiscard]] virtual const char* name() const = 0;
    /// Whether a step needs a closure.
    [[nodiscard]] virtual bool needs_closure() const = 0;
    /// Whether parameters have a state before their first step.
    [[nodiscard]] virtual bool has_initial_state() const = 0;
    /// Keys without which a parameter's state is none.
    [[nodiscard]] virtual const std::vector<std::string>& required_state() const = 0;
    [[nodiscard]] virtual StateDict options(torch::optim::OptimizerOptions& options) const = 0;
    virtual void load_options(torch::optim::OptimizerOptions& options, const StateDict& saved) const = 0;
    /// The momentum or the first beta, or null; and whether it is a beta.
    [[nodiscard]] virtual std::pair<double*, bool> momentum(torch::optim::OptimizerOptions& options) const = 0;
    [[nodiscard]] virtual StateDict state(torch::optim::OptimizerParamState& state) const = 0;
    [[nodiscard]] virtual std::unique_ptr<torch::optim::OptimizerParamState>
    load_state(const StateDict& saved, const at::Tensor& parameter) const = 0;
};

template <class Optimizer, class Options, class State>
class TorchLayoutOf final : public TorchLayout {
public:
    TorchLayoutOf(const char* name, StateDict fixed_options, std::vector<std::string> required_state)
        : name_(name), fixed_options_(std::move(fixed_options)), required_state_(std::move(required_state)) {}

    [[nodiscard]] const char* name() const override { return name_; }
    [[nodiscard]] bool needs_closure() const override { return std::is_same_v<Optimizer, torch::optim::LBFGS>; }
    [[nodiscard]] bool has_initial_state() const override { return std::is_same_v<Optimizer, torch::optim::Adagrad>; }
    [[nodiscard]] const std::vector<std::string>& required_state() const override { return required_state_; }

    [[nodiscard]] StateDict options(torch::optim::OptimizerOptions& options) const override {
        StateDict result;
        visit_options(static_cast<Options&>(options), FieldWriter{result});
        for (const auto& [key, value] : fixed_options_) {
            result.set(key, value);
        }
        return result;
    }
    void load_options(torch::optim::OptimizerOptions& options, const StateDict& saved) const override {
        visit_options(static_cast<Options&>(options), FieldReader{saved, {}});
    }
    [[nodiscard]] std::pair<double*, bool> momentum(torch::optim::OptimizerOptions& options) const override {
        auto& own = static_cast<Options&>(options);
        if constexpr (requires { own.betas(); }) {
            return {&std::get<0>(own.betas()), true};
        } else if constexpr (requires { own.momentum(); }) {
            return {&own.momentum(), false};
        } else {
            return {nullptr, false};
        }
    }
    [[nodiscard]] StateDict state(torch::optim::OptimizerParamState& state) const override {
        StateDict result;
        visit_state(static_cast<State&>(state), FieldWriter{result});
        return result;
    }
    [[nodiscard]] std::unique_ptr<torch::optim::OptimizerParamState>
    load_state(const StateDict& saved, const at::Tensor& parameter) const override {
        auto state = std::make_unique<State>();
        visit_state(*state, FieldReader{saved, parameter.options().requires_grad(false)});
        return state;
    }

private:
    const char* name_;
    /// Python's options that libtorch's C++ lacks, at their defaults.
    StateDict fixed_options_;
    std::vector<std::string> required_state_;
};

/// A layout when `optimizer` is of the type, null otherwise.
template <class Optimizer, class Options, class State>
std::unique_ptr<TorchLayout> layout_if(const torch::optim::Optimizer& optimizer, const char* name,
                                       const StateDict& fixed_options, const std::vector<std::string>& required_state) {
    if (dynamic_cast<const Optimizer*>(&optimizer) == nullptr) {
        return nullptr;
    }
    return std::make_unique<TorchLayoutOf<Optimizer, Options, State>>(name, fixed_options, required_state);
}

/// The layout of `optimizer`, or null when it is none of libtorch's own.
AUDYN_INLINE std::unique_ptr<TorchLayout> torch_layout(const torch::optim::Optimizer& optimizer);

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/torch_layout.ipp>
#endif
