#pragma once

#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/moving_average.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/rsub.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace audyn::optim {

AUDYN_INLINE MovingAverage::MovingAverage(std::vector<at::Tensor> parameters, std::size_t averaged)
    : parameters_(std::move(parameters)), averaged_count_(averaged) {
    std::unordered_map<const void*, std::size_t> seen;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        const auto [first, is_new] = seen.emplace(parameters_[i].unsafeGetTensorImpl(), i);
        averages_.push_back(is_new ? parameters_[i].detach().clone() : averages_[first->second]);
        if (is_new) {
            distinct_.push_back(i);
        }
    }
    make_lists();
}

AUDYN_INLINE void MovingAverage::make_lists() {
    averaged_.clear();
    copied_.clear();
    for (const std::size_t i : distinct_) {
        const bool is_averaged =
            i < averaged_count_ && (parameters_[i].is_floating_point() || parameters_[i].is_complex());
        add(is_averaged ? averaged_ : copied_, parameters_[i], averages_[i]);
    }
}

AUDYN_INLINE void MovingAverage::follow_parameters() {
    const auto has_moved = [](const at::Tensor& parameter, const at::Tensor& average) {
        return parameter.device() != average.device() || parameter.scalar_type() != average.scalar_type();
    };
    const auto has_list_moved = [&](const List& list) {
        return has_moved(list.parameters.front(), list.averages.front());
    };
    if (std::none_of(averaged_.begin(), averaged_.end(), has_list_moved) &&
        std::none_of(copied_.begin(), copied_.end(), has_list_moved)) {
        return;
    }
    for (const std::size_t i : distinct_) {
        if (has_moved(parameters_[i], averages_[i])) {
            const at::Tensor moved = averages_[i].to(parameters_[i].device(), parameters_[i].scalar_type());
            averages_[i].set_data(moved);
        }
    }
    make_lists();
}

AUDYN_INLINE void MovingAverage::add(std::vector<List>& lists, const at::Tensor& parameter, const at::Tensor& average) {
    const auto fits = [&](const List& list) {
        const at::Tensor& other = list.averages.front();
        return other.device() == average.device() && other.scalar_type() == average.scalar_type();
    };
    auto list = std::find_if(lists.begin(), lists.end(), fits);
    if (list == lists.end()) {
        list = lists.emplace(lists.end());
    }
    list->parameters.push_back(parameter);
    list->averages.push_back(average);
}

AUDYN_INLINE void MovingAverage::require_outside_scope(const char* what) const {
    if (is_swapped_) {
        throw UsageError(std::string("the parameters hold their moving averages; ") + what +
                         " when the MovingAverageScope has ended");
    }
}

AUDYN_INLINE at::Tensor MovingAverage::average(std::size_t index) const {
    return (is_swapped_ ? parameters_ : averages_).at(index).detach();
}

AUDYN_INLINE void MovingAverage::start() {
    if (num_updates_ > 0) {
        return;
    }
    require_outside_scope("begin with them");
    const at::NoGradGuard no_grad;
    follow_parameters();
    for (const std::vector<List>* lists : {&averaged_, &copied_}) {
        for (const List& list : *lists) {
            at::_foreach_copy_(list.averages, list.parameters);
        }
    }
}

AUDYN_INLINE void MovingAverage::update() {
    require_outside_scope("update them");
    const at::NoGradGuard no_grad;
    follow_parameters();
    for (const List& list : averaged_) {
        if (const double part = weight(list.averages.front().scalar_type()); part != 0.0) {
            at::_foreach_lerp_(list.averages, list.parameters, part);
        }
    }
    finish_update();
}

AUDYN_INLINE void MovingAverage::update(const at::Tensor& found_inf) {
    if (!found_inf.defined()) {
        update();
        return;
    }
    if (found_inf.is_cpu()) {
        if (*found_inf.const_data_ptr<float>() == 0.0F) {
            update();
        }
        return;
    }
    require_outside_scope("update them");
    const at::NoGradGuard no_grad;
    follow_parameters();
    for (const List& list : averaged_) {
        const at::Tensor& average = list.averages.front();
        const double part = weight(average.scalar_type());
        if (part == 0.0) {
            continue;
        }
        const at::Tensor factor = at::rsub(found_inf, 1).mul_(part);
        const std::vector<at::Tensor> differences = at::_foreach_sub(list.parameters, list.averages);
        at::_foreach_mul_(differences, factor.to(average.device(), average.scalar_type()));
        at::_foreach_add_(list.averages, differences);
    }
    finish_update();
}

AUDYN_INLINE void MovingAverage::finish_update() {
    for (const List& list : copied_) {
        at::_foreach_copy_(list.averages, list.parameters);
    }
    count_update();
    ++num_updates_;
}

AUDYN_INLINE void MovingAverage::swap() {
    const at::NoGradGuard no_grad;
    for (const std::size_t i : distinct_) {
        const at::Tensor held = parameters_[i].detach();
        const at::Tensor average = averages_[i].detach();
        parameters_[i].set_data(average);
        averages_[i].set_data(held);
    }
    is_swapped_ = !is_swapped_;
}

AUDYN_INLINE StateDict AveragedParameters::model_state(const torch::nn::Module& module) const {
    StateDict state = checkpoint::module_state(module);
    replace(module, state);
    return state;
}

AUDYN_INLINE void MovingAverage::replace(const torch::nn::Module& module, StateDict& state) const {
    std::unordered_map<const void*, std::size_t> indices;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        indices.emplace(parameters_[i].unsafeGetTensorImpl(), i);
    }
    const auto replace_one = [&](const std::string& name, const at::Tensor& tensor) {
        if (const auto found = indices.find(tensor.unsafeGetTensorImpl()); found != indices.end()) {
            state.set(name, average(found->second));
        }
    };
    for (const auto& item : module.named_parameters()) {
        replace_one(item.key(), item.value());
    }
    for (const auto& item : module.named_buffers()) {
        replace_one(item.key(), item.value());
    }
}

AUDYN_INLINE void MovingAverage::check_average(std::size_t index, const std::string& name, const state::Value* saved,
                                               std::vector<std::string>& mismatches) const {
    if (saved == nullptr) {
        mismatches.push_back("'" + name + "' is missing");
    } else if (!saved->is<at::Tensor>()) {
        mismatches.push_back("'" + name + "' is of kind " + saved->kind());
    } else if (saved->as_tensor().sizes() != averages_[index].sizes()) {
        mismatches.push_back(c10::str("'", name, "' has the shape ", saved->as_tensor().sizes(), ", the parameter has ",
                                      averages_[index].sizes()));
    }
}

AUDYN_INLINE void MovingAverage::throw_mismatches(const char* what, const std::vector<std::string>& lines) {
    if (lines.empty()) {
        return;
    }
    std::string message = std::string("the state does not fit the ") + what + ":";
    for (const std::string& line : lines) {
        message += "\n  " + line;
    }
    throw StateError(message);
}

AUDYN_INLINE void MovingAverage::load_average(std::size_t index, const at::Tensor& saved) {
    const at::NoGradGuard no_grad;
    averages_[index].copy_(saved);
}

AUDYN_INLINE void MovingAverage::enter_scope() {
    require_outside_scope("enter another one");
    follow_parameters();
    swap();
}

AUDYN_INLINE MovingAverageScope::MovingAverageScope(AveragedParameters& averages) : averages_(averages) {
    averages_.enter_scope();
}

AUDYN_INLINE MovingAverageScope::~MovingAverageScope() {
    averages_.leave_scope();
}

AUDYN_INLINE void MovingAverages::start() {
    for (AveragedParameters* average : averages_) {
        average->start();
    }
}

AUDYN_INLINE void MovingAverages::replace(const torch::nn::Module& module, StateDict& state) const {
    for (const AveragedParameters* average : averages_) {
        average->replace(module, state);
    }
}

AUDYN_INLINE void MovingAverages::enter_scope() {
    std::deque<MovingAverageScope> scopes; // All of them or none.
    for (AveragedParameters* average : averages_) {
        scopes.emplace_back(*average);
    }
    scopes_.swap(scopes);
}

} // namespace audyn::optim

namespace audyn::optim::detail {

AUDYN_INLINE StateDict averaged_state(const MovingAverage& average, StateDict original) {
    return {{"moving_average", average.state_dict()}, {"original", std::move(original)}};
}

AUDYN_INLINE void check_averaged_state(const StateDict& state) {
    if (!state.contains("moving_average") || !state.contains("original")) {
        throw StateError("the state is of an optimizer without a moving average: it has no 'moving_average' and "
                         "'original'; train on without one, or begin the average anew with the parameters alone");
    }
}

} // namespace audyn::optim::detail
