#pragma once

#include <audyn/optim/detail/fused_kernels.hpp>
#include <audyn/optim/detail/fused_optimizer.hpp>
#include <audyn/optim/detail/options.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of Adam with Python's names and defaults: `AdamOptions().lr(1e-4).betas({0.9, 0.98})`.
class AdamOptions {
public:
    AdamOptions& lr(double value) { return lr_ = value, *this; }
    AdamOptions& betas(std::pair<double, double> value) { return betas_ = value, *this; }
    AdamOptions& eps(double value) { return eps_ = value, *this; }
    AdamOptions& weight_decay(double value) { return weight_decay_ = value, *this; }
    AdamOptions& amsgrad(bool value) { return amsgrad_ = value, *this; }
    AdamOptions& maximize(bool value) { return maximize_ = value, *this; }
    /// AdamW's weight decay: of the parameters themselves, not of their gradients.
    AdamOptions& decoupled_weight_decay(bool value) { return decoupled_weight_decay_ = value, *this; }

    [[nodiscard]] double lr() const { return lr_; }
    [[nodiscard]] std::pair<double, double> betas() const { return betas_; }
    [[nodiscard]] double eps() const { return eps_; }
    [[nodiscard]] double weight_decay() const { return weight_decay_; }
    [[nodiscard]] bool amsgrad() const { return amsgrad_; }
    [[nodiscard]] bool maximize() const { return maximize_; }
    [[nodiscard]] bool decoupled_weight_decay() const { return decoupled_weight_decay_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const {
        detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
        detail::check_option("eps", eps_, eps_ >= 0.0, "at least 0");
        detail::check_option("betas[0]", betas_.first, betas_.first >= 0.0 && betas_.first < 1.0, "in [0, 1)");
        detail::check_option("betas[1]", betas_.second, betas_.second >= 0.0 && betas_.second < 1.0, "in [0, 1)");
        detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
    }

private:
    double lr_ = 1e-3;
    std::pair<double, double> betas_ = {0.9, 0.999};
    double eps_ = 1e-8;
    double weight_decay_ = 0.0;
    bool amsgrad_ = false;
    bool maximize_ = false;
    bool decoupled_weight_decay_ = false;
};

/// Adam on libtorch's fused kernel, CPU and CUDA: `torch.optim.Adam(fused=True)`. Real parameters and dense gradients.
class Adam : public detail::FusedOptimizer {
public:
    explicit Adam(const NamedParameters& parameters, const AdamOptions& options = {})
        : Adam(std::vector{detail::options_group(parameters, options)}) {}
    explicit Adam(std::vector<at::Tensor> parameters, const AdamOptions& options = {})
        : Adam(std::vector{OptionsGroup<AdamOptions>{{}, std::move(parameters), options}}) {}
    explicit Adam(const std::vector<OptionsGroup<AdamOptions>>& groups);

    [[nodiscard]] const char* name() const override { return "Adam"; }

    /// The options of a group as they are now.
    [[nodiscard]] AdamOptions options(std::size_t group) const;

protected:
    [[nodiscard]] bool uses_field(std::size_t field, std::size_t group) const override {
        return field != max_exp_avg_sq || options_[group].amsgrad();
    }
    inline void update(detail::TensorLists& lists, const detail::Scaling& scaling) override;
    [[nodiscard]] inline StateDict group_options(std::size_t group) const override;
    inline void load_group_options(std::size_t group, const StateDict& saved) override;

private:
    /// Fields of a parameter's state.
    enum Field : std::size_t { state_step, exp_avg, exp_avg_sq, max_exp_avg_sq };

    /// lr and the first beta are read from the groups, where schedulers change them.
    std::vector<AdamOptions> options_;
};

inline Adam::Adam(const std::vector<OptionsGroup<AdamOptions>>& groups)
    : FusedOptimizer(detail::param_groups(groups), {{.name = "step", .is_step = true},
                                                    {.name = "exp_avg"},
                                                    {.name = "exp_avg_sq"},
                                                    {.name = "max_exp_avg_sq", .is_optional = true}}) {
    for (const OptionsGroup<AdamOptions>& group : groups) {
        options_.push_back(group.options);
    }
}

inline AdamOptions Adam::options(std::size_t group) const {
    const ParamGroup& current = groups()[group];
    AdamOptions options = options_[group];
    return options.lr(current.lr).betas({*current.momentum, options.betas().second});
}

inline void Adam::update(detail::TensorLists& lists, const detail::Scaling& scaling) {
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

inline StateDict Adam::group_options(std::size_t group) const {
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

inline void Adam::load_group_options(std::size_t group, const StateDict& saved) {
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
