#pragma once

#include <audyn/amp/grad_scaler.hpp>
#include <audyn/core/inline.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <string>
#include <utility>

namespace audyn::amp {

AUDYN_INLINE GradScaler::GradScaler(const GradScalerOptions& options) : options_(options) {
    if (!options.enabled()) {
        return;
    }
    if (options.growth_factor() <= 1.0) {
        throw UsageError(c10::str("GradScaler's growth_factor must be above 1, got ", options.growth_factor()));
    }
    if (options.backoff_factor() >= 1.0) {
        throw UsageError(c10::str("GradScaler's backoff_factor must be below 1, got ", options.backoff_factor()));
    }
}

AUDYN_INLINE at::Tensor GradScaler::scalar(double value) const {
    return at::full({}, value, at::TensorOptions(scale_.device()).dtype(at::kFloat));
}

AUDYN_INLINE at::Tensor GradScaler::scale(const at::Tensor& outputs) {
    if (!options_.enabled()) {
        return outputs;
    }
    if (!scale_.defined()) {
        const at::TensorOptions device(outputs.device());
        scale_ = at::full({}, options_.init_scale(), device.dtype(at::kFloat));
        growth_tracker_ = at::full({}, init_growth_tracker_, device.dtype(at::kInt));
    }
    return at::mul(outputs, scale_.to(outputs.device(), /*non_blocking=*/true));
}

AUDYN_INLINE void GradScaler::check_started(const char* function) const {
    if (!scale_.defined()) {
        throw UsageError(std::string("GradScaler::") + function +
                         " before any scale(): scale the loss before its backward()");
    }
}

AUDYN_INLINE GradScaler::OptimizerState& GradScaler::state_of(const void* optimizer) {
    for (OptimizerState& state : states_) {
        if (state.optimizer == optimizer) {
            return state;
        }
    }
    return states_.emplace_back(OptimizerState{optimizer, Stage::ready, {}});
}

AUDYN_INLINE optim::GradientLists GradScaler::gather_gradients(const std::vector<at::Tensor>& parameters,
                                                               bool allow_float16) {
    optim::GradientLists lists;
    for (const at::Tensor& parameter : parameters) {
        at::Tensor grad = parameter.grad();
        if (!grad.defined()) {
            continue;
        }
        if (!allow_float16 && grad.scalar_type() == at::kHalf) {
            throw UsageError("cannot unscale float16 gradients: keep the parameters in float32 and let autocast cast");
        }
        if (grad.is_sparse()) {
            // Values at one index may overflow only when they are summed.
            if (grad.scalar_type() == at::kHalf) {
                grad = grad.coalesce();
                parameter.mutable_grad() = grad;
            }
            grad = grad._values();
        }
        lists.add(std::move(grad));
    }
    return lists;
}

AUDYN_INLINE std::vector<at::Tensor> GradScaler::unscale_gradients(const std::vector<at::Tensor>& parameters,
                                                                   const at::Tensor& inv_scale, bool allow_float16) {
    const at::NoGradGuard no_grad;
    const optim::GradientLists gradients = gather_gradients(parameters, allow_float16);
    std::vector<at::Tensor> found_inf;
    for (const optim::GradientLists::List& list : gradients.lists()) {
        auto here = found_inf.begin();
        while (here != found_inf.end() && here->device() != list.device) {
            ++here;
        }
        if (here == found_inf.end()) {
            here = found_inf.insert(here, at::zeros({}, at::TensorOptions(list.device).dtype(at::kFloat)));
        }
        at::_amp_foreach_non_finite_check_and_unscale_(list.grads, *here,
                                                       inv_scale.to(list.device, /*non_blocking=*/true));
    }
    return found_inf;
}

AUDYN_INLINE void GradScaler::unscale(const void* optimizer, const std::vector<at::Tensor>& parameters) {
    check_started("unscale_()");
    OptimizerState& state = state_of(optimizer);
    if (state.stage == Stage::unscaled) {
        throw UsageError("GradScaler::unscale_() has already been called on this optimizer since the last update()");
    }
    if (state.stage == Stage::stepped) {
        throw UsageError("GradScaler::unscale_() is called after step()");
    }
    // In float64 where there is one, as Python: a float32 division may be imprecise on some devices.
    const at::Tensor inv_scale =
        scale_.is_mps() ? scale_.reciprocal() : scale_.to(at::kDouble).reciprocal().to(at::kFloat);
    state.found_inf = unscale_gradients(parameters, inv_scale, /*allow_float16=*/false);
    state.stage = Stage::unscaled;
}

AUDYN_INLINE at::Tensor GradScaler::combined_found_inf(const std::vector<at::Tensor>& found_inf) const {
    at::Tensor combined = found_inf.front().to(scale_.device(), /*non_blocking=*/true);
    for (std::size_t i = 1; i < found_inf.size(); ++i) {
        combined = at::maximum(combined, found_inf[i].to(scale_.device(), /*non_blocking=*/true));
    }
    return combined;
}

AUDYN_INLINE void GradScaler::update() {
    if (!options_.enabled()) {
        return;
    }
    check_started("update()");
    std::vector<at::Tensor> found_inf;
    for (const OptimizerState& state : states_) {
        found_inf.insert(found_inf.end(), state.found_inf.begin(), state.found_inf.end());
    }
    if (found_inf.empty()) {
        throw UsageError("GradScaler::update(): no gradients were checked since the last one; call step() before");
    }
    at::_amp_update_scale_(scale_, growth_tracker_, combined_found_inf(found_inf), options_.growth_factor(),
                           options_.backoff_factor(), options_.growth_interval());
    states_.clear();
}

AUDYN_INLINE void GradScaler::update(double new_scale) {
    if (!options_.enabled()) {
        return;
    }
    check_started("update()");
    scale_.fill_(new_scale);
    states_.clear();
}

AUDYN_INLINE double GradScaler::get_scale() const {
    if (!options_.enabled()) {
        return 1.0;
    }
    return scale_.defined() ? scale_.item<double>() : options_.init_scale();
}

AUDYN_INLINE StateDict GradScaler::state_dict() const {
    if (!options_.enabled()) {
        return {};
    }
    return {{"scale", get_scale()},
            {"growth_factor", options_.growth_factor()},
            {"backoff_factor", options_.backoff_factor()},
            {"growth_interval", options_.growth_interval()},
            {"_growth_tracker", growth_tracker_.defined() ? growth_tracker_.item<int64_t>() : init_growth_tracker_}};
}

AUDYN_INLINE void GradScaler::load_state_dict(const StateDict& state) {
    if (!options_.enabled()) {
        return;
    }
    if (state.empty()) {
        throw StateError("the state of the gradient scaler is empty; it was probably saved by a disabled one");
    }
    GradScalerOptions loaded = options_;
    loaded.init_scale(state.at("scale").as_float())
        .growth_factor(state.at("growth_factor").as_float())
        .backoff_factor(state.at("backoff_factor").as_float())
        .growth_interval(state.at("growth_interval").as_int());
    init_growth_tracker_ = state.at("_growth_tracker").as_int();
    options_ = loaded;
    if (scale_.defined()) {
        scale_.fill_(options_.init_scale());
        growth_tracker_.fill_(init_growth_tracker_);
    }
}

} // namespace audyn::amp
