#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/adam.hpp>

namespace audyn::optim {

AUDYN_INLINE void AdamOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("eps", eps_, eps_ >= 0.0, "at least 0");
    detail::check_betas(betas_);
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
}

AUDYN_INLINE Adam::Adam(const NamedParameters& parameters, const AdamOptions& options)
    : Adam(std::vector{detail::options_group(parameters, options)}) {}

AUDYN_INLINE Adam::Adam(std::vector<at::Tensor> parameters, const AdamOptions& options)
    : Adam(std::vector{OptionsGroup<AdamOptions>{{}, std::move(parameters), options}}) {}

AUDYN_INLINE bool Adam::uses_field(std::size_t field, std::size_t group) const {
    return field != max_exp_avg_sq || options_[group].amsgrad();
}

AUDYN_INLINE Adam::Adam(const std::vector<OptionsGroup<AdamOptions>>& groups)
    : FusedOptimizer(detail::param_groups(groups), {{.name = "step", .kind = detail::FieldKind::device_scalar},
                                                    {.name = "exp_avg"},
                                                    {.name = "exp_avg_sq"},
                                                    {.name = "max_exp_avg_sq", .is_optional = true}}) {
    for (const OptionsGroup<AdamOptions>& group : groups) {
        options_.push_back(group.options);
    }
}

AUDYN_INLINE AdamOptions Adam::options(std::size_t group) const {
    const ParamGroup& current = groups()[group];
    AdamOptions options = options_[group];
    return options.lr(current.lr).betas({*current.momentum, options.betas().second});
}

AUDYN_INLINE void Adam::update(detail::TensorLists& lists, const detail::Scaling& scaling) {
    const AdamOptions& options = options_[lists.group];
    const ParamGroup& group = groups()[lists.group];
    detail::count_step(lists.state[state_step], scaling);
    detail::fused_adam(lists.params, lists.grads, lists.state[exp_avg], lists.state[exp_avg_sq],
                       lists.state[max_exp_avg_sq], lists.state[state_step],
                       {.lr = group.lr,
                        .beta1 = *group.momentum,
                        .beta2 = options.betas().second,
                        .weight_decay = options.weight_decay(),
                        .eps = options.eps(),
                        .amsgrad = options.amsgrad(),
                        .maximize = options.maximize(),
                        .decoupled_weight_decay = options.decoupled_weight_decay()},
                       scaling);
}

AUDYN_INLINE StateDict Adam::group_options(std::size_t group) const {
    const AdamOptions current = options(group);
    return {{"lr", current.lr()},
            {"betas", state::Tuple{{current.betas().first, current.betas().second}}},
            {"eps", current.eps()},
            {"weight_decay", current.weight_decay()},
            {"amsgrad", current.amsgrad()},
            {"maximize", current.maximize()},
            {"foreach", nullptr},
            {"capturable", false},
            {"differentiable", false},
            {"fused", true},
            {"decoupled_weight_decay", current.decoupled_weight_decay()}};
}

AUDYN_INLINE void Adam::load_group_options(std::size_t group, const StateDict& saved) {
    const std::vector<state::Value>& betas = saved.at("betas").as_list();
    AdamOptions& options = options_[group];
    options.lr(detail::number(saved.at("lr")))
        .betas({detail::number(betas[0]), detail::number(betas[1])})
        .eps(detail::number(saved.at("eps")))
        .weight_decay(detail::number(saved.at("weight_decay")))
        .amsgrad(detail::flag(saved, "amsgrad"))
        .maximize(detail::flag(saved, "maximize"))
        .decoupled_weight_decay(detail::flag(saved, "decoupled_weight_decay"));
    groups()[group].lr = options.lr();
    groups()[group].momentum = options.betas().first;
}

} // namespace audyn::optim
