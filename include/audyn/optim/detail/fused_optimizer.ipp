#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/fused_optimizer.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace audyn::optim::detail {

AUDYN_INLINE FusedOptimizer::FusedOptimizer(std::vector<ParamGroup> groups, std::vector<StateField> fields)
    : Optimizer(std::move(groups)),
      fields_(std::move(fields)),
      state_(fields_.size(), std::vector<at::Tensor>(parameters().size())) {
    std::size_t index = 0;
    for (std::size_t g = 0; g < this->groups().size(); ++g) {
        const std::size_t first = lists_.size();
        for (const at::Tensor& parameter : this->groups()[g].params) {
            const auto fits = [&](const TensorLists& lists) {
                const at::Tensor& other = parameters()[lists.members.front()];
                return other.device() == parameter.device() && other.scalar_type() == parameter.scalar_type();
            };
            auto lists = std::find_if(lists_.begin() + static_cast<std::ptrdiff_t>(first), lists_.end(), fits);
            if (lists == lists_.end()) {
                lists_.emplace_back().group = g;
                lists = std::prev(lists_.end());
                lists->state.resize(fields_.size());
            }
            lists->members.push_back(index++);
        }
    }
}

AUDYN_INLINE void FusedOptimizer::step(const at::Tensor& grad_scale, const at::Tensor& found_inf) {
    Scaling scaling;
    if (grad_scale.defined()) {
        scaling.grad_scale = grad_scale;
    }
    if (found_inf.defined()) {
        scaling.found_inf = found_inf;
    }
    step_all(scaling);
}

AUDYN_INLINE void FusedOptimizer::step_all(const Scaling& scaling) {
    const at::NoGradGuard no_grad;
    for (TensorLists& lists : lists_) {
        gather_gradients(lists);
        if (!lists.active.empty()) {
            step_lists(lists, scaling);
        }
        lists.grads.clear();
    }
}

AUDYN_INLINE void FusedOptimizer::step_lists(TensorLists& lists, const Scaling& scaling) {
    if (!scaling.found_inf) {
        update(lists, scaling);
        return;
    }
    const at::Device device = lists.params.front().device();
    Scaling local{scaling.grad_scale, scaling.found_inf->to(device, /*non_blocking=*/!device.is_cpu())};
    if (local.grad_scale) {
        local.grad_scale = local.grad_scale->to(device, /*non_blocking=*/!device.is_cpu());
    }
    // Where reading costs no synchronisation, a step is skipped here, else in the kernel.
    if (!device.is_cpu() || *local.found_inf->const_data_ptr<float>() == 0.0F) {
        update(lists, local);
    }
}

AUDYN_INLINE void FusedOptimizer::gather_gradients(TensorLists& lists) {
    lists.grads.clear();
    const std::vector<at::Tensor>& all = parameters();
    bool same = fields_fit(lists);
    for (const std::size_t member : lists.members) {
        // Without grad()'s check for a warning, which costs as much as the rest of this loop.
        const at::Tensor& grad = all[member].mutable_grad();
        if (grad.defined()) {
            const std::size_t place = lists.grads.size();
            same = same && place < lists.active.size() && lists.active[place] == member;
            lists.grads.push_back(grad);
        }
    }
    if (!same || lists.grads.size() != lists.active.size()) {
        rebuild(lists);
    }
}

/// Options may have changed between two steps: a scheduler that cycles the momentum, a loaded state.
AUDYN_INLINE bool FusedOptimizer::fields_fit(const TensorLists& lists) const {
    for (std::size_t field = 0; field < fields_.size(); ++field) {
        if (uses_field(field, lists.group) == lists.state[field].empty()) {
            return false;
        }
    }
    return true;
}

AUDYN_INLINE void FusedOptimizer::rebuild(TensorLists& lists) {
    lists.active.clear();
    lists.params.clear();
    for (std::vector<at::Tensor>& list : lists.state) {
        list.clear();
    }
    for (const std::size_t member : lists.members) {
        const at::Tensor& parameter = parameters()[member];
        const at::Tensor& grad = parameter.grad();
        if (!grad.defined()) {
            continue;
        }
        if (grad.layout() != at::kStrided) {
            throw UsageError(std::string(name()) + " does not take sparse gradients, but '" + parameter_name(member) +
                             "' has one");
        }
        if (!parameter.is_floating_point()) {
            throw UsageError(std::string(name()) + " takes real floating-point parameters, but '" +
                             parameter_name(member) + "' is " + c10::toString(parameter.scalar_type()));
        }
        lists.active.push_back(member);
        lists.params.push_back(parameter);
        for (std::size_t field = 0; field < fields_.size(); ++field) {
            if (uses_field(field, lists.group)) {
                lists.state[field].push_back(state_of(field, member));
            }
        }
    }
}

AUDYN_INLINE const at::Tensor& FusedOptimizer::state_of(std::size_t field, std::size_t index) {
    at::Tensor& tensor = state_[field][index];
    if (!tensor.defined()) {
        const at::Tensor& parameter = parameters()[index];
        tensor = fields_[field].is_step ? at::zeros({}, parameter.options().dtype(at::kFloat))
                                        : at::zeros_like(parameter, at::MemoryFormat::Preserve);
    }
    return tensor;
}

AUDYN_INLINE StateDict FusedOptimizer::parameter_state(std::size_t index) const {
    StateDict state;
    for (std::size_t field = 0; field < fields_.size(); ++field) {
        if (state_[field][index].defined()) {
            state.set(fields_[field].name, state_[field][index]);
        }
    }
    return state;
}

AUDYN_INLINE void FusedOptimizer::check_parameter_state(std::size_t index, const StateDict& state,
                                                        std::vector<std::string>& mismatches) const {
    if (state.empty()) {
        return;
    }
    for (const StateField& field : fields_) {
        const std::string place = std::string("'") + field.name + "' of '" + parameter_name(index) + "'";
        const state::Value* value = state.find(field.name);
        if (value == nullptr || value->is_none()) {
            if (!field.is_optional) {
                mismatches.push_back(place + " is missing");
            }
        } else if (field.is_step ? !is_number(*value) : !value->is<at::Tensor>()) {
            mismatches.push_back(place + " is of kind " + value->kind());
        } else if (!field.is_step && value->as_tensor().sizes() != parameters()[index].sizes()) {
            mismatches.push_back(place + " has the shape " + c10::str(value->as_tensor().sizes()) +
                                 ", the parameter has " + c10::str(parameters()[index].sizes()));
        }
    }
}

AUDYN_INLINE void FusedOptimizer::load_parameter_state(std::size_t index, const StateDict& state) {
    for (std::size_t field = 0; field < fields_.size(); ++field) {
        state_[field][index].reset();
        const state::Value* value = state.find(fields_[field].name);
        if (value == nullptr || value->is_none()) {
            continue;
        }
        if (fields_[field].is_step) {
            state_of(field, index).fill_(number(*value));
        } else {
            state_of(field, index).copy_(value->as_tensor());
        }
    }
    // The lists hold the tensors of before.
    for (TensorLists& lists : lists_) {
        lists.active.clear();
        lists.params.clear();
    }
}

} // namespace audyn::optim::detail
