#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/multi_optimizers.hpp>

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

namespace audyn::optim::detail {

AUDYN_INLINE void check_named_states(const char* what, const std::vector<std::string>& names, const StateDict& state) {
    std::string wrong;
    for (const std::string& name : names) {
        if (!state.contains(name)) {
            wrong += std::string("\n  the ") + what + " '" + name + "' has none";
        }
    }
    for (const auto& [key, value] : state) {
        if (std::find(names.begin(), names.end(), key.to_string()) == names.end()) {
            wrong += std::string("\n  there is no ") + what + " '" + key.to_string() + "'";
        }
    }
    if (!wrong.empty()) {
        throw StateError(std::string("the states do not fit the ") + what + "s:" + wrong);
    }
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE MultiOptimizers::MultiOptimizers(std::vector<NamedOptimizer> optimizers)
    : optimizers_(std::move(optimizers)) {
    check_names();
    add_parameters();
    collect_averages();
}

AUDYN_INLINE void MultiOptimizers::check_names() const {
    if (optimizers_.empty()) {
        throw UsageError("MultiOptimizers needs at least one optimizer");
    }
    for (auto one = optimizers_.begin(); one != optimizers_.end(); ++one) {
        if (std::any_of(optimizers_.begin(), one,
                        [&](const NamedOptimizer& before) { return before.name == one->name; })) {
            throw UsageError("two optimizers have the name '" + one->name + "'; each needs its own");
        }
        if (one->optimizer.multi() != nullptr) {
            throw UsageError("the optimizer '" + one->name + "' is itself made of several; put these into the list");
        }
    }
}

AUDYN_INLINE void MultiOptimizers::add_parameters() {
    std::unordered_map<const void*, std::string> owners;
    for (const NamedOptimizer& one : optimizers_) {
        for (const ParamGroup& group : one.optimizer.groups()) {
            for (std::size_t i = 0; i < group.params.size(); ++i) {
                const auto [owner, is_new] = owners.emplace(group.params[i].unsafeGetTensorImpl(), one.name);
                if (!is_new) {
                    throw UsageError("the optimizers '" + owner->second + "' and '" + one.name + "' both have " +
                                     (group.names.empty() ? "one of the parameters" : "'" + group.names[i] + "'") +
                                     "; each parameter belongs to one");
                }
                parameters_.push_back(group.params[i]);
            }
            groups_.push_back(group);
            groups_.back().optimizer_name = one.name;
        }
    }
}

AUDYN_INLINE void MultiOptimizers::collect_averages() {
    std::vector<AveragedParameters*> averages;
    for (NamedOptimizer& one : optimizers_) {
        if (one.optimizer.moving_average() != nullptr) {
            averages.push_back(one.optimizer.moving_average());
        }
    }
    if (!averages.empty()) {
        averages_ = std::make_unique<MovingAverages>(std::move(averages));
    }
}

AUDYN_INLINE void MultiOptimizers::step() {
    for (NamedOptimizer& one : optimizers_) {
        one.optimizer.step();
    }
}

AUDYN_INLINE void MultiOptimizers::step(const at::Tensor& grad_scale, const at::Tensor& found_inf) {
    for (NamedOptimizer& one : optimizers_) {
        one.optimizer.step(grad_scale, found_inf);
    }
}

AUDYN_INLINE at::Tensor MultiOptimizers::step(const Closure& closure) {
    at::Tensor loss;
    for (NamedOptimizer& one : optimizers_) {
        const at::Tensor own = one.optimizer.step(closure);
        loss = loss.defined() ? loss : own;
    }
    return loss;
}

AUDYN_INLINE void MultiOptimizers::zero_grad(bool set_to_none) {
    for (NamedOptimizer& one : optimizers_) {
        one.optimizer.zero_grad(set_to_none);
    }
}

AUDYN_INLINE bool MultiOptimizers::supports_amp_scaling() const {
    return std::all_of(optimizers_.begin(), optimizers_.end(),
                       [](const NamedOptimizer& one) { return one.optimizer.supports_amp_scaling(); });
}

AUDYN_INLINE bool MultiOptimizers::needs_closure() const {
    return std::any_of(optimizers_.begin(), optimizers_.end(),
                       [](const NamedOptimizer& one) { return one.optimizer.needs_closure(); });
}

AUDYN_INLINE const std::vector<ParamGroup>& MultiOptimizers::groups() const {
    auto copy = groups_.begin();
    for (const NamedOptimizer& one : optimizers_) {
        for (const ParamGroup& group : one.optimizer.groups()) {
            copy->lr = group.lr;
            copy->momentum = group.momentum;
            copy->schedule = group.schedule;
            ++copy;
        }
    }
    return groups_;
}

AUDYN_INLINE AnyOptimizer& MultiOptimizers::optimizer(const std::string& name) {
    std::string known;
    for (NamedOptimizer& one : optimizers_) {
        if (one.name == name) {
            return one.optimizer;
        }
        known += (known.empty() ? "" : ", ") + one.name;
    }
    throw UsageError("there is no optimizer '" + name + "'; there are: " + known);
}

AUDYN_INLINE StateDict MultiOptimizers::state_dict() const {
    StateDict state;
    for (const NamedOptimizer& one : optimizers_) {
        state.set(one.name, one.optimizer.state_dict());
    }
    return state;
}

AUDYN_INLINE void MultiOptimizers::check_state_dict(const StateDict& state) const {
    std::vector<std::string> names;
    for (const NamedOptimizer& one : optimizers_) {
        names.push_back(one.name);
    }
    detail::check_named_states("optimizer", names, state);
    for (const NamedOptimizer& one : optimizers_) {
        try {
            one.optimizer.check_state_dict(state.at(one.name).as_dict());
        } catch (const StateError& error) {
            throw StateError("optimizer '" + one.name + "': " + error.what());
        }
    }
}

AUDYN_INLINE void MultiOptimizers::load_state_dict(const StateDict& state) {
    check_state_dict(state);
    for (NamedOptimizer& one : optimizers_) {
        one.optimizer.load_state_dict(state.at(one.name).as_dict());
    }
}

} // namespace audyn::optim
