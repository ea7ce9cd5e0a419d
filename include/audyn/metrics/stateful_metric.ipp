#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/metrics/stateful_metric.hpp>

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

namespace audyn::metrics {

AUDYN_INLINE StatefulMetric::StatefulMetric(std::vector<std::string> arguments, const std::vector<State>& states)
    : names_(std::move(arguments)) {
    for (const State& state : states) {
        state_names_.push_back(state.name);
        states_.push_back(at::zeros(state.sizes, state.dtype));
    }
}

AUDYN_INLINE void StatefulMetric::update(std::span<const at::Tensor> arguments) {
    if (arguments.size() != names_.size()) {
        throw UsageError("a metric of " + std::to_string(names_.size()) + " arguments got " +
                         std::to_string(arguments.size()));
    }
    const c10::NoGradGuard no_grad;
    to(arguments[0].device());
    add(arguments, states_);
}

AUDYN_INLINE void StatefulMetric::reset() {
    for (at::Tensor& state : states_) {
        state = at::zeros(state.sizes(), state.options());
    }
}

AUDYN_INLINE void StatefulMetric::to(at::Device device) {
    for (at::Tensor& state : states_) {
        // MPS has no float64.
        const bool is_too_wide = device.is_mps() && state.scalar_type() == at::kDouble;
        state = state.to(device, is_too_wide ? at::kFloat : state.scalar_type());
    }
}

AUDYN_INLINE StateDict StatefulMetric::state_dict() const {
    StateDict state;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        state.set(state_names_[i], states_[i].clone());
    }
    return state;
}

AUDYN_INLINE void StatefulMetric::load_state_dict(const StateDict& state) {
    std::vector<at::Tensor> loaded;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const at::Tensor& saved = state.at(state_names_[i]).as_tensor();
        if (saved.sizes() != states_[i].sizes()) {
            throw StateError("the metric's state '" + state_names_[i] +
                             "' has another shape; is its number of classes the same?");
        }
        loaded.push_back(saved.to(states_[i].options()).clone());
    }
    states_ = std::move(loaded);
}

} // namespace audyn::metrics
