#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/torch_optimizer.hpp>

#include <optional>
#include <typeinfo>
#include <utility>

namespace audyn::optim {

AUDYN_INLINE const char* TorchOptimizer::name() const {
    const torch::optim::Optimizer& optimizer = *optimizer_;
    return layout_ ? layout_->name() : typeid(optimizer).name();
}

AUDYN_INLINE bool TorchOptimizer::needs_closure() const {
    return layout_ && layout_->needs_closure();
}

AUDYN_INLINE torch::optim::OptimizerOptions& TorchOptimizer::options(std::size_t group) const {
    return optimizer_->param_groups()[group].options();
}

AUDYN_INLINE TorchOptimizer::TorchOptimizer(std::unique_ptr<torch::optim::Optimizer> optimizer,
                                            const NamedParameters& names)
    : Optimizer(groups_of(optimizer.get(), names)),
      optimizer_(std::move(optimizer)),
      layout_(detail::torch_layout(*optimizer_)) {
    for (std::size_t g = 0; g < groups().size(); ++g) {
        read_group(g);
    }
}

AUDYN_INLINE std::vector<ParamGroup> TorchOptimizer::groups_of(torch::optim::Optimizer* optimizer,
                                                               const NamedParameters& names) {
    if (optimizer == nullptr) {
        throw UsageError("TorchOptimizer needs an optimizer");
    }
    std::vector<ParamGroup> groups;
    for (const torch::optim::OptimizerParamGroup& group : optimizer->param_groups()) {
        ParamGroup& own = groups.emplace_back();
        own.params = group.params();
        for (const at::Tensor& parameter : own.params) {
            for (const auto& named : names) {
                if (named.value().is_same(parameter)) {
                    own.names.push_back(named.key());
                    break;
                }
            }
        }
        if (own.names.size() != own.params.size()) {
            own.names.clear();
        }
    }
    return groups;
}

AUDYN_INLINE const detail::TorchLayout& TorchOptimizer::layout() const {
    if (layout_) {
        return *layout_;
    }
    throw StateError(std::string("the optimizer ") + name() +
                     " has no state dictionary: it is none of libtorch's own; derive from audyn::optim::Optimizer");
}

AUDYN_INLINE void TorchOptimizer::read_group(std::size_t group) {
    ParamGroup& own = groups()[group];
    own.lr = options(group).get_lr();
    if (layout_) {
        const auto [momentum, is_beta1] = layout_->momentum(options(group));
        own.momentum = momentum == nullptr ? std::nullopt : std::optional<double>(*momentum);
        own.momentum_is_beta1 = is_beta1;
    }
}

AUDYN_INLINE void TorchOptimizer::write_groups() {
    for (std::size_t g = 0; g < groups().size(); ++g) {
        options(g).set_lr(groups()[g].lr);
        if (groups()[g].momentum) {
            *layout_->momentum(options(g)).first = *groups()[g].momentum;
        }
    }
}

AUDYN_INLINE void TorchOptimizer::step() {
    if (needs_closure()) {
        throw UsageError(std::string(name()) + " needs step(closure): it computes the loss several times");
    }
    write_groups();
    optimizer_->step();
}

AUDYN_INLINE at::Tensor TorchOptimizer::step(const Closure& closure) {
    write_groups();
    return optimizer_->step(closure);
}

AUDYN_INLINE StateDict TorchOptimizer::group_options(std::size_t group) const {
    StateDict options = layout().options(this->options(group));
    const ParamGroup& own = groups()[group];
    options.set("lr", own.lr);
    if (own.momentum && !own.momentum_is_beta1) {
        options.set("momentum", *own.momentum);
    } else if (own.momentum) {
        const std::vector<state::Value> betas = options.at("betas").as_list();
        options.set("betas", state::Tuple{{*own.momentum, betas[1]}});
    }
    return options;
}

AUDYN_INLINE void TorchOptimizer::check_group_options(std::size_t group, const StateDict& saved,
                                                      std::vector<std::string>& mismatches) const {
    if (detail::flag(saved, "maximize")) {
        mismatches.push_back("param_groups[" + std::to_string(group) + "]['maximize'] is True, which libtorch's " +
                             name() + " cannot do");
    }
}

AUDYN_INLINE void TorchOptimizer::load_group_options(std::size_t group, const StateDict& saved) {
    layout().load_options(options(group), saved);
    read_group(group);
}

AUDYN_INLINE StateDict TorchOptimizer::parameter_state(std::size_t index) const {
    const auto& states = optimizer_->state();
    const auto found = states.find(parameters()[index].unsafeGetTensorImpl());
    return found == states.end() ? StateDict() : layout().state(*found->second);
}

AUDYN_INLINE void TorchOptimizer::check_parameter_state(std::size_t index, const StateDict& state,
                                                        std::vector<std::string>& mismatches) const {
    if (layout().needs_closure() || (state.empty() && !layout().has_initial_state())) {
        return; // LBFGS keeps flat tensors of all parameters.
    }
    for (const std::string& key : layout().required_state()) {
        if (!state.contains(key)) {
            mismatches.push_back("'" + key + "' of '" + parameter_name(index) + "' is missing");
        }
    }
    const at::Tensor& parameter = parameters()[index];
    for (const auto& [key, value] : state) {
        if (key != "step" && value.is<at::Tensor>() && value.as_tensor().sizes() != parameter.sizes()) {
            mismatches.push_back("'" + key.to_string() + "' of '" + parameter_name(index) + "' has the shape " +
                                 c10::str(value.as_tensor().sizes()) + ", the parameter has " +
                                 c10::str(parameter.sizes()));
        }
    }
}

AUDYN_INLINE void TorchOptimizer::load_parameter_state(std::size_t index, const StateDict& state) {
    const at::Tensor& parameter = parameters()[index];
    auto& states = optimizer_->state();
    if (state.empty()) {
        states.erase(parameter.unsafeGetTensorImpl());
    } else {
        states[parameter.unsafeGetTensorImpl()] = layout().load_state(state, parameter);
    }
}

} // namespace audyn::optim
