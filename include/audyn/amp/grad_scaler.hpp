#pragma once

#include <audyn/core/error.hpp>
#include <audyn/optim/gradient_lists.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace audyn::amp {

/// Options of a GradScaler with Python's names and defaults.
class GradScalerOptions {
public:
    GradScalerOptions& init_scale(double value) { return init_scale_ = value, *this; }
    /// The scale grows by this after `growth_interval` iterations without an infinity; above 1.
    GradScalerOptions& growth_factor(double value) { return growth_factor_ = value, *this; }
    /// The scale shrinks by this after an iteration with one; below 1.
    GradScalerOptions& backoff_factor(double value) { return backoff_factor_ = value, *this; }
    GradScalerOptions& growth_interval(int64_t value) { return growth_interval_ = value, *this; }
    /// A disabled scaler passes everything through.
    GradScalerOptions& enabled(bool value) { return enabled_ = value, *this; }

    [[nodiscard]] double init_scale() const { return init_scale_; }
    [[nodiscard]] double growth_factor() const { return growth_factor_; }
    [[nodiscard]] double backoff_factor() const { return backoff_factor_; }
    [[nodiscard]] int64_t growth_interval() const { return growth_interval_; }
    [[nodiscard]] bool enabled() const { return enabled_; }

private:
    double init_scale_ = 65536.0;
    double growth_factor_ = 2.0;
    double backoff_factor_ = 0.5;
    int64_t growth_interval_ = 2000;
    bool enabled_ = true;
};

/// Dynamic loss scaling; `torch.amp.GradScaler` on CPU and CUDA, with its stages and its state. An iteration is
/// `scale(loss).backward()`, then for each optimizer `unscale_` (only to clip or to look at gradients) and `step`, then
/// one `update`. An optimizer is anything with `parameters()` and `step()`; one with `step(grad_scale, found_inf)` is
/// stepped without a host synchronisation. An optimizer is known by its address for the length of an iteration.
class GradScaler {
public:
    /// \throws UsageError for factors out of range.
    explicit GradScaler(const GradScalerOptions& options = {});

    /// `outputs` times the scale, differentiable.
    [[nodiscard]] at::Tensor scale(const at::Tensor& outputs);

    /// Divides the gradients by the scale, once per iteration and optimizer. \throws UsageError when called twice,
    /// after step(), before any scale(), and for float16 gradients.
    template <class Optimizer>
    void unscale_(Optimizer& optimizer) {
        if (options_.enabled()) {
            unscale(&optimizer, optimizer.parameters());
        }
    }

    /// Unscales the gradients unless that is done, and steps unless one of them is infinite or NaN.
    /// \throws UsageError when called twice in an iteration and before any scale().
    template <class Optimizer>
    void step(Optimizer& optimizer);

    /// Adapts the scale to what the iteration's gradients showed. \throws UsageError when no optimizer was stepped or
    /// unscaled.
    void update();
    /// Sets the scale instead.
    void update(double new_scale);

    /// The scale now; 1 when disabled. Synchronises with the device.
    [[nodiscard]] double get_scale() const;
    /// The scale as a float32 scalar on the device, undefined before the first scale(). No synchronisation.
    [[nodiscard]] const at::Tensor& scale_tensor() const { return scale_; }
    [[nodiscard]] bool is_enabled() const { return options_.enabled(); }
    [[nodiscard]] const GradScalerOptions& options() const { return options_; }

    /// Python's keys; empty when disabled. Call it after update(). Synchronises with the device.
    [[nodiscard]] StateDict state_dict() const;
    /// Does nothing when disabled. \throws StateError for an empty or incomplete state.
    void load_state_dict(const StateDict& state);

private:
    enum class Stage { ready, unscaled, stepped };

    /// What one optimizer's gradients showed in this iteration.
    struct OptimizerState {
        const void* optimizer;
        Stage stage = Stage::ready;
        /// A float32 scalar for each device; not 0 after an infinity.
        std::vector<at::Tensor> found_inf;
    };

    OptimizerState& state_of(const void* optimizer);
    void check_started(const char* function) const;
    void unscale(const void* optimizer, const std::vector<at::Tensor>& parameters);
    static std::vector<at::Tensor> unscale_gradients(const std::vector<at::Tensor>& parameters,
                                                     const at::Tensor& inv_scale, bool allow_float16);
    static optim::GradientLists gather_gradients(const std::vector<at::Tensor>& parameters, bool allow_float16);
    [[nodiscard]] at::Tensor combined_found_inf(const std::vector<at::Tensor>& found_inf) const;
    [[nodiscard]] at::Tensor scalar(double value) const;

    GradScalerOptions options_;
    int64_t init_growth_tracker_ = 0;
    /// Float32 and int32 scalars on the device of the first scaled tensor; undefined before.
    at::Tensor scale_;
    at::Tensor growth_tracker_;
    std::vector<OptimizerState> states_;
};

inline GradScaler::GradScaler(const GradScalerOptions& options) : options_(options) {
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

inline at::Tensor GradScaler::scalar(double value) const {
    return at::full({}, value, at::TensorOptions(scale_.device()).dtype(at::kFloat));
}

inline at::Tensor GradScaler::scale(const at::Tensor& outputs) {
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

inline void GradScaler::check_started(const char* function) const {
    if (!scale_.defined()) {
        throw UsageError(std::string("GradScaler::") + function +
                         " before any scale(): scale the loss before its backward()");
    }
}

inline GradScaler::OptimizerState& GradScaler::state_of(const void* optimizer) {
    for (OptimizerState& state : states_) {
        if (state.optimizer == optimizer) {
            return state;
        }
    }
    return states_.emplace_back(OptimizerState{optimizer, Stage::ready, {}});
}

inline optim::GradientLists GradScaler::gather_gradients(const std::vector<at::Tensor>& parameters,
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

inline std::vector<at::Tensor> GradScaler::unscale_gradients(const std::vector<at::Tensor>& parameters,
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

inline void GradScaler::unscale(const void* optimizer, const std::vector<at::Tensor>& parameters) {
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

inline at::Tensor GradScaler::combined_found_inf(const std::vector<at::Tensor>& found_inf) const {
    at::Tensor combined = found_inf.front().to(scale_.device(), /*non_blocking=*/true);
    for (std::size_t i = 1; i < found_inf.size(); ++i) {
        combined = at::maximum(combined, found_inf[i].to(scale_.device(), /*non_blocking=*/true));
    }
    return combined;
}

template <class Optimizer>
void GradScaler::step(Optimizer& optimizer) {
    if (!options_.enabled()) {
        optimizer.step();
        return;
    }
    check_started("step()");
    OptimizerState& state = state_of(&optimizer);
    if (state.stage == Stage::stepped) {
        throw UsageError("GradScaler::step() has already been called on this optimizer since the last update()");
    }
    if constexpr (requires { optimizer.step(scale_, scale_); }) {
        if (optimizer.supports_amp_scaling()) {
            // The optimizer's kernel unscales; here the gradients are only looked at.
            const bool scaled = state.stage == Stage::ready;
            if (scaled) {
                state.found_inf = unscale_gradients(optimizer.parameters(), scalar(1.0), /*allow_float16=*/true);
            }
            const at::Tensor found_inf = state.found_inf.empty() ? scalar(0.0) : combined_found_inf(state.found_inf);
            optimizer.step(scaled ? scale_ : at::Tensor(), found_inf);
            state.stage = Stage::stepped;
            return;
        }
    }
    if (state.stage == Stage::ready) {
        unscale(&optimizer, optimizer.parameters());
    }
    if (state.found_inf.empty()) {
        throw UsageError("GradScaler::step(): no parameter of the optimizer has a gradient");
    }
    if (combined_found_inf(state.found_inf).template item<float>() == 0.0F) {
        optimizer.step();
    }
    state.stage = Stage::stepped;
}

inline void GradScaler::update() {
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

inline void GradScaler::update(double new_scale) {
    if (!options_.enabled()) {
        return;
    }
    check_started("update()");
    scale_.fill_(new_scale);
    states_.clear();
}

inline double GradScaler::get_scale() const {
    if (!options_.enabled()) {
        return 1.0;
    }
    return scale_.defined() ? scale_.item<double>() : options_.init_scale();
}

inline StateDict GradScaler::state_dict() const {
    if (!options_.enabled()) {
        return {};
    }
    return {{"scale", get_scale()},
            {"growth_factor", options_.growth_factor()},
            {"backoff_factor", options_.backoff_factor()},
            {"growth_interval", options_.growth_interval()},
            {"_growth_tracker", growth_tracker_.defined() ? growth_tracker_.item<int64_t>() : init_growth_tracker_}};
}

inline void GradScaler::load_state_dict(const StateDict& state) {
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
