#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Options of AdamW with Python's names and defaults: `AdamWOptions().lr(3e-4).weight_decay(0.05)`.
class AdamWOptions {
public:
    AdamWOptions() { options_.weight_decay(1e-2).decoupled_weight_decay(true); }
    /// Every weight decay of AdamW is decoupled, whatever `options` say.
    explicit AdamWOptions(const AdamOptions& options) : options_(options) { options_.decoupled_weight_decay(true); }

    AdamWOptions& lr(double value) { return options_.lr(value), *this; }
    AdamWOptions& betas(std::pair<double, double> value) { return options_.betas(value), *this; }
    AdamWOptions& eps(double value) { return options_.eps(value), *this; }
    AdamWOptions& weight_decay(double value) { return options_.weight_decay(value), *this; }
    AdamWOptions& amsgrad(bool value) { return options_.amsgrad(value), *this; }
    AdamWOptions& maximize(bool value) { return options_.maximize(value), *this; }

    [[nodiscard]] double lr() const { return options_.lr(); }
    [[nodiscard]] std::pair<double, double> betas() const { return options_.betas(); }
    [[nodiscard]] double eps() const { return options_.eps(); }
    [[nodiscard]] double weight_decay() const { return options_.weight_decay(); }
    [[nodiscard]] bool amsgrad() const { return options_.amsgrad(); }
    [[nodiscard]] bool maximize() const { return options_.maximize(); }

    /// \throws UsageError naming the option that is out of range.
    void check() const { options_.check(); }

    /// The same options as Adam takes them.
    [[nodiscard]] const AdamOptions& as_adam() const { return options_; }

private:
    AdamOptions options_;
};

/// AdamW on libtorch's fused kernel, CPU and CUDA: `torch.optim.AdamW(fused=True)`.
class AdamW final : public Adam {
public:
    explicit AdamW(const NamedParameters& parameters, const AdamWOptions& options = {});
    explicit AdamW(std::vector<at::Tensor> parameters, const AdamWOptions& options = {});
    explicit AdamW(const std::vector<OptionsGroup<AdamWOptions>>& groups) : Adam(as_adam(groups)) {}

    [[nodiscard]] const char* name() const override { return "AdamW"; }

    /// The options of a group as they are now.
    [[nodiscard]] AdamWOptions options(std::size_t group) const { return AdamWOptions(Adam::options(group)); }

protected:
    AUDYN_INLINE void load_group_options(std::size_t group, const StateDict& saved) override;

private:
    static std::vector<OptionsGroup<AdamOptions>> as_adam(const std::vector<OptionsGroup<AdamWOptions>>& groups);
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/adamw.ipp>
#endif
