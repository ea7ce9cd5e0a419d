#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/exponential_moving_average.hpp>

#include <algorithm>
#include <cmath>

namespace audyn::optim::detail {

AUDYN_INLINE std::vector<at::Tensor> averaged_tensors(const std::vector<ParamGroup>& groups,
                                                      const std::vector<at::Tensor>& buffers) {
    std::vector<at::Tensor> tensors;
    for (const ParamGroup& group : groups) {
        tensors.insert(tensors.end(), group.params.begin(), group.params.end());
    }
    tensors.insert(tensors.end(), buffers.begin(), buffers.end());
    return tensors;
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE void ExponentialMovingAverageOptions::check() const {
    if (!(smooth_ >= 0.0 && smooth_ < 1.0)) {
        throw UsageError("ExponentialMovingAverage's smooth must lie in [0, 1), got " + std::to_string(smooth_));
    }
}

AUDYN_INLINE ExponentialMovingAverage::ExponentialMovingAverage(const std::vector<ParamGroup>& groups,
                                                                const ExponentialMovingAverageOptions& options,
                                                                const std::vector<at::Tensor>& buffers)
    : MovingAverage(detail::averaged_tensors(groups, buffers), detail::averaged_tensors(groups, buffers).size()),
      options_(options),
      count_(parameters().size() - buffers.size()) {
    options.check();
    for (const ParamGroup& group : groups) {
        group_sizes_.push_back(group.params.size());
    }
}

AUDYN_INLINE double ExponentialMovingAverage::smooth() const {
    if (!options_.warmup()) {
        return options_.smooth();
    }
    const auto update = static_cast<double>(num_updates() + 1);
    return std::min(options_.smooth(), (1.0 + update) / (10.0 + update));
}

AUDYN_INLINE double ExponentialMovingAverage::weight(at::ScalarType dtype) const {
    if (options_.bias_correction()) {
        return (1.0 - smooth()) / (1.0 - bias_ * smooth());
    }
    // In float32 as Audyn's lerp subtracts; the difference adds up over many updates.
    return dtype == at::kDouble || dtype == at::kComplexDouble ? 1.0 - smooth()
                                                               : double{1.0F - static_cast<float>(smooth())};
}

AUDYN_INLINE void ExponentialMovingAverage::count_update() {
    bias_ *= smooth();
}

AUDYN_INLINE StateDict ExponentialMovingAverage::state_dict() const {
    StateDict averages;
    state::List buffers;
    for (std::size_t i = 0; i < parameters().size(); ++i) {
        if (i < count_) {
            averages.set(static_cast<int64_t>(i), average(i));
        } else {
            buffers.emplace_back(average(i));
        }
    }
    averages.set("smooth", options_.smooth());
    state::List groups;
    int64_t next = 0;
    for (const std::size_t size : group_sizes_) {
        state::List params;
        for (std::size_t i = 0; i < size; ++i) {
            params.emplace_back(next++);
        }
        groups.emplace_back(StateDict{{"params", std::move(params)}});
    }
    return {{"state", std::move(averages)},
            {"param_groups", std::move(groups)},
            {"num_updates", num_updates()},
            {"bias", bias_},
            {"buffers", std::move(buffers)}};
}

AUDYN_INLINE void ExponentialMovingAverage::check_averages(const StateDict& state,
                                                           std::vector<std::string>& mismatches) const {
    const StateDict& averages = state.at("state").as_dict();
    const std::vector<state::Value>& groups = state.at("param_groups").as_list();
    if (groups.size() != group_sizes_.size()) {
        mismatches.push_back("it has " + std::to_string(groups.size()) + " parameter groups, the optimizer has " +
                             std::to_string(group_sizes_.size()));
        return;
    }
    std::size_t index = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::vector<state::Value>& params = groups[g].as_dict().at("params").as_list();
        if (params.size() != group_sizes_[g]) {
            mismatches.push_back("param_groups[" + std::to_string(g) + "] has " + std::to_string(params.size()) +
                                 " parameters, the optimizer's group has " + std::to_string(group_sizes_[g]));
            return;
        }
        for (const state::Value& number : params) {
            const int64_t key = number.as_int();
            check_average(index++, "state[" + std::to_string(key) + "]", averages.find(key), mismatches);
        }
    }
}

AUDYN_INLINE void ExponentialMovingAverage::check_buffers(const StateDict& state,
                                                          std::vector<std::string>& mismatches) const {
    const state::Value* buffers = state.find("buffers");
    const std::size_t own = parameters().size() - count_;
    const std::size_t count = buffers == nullptr ? 0 : buffers->as_list().size();
    if (count != own) {
        mismatches.push_back("it has " + std::to_string(count) + " buffers, the average has " + std::to_string(own));
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        check_average(count_ + i, "buffers[" + std::to_string(i) + "]", &buffers->as_list()[i], mismatches);
    }
}

AUDYN_INLINE void ExponentialMovingAverage::check_numbers(const StateDict& state,
                                                          std::vector<std::string>& mismatches) {
    const auto check = [&](const char* key, const state::Value* value) {
        if (value != nullptr && !detail::is_number(*value)) {
            mismatches.push_back(std::string("'") + key + "' is of kind " + value->kind() + ", not a number");
            return false;
        }
        return value != nullptr;
    };
    const state::Value* smooth = state.at("state").as_dict().find("smooth");
    if (check("smooth", smooth)) {
        const double value = detail::number(*smooth);
        if (!(value >= 0.0 && value < 1.0)) {
            mismatches.push_back("'smooth' is " + std::to_string(value) + ", which does not lie in [0, 1)");
        }
    }
    check("num_updates", state.find("num_updates"));
    check("bias", state.find("bias"));
}

AUDYN_INLINE void ExponentialMovingAverage::check_state_dict(const StateDict& state) const {
    std::vector<std::string> mismatches;
    check_averages(state, mismatches);
    check_numbers(state, mismatches);
    check_buffers(state, mismatches);
    throw_mismatches("moving average", mismatches);
}

AUDYN_INLINE void ExponentialMovingAverage::load_state_dict(const StateDict& state) {
    require_outside_scope("load a state");
    check_state_dict(state);
    const StateDict& averages = state.at("state").as_dict();
    std::size_t index = 0;
    for (const state::Value& group : state.at("param_groups").as_list()) {
        for (const state::Value& number : group.as_dict().at("params").as_list()) {
            load_average(index++, averages.at(number.as_int()).as_tensor());
        }
    }
    if (const state::Value* buffers = state.find("buffers")) {
        for (const state::Value& buffer : buffers->as_list()) {
            load_average(index++, buffer.as_tensor());
        }
    }
    if (const state::Value* smooth = averages.find("smooth")) {
        options_.smooth(detail::number(*smooth));
    }
    // Audyn counts nothing, and its averages are past any warm-up.
    const state::Value* updates = state.find("num_updates");
    const state::Value* bias = state.find("bias");
    const double past_warmup = std::ceil(10.0 * options_.smooth() / (1.0 - options_.smooth()));
    set_num_updates(updates == nullptr ? static_cast<int64_t>(past_warmup)
                                       : static_cast<int64_t>(detail::number(*updates)));
    bias_ = bias == nullptr ? 0.0 : detail::number(*bias);
}

} // namespace audyn::optim
