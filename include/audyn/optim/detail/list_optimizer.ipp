#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/list_optimizer.hpp>

#include <ATen/ops/view_as_real.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace audyn::optim::detail {

AUDYN_INLINE at::Tensor real_view(const at::Tensor& tensor) {
    return tensor.is_complex() ? at::view_as_real(tensor.resolve_conj()) : tensor;
}

AUDYN_INLINE ListOptimizer::ListOptimizer(std::vector<ParamGroup> groups, std::vector<StateField> fields)
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

AUDYN_INLINE void ListOptimizer::make_state() {
    for (const TensorLists& lists : lists_) {
        for (const std::size_t member : lists.members) {
            for (std::size_t field = 0; field < fields_.size(); ++field) {
                if (uses_field(field, lists.group)) {
                    state_of(field, member, lists.group);
                }
            }
        }
    }
}

AUDYN_INLINE void ListOptimizer::gather_gradients(TensorLists& lists) {
    lists.grads.clear();
    const std::vector<at::Tensor>& all = parameters();
    bool same = fields_fit(lists);
    for (const std::size_t member : lists.members) {
        // Without grad()'s check for a warning, which costs as much as the rest of this loop.
        const at::Tensor& grad = all[member].mutable_grad();
        if (grad.defined()) {
            const std::size_t place = lists.grads.size();
            same =
                same && place < lists.active.size() && lists.active[place] == member && grad.layout() == at::kStrided;
            lists.grads.push_back(grad.is_complex() ? real_view(grad) : grad);
        }
    }
    if (!same || lists.grads.size() != lists.active.size()) {
        rebuild(lists);
    }
}

/// Options may have changed between two steps: a scheduler that cycles the momentum, a loaded state.
AUDYN_INLINE bool ListOptimizer::fields_fit(const TensorLists& lists) const {
    for (std::size_t field = 0; field < fields_.size(); ++field) {
        if (uses_field(field, lists.group) == lists.state[field].empty()) {
            return false;
        }
    }
    return true;
}

AUDYN_INLINE void ListOptimizer::rebuild(TensorLists& lists) {
    lists.active.clear();
    lists.params.clear();
    for (std::vector<at::Tensor>& list : lists.state) {
        list.clear();
    }
    for (const std::size_t member : lists.members) {
        const at::Tensor& parameter = parameters()[member];
        if (!parameter.grad().defined()) {
            continue;
        }
        check_gradient(member);
        lists.active.push_back(member);
        lists.params.push_back(real_view(parameter));
        for (std::size_t field = 0; field < fields_.size(); ++field) {
            if (uses_field(field, lists.group)) {
                const at::Tensor& state = state_of(field, member, lists.group);
                lists.state[field].push_back(state.defined() ? real_view(state) : state);
            }
        }
    }
}

AUDYN_INLINE void ListOptimizer::check_gradient(std::size_t index) const {
    const at::Tensor& parameter = parameters()[index];
    if (parameter.grad().layout() != at::kStrided) {
        throw UsageError(std::string(name()) + " does not take sparse gradients, but '" + parameter_name(index) +
                         "' has one");
    }
    if (!parameter.is_floating_point() && !(takes_complex() && parameter.is_complex())) {
        throw UsageError(std::string(name()) + " takes real floating-point parameters, but '" + parameter_name(index) +
                         "' is " + c10::toString(parameter.scalar_type()));
    }
}

AUDYN_INLINE std::optional<std::vector<int64_t>> ListOptimizer::state_shape(std::size_t,
                                                                            const at::Tensor& parameter) const {
    return parameter.sizes().vec();
}

AUDYN_INLINE at::Tensor ListOptimizer::new_state(std::size_t field, std::size_t index) const {
    const at::Tensor& parameter = parameters()[index];
    const at::TensorOptions options = parameter.options().requires_grad(false);
    switch (fields_[field].kind) {
    case FieldKind::device_scalar:
        return at::zeros({}, options.dtype(at::kFloat));
    case FieldKind::host_scalar:
        return at::zeros({}, at::kFloat);
    case FieldKind::tensor:
        break;
    }
    const auto shape = state_shape(field, parameter);
    if (!shape) {
        return {};
    }
    return parameter.sizes() == *shape ? at::zeros_like(parameter, at::MemoryFormat::Preserve)
                                       : at::zeros(*shape, options);
}

AUDYN_INLINE const at::Tensor& ListOptimizer::state_of(std::size_t field, std::size_t index, std::size_t group) {
    at::Tensor& tensor = state_[field][index];
    if (!tensor.defined()) {
        tensor = new_state(field, index);
        if (const double initial = initial_value(field, group); tensor.defined() && initial != 0.0) {
            real_view(tensor).fill_(initial);
        }
    }
    return tensor;
}

AUDYN_INLINE StateDict ListOptimizer::parameter_state(std::size_t index) const {
    StateDict state;
    for (std::size_t field = 0; field < fields_.size(); ++field) {
        if (state_[field][index].defined()) {
            state.set(fields_[field].name, state_[field][index]);
        }
    }
    return state;
}

AUDYN_INLINE void ListOptimizer::check_parameter_state(std::size_t index, const StateDict& state,
                                                       std::vector<std::string>& mismatches) const {
    for (std::size_t field = 0; !state.empty() && field < fields_.size(); ++field) {
        check_field(field, index, state.find(fields_[field].name), mismatches);
    }
}

AUDYN_INLINE void ListOptimizer::check_field(std::size_t field, std::size_t index, const state::Value* value,
                                             std::vector<std::string>& mismatches) const {
    const bool is_scalar = fields_[field].kind != FieldKind::tensor;
    const at::Tensor& parameter = parameters()[index];
    const auto shape = is_scalar ? std::vector<int64_t>() : state_shape(field, parameter);
    if (!shape) {
        return;
    }
    const std::string place = std::string("'") + fields_[field].name + "' of '" + parameter_name(index) + "'";
    if (value == nullptr || value->is_none()) {
        if (!fields_[field].is_optional) {
            mismatches.push_back(place + " is missing");
        }
    } else if (is_scalar ? !is_number(*value) : !value->is<at::Tensor>()) {
        mismatches.push_back(place + " is of kind " + value->kind());
    } else if (!is_scalar && value->as_tensor().sizes() != *shape) {
        const bool is_like_parameter = parameter.sizes() == *shape;
        mismatches.push_back(c10::str(place, " has the shape ", value->as_tensor().sizes(),
                                      is_like_parameter ? ", the parameter has " : ", needed is ",
                                      at::IntArrayRef(*shape)));
    }
}

AUDYN_INLINE void ListOptimizer::load_parameter_state(std::size_t index, const StateDict& state) {
    for (std::size_t field = 0; field < fields_.size(); ++field) {
        at::Tensor& own = state_[field][index];
        own.reset();
        const state::Value* value = state.find(fields_[field].name);
        if (value == nullptr || value->is_none()) {
            continue;
        }
        own = new_state(field, index);
        if (own.defined() && fields_[field].kind != FieldKind::tensor) {
            own.fill_(number(*value));
        } else if (own.defined()) {
            own.copy_(value->as_tensor());
        }
    }
    // The lists hold the tensors of before.
    for (TensorLists& lists : lists_) {
        lists.active.clear();
        lists.params.clear();
    }
}

} // namespace audyn::optim::detail
