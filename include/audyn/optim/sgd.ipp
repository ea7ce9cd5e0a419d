#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/sgd.hpp>

#include <algorithm>
#include <utility>

namespace audyn::optim {

AUDYN_INLINE void SGDOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("momentum", momentum_, momentum_ >= 0.0, "at least 0");
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
    if (nesterov_ && (momentum_ <= 0.0 || dampening_ != 0.0)) {
        throw UsageError("nesterov needs a momentum and no dampening");
    }
}

AUDYN_INLINE SGD::SGD(const NamedParameters& parameters, const SGDOptions& options)
    : SGD(std::vector{detail::options_group(parameters, options)}) {}

AUDYN_INLINE SGD::SGD(std::vector<at::Tensor> parameters, const SGDOptions& options)
    : SGD(std::vector{OptionsGroup<SGDOptions>{{}, std::move(parameters), options}}) {}

AUDYN_INLINE SGDOptions SGD::options(std::size_t group) const {
    SGDOptions options = options_[group];
    return options.lr(groups()[group].lr).momentum(*groups()[group].momentum);
}

AUDYN_INLINE bool SGD::uses_field(std::size_t, std::size_t group) const {
    return *groups()[group].momentum != 0.0;
}

AUDYN_INLINE SGD::SGD(const std::vector<OptionsGroup<SGDOptions>>& groups)
    : FusedOptimizer(detail::param_groups(groups), {{.name = "momentum_buffer", .is_optional = true}}),
      started_(parameters().size(), false) {
    for (const OptionsGroup<SGDOptions>& group : groups) {
        options_.push_back(group.options);
    }
}

AUDYN_INLINE void SGD::update(detail::TensorLists& lists, const detail::Scaling& scaling) {
    const SGDOptions current = options(lists.group);
    const detail::SGDArguments arguments{.weight_decay = current.weight_decay(),
                                         .momentum = current.momentum(),
                                         .lr = current.lr(),
                                         .dampening = current.dampening(),
                                         .nesterov = current.nesterov(),
                                         .maximize = current.maximize()};
    if (arguments.momentum != 0.0 && arguments.dampening != 0.0) {
        update_with_dampening(lists, arguments, scaling);
    } else {
        // The first step needs no case of its own: the buffers start at zero.
        detail::fused_sgd(lists.params, lists.grads, lists.state[0], arguments, /*is_first_step=*/false, scaling);
    }
}

AUDYN_INLINE void SGD::update_with_dampening(detail::TensorLists& lists, const detail::SGDArguments& arguments,
                                             const detail::Scaling& scaling) {
    const auto is_new = [this](std::size_t index) { return !started_[index]; };
    if (std::none_of(lists.active.begin(), lists.active.end(), is_new)) {
        detail::fused_sgd(lists.params, lists.grads, lists.state[0], arguments, /*is_first_step=*/false, scaling);
        return;
    }
    // A synchronisation with the device, in first steps only.
    if (scaling.found_inf && scaling.found_inf->item<float>() != 0.0F) {
        return;
    }
    for (const bool first : {true, false}) {
        std::vector<at::Tensor> params;
        std::vector<at::Tensor> grads;
        std::vector<at::Tensor> buffers;
        for (std::size_t i = 0; i < lists.active.size(); ++i) {
            if (is_new(lists.active[i]) == first) {
                params.push_back(lists.params[i]);
                grads.push_back(lists.grads[i]);
                buffers.push_back(lists.state[0][i]);
            }
        }
        if (!params.empty()) {
            detail::fused_sgd(params, grads, buffers, arguments, first, scaling);
        }
    }
    for (const std::size_t index : lists.active) {
        started_[index] = true;
    }
}

AUDYN_INLINE StateDict SGD::group_options(std::size_t group) const {
    const SGDOptions current = options(group);
    return {{"lr", current.lr()},
            {"momentum", current.momentum()},
            {"dampening", current.dampening()},
            {"weight_decay", current.weight_decay()},
            {"nesterov", current.nesterov()},
            {"maximize", current.maximize()},
            {"foreach", nullptr},
            {"differentiable", false},
            {"fused", true}};
}

AUDYN_INLINE void SGD::load_group_options(std::size_t group, const StateDict& saved) {
    SGDOptions& options = options_[group];
    options.lr(detail::number(saved.at("lr")))
        .momentum(detail::number(saved.at("momentum")))
        .dampening(detail::number(saved.at("dampening")))
        .weight_decay(detail::number(saved.at("weight_decay")))
        .nesterov(detail::flag(saved, "nesterov"))
        .maximize(detail::flag(saved, "maximize"));
    groups()[group].lr = options.lr();
    groups()[group].momentum = options.momentum();
}

AUDYN_INLINE void SGD::load_parameter_state(std::size_t index, const StateDict& saved) {
    FusedOptimizer::load_parameter_state(index, saved);
    started_[index] = saved.contains("momentum_buffer") && !saved.at("momentum_buffer").is_none();
}

} // namespace audyn::optim
