#pragma once

#include <audyn/core/error.hpp>
#include <audyn/optim/gradient_lists.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
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

} // namespace audyn::amp

#ifndef AUDYN_COMPILED
#    include <audyn/amp/grad_scaler.ipp>
#endif
