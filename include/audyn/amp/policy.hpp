#pragma once

#include <audyn/amp/autocast.hpp>
#include <audyn/amp/grad_scaler.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <utility>

/// The choices of a trainer's AmpPolicy parameter.
namespace audyn::amp {

/// Takes the place of a guard where there is nothing to guard.
struct NoAutocast {};

/// Everything in the parameters' own precision. Compiles to nothing.
class Disabled {
public:
    static constexpr bool enabled = false;
    static constexpr bool scales_loss = false;
    static constexpr const char* dtype_name = "float32";

    explicit Disabled(c10::Device) {}

    [[nodiscard]] NoAutocast autocast() const { return {}; }
    [[nodiscard]] const at::Tensor& scale(const at::Tensor& loss) const { return loss; }
    template <class Optimizer>
    void unscale(Optimizer&) const {}
    template <class Optimizer>
    void step(Optimizer& optimizer) const {
        optimizer.step();
    }
    void update() const {}

    [[nodiscard]] StateDict state_dict() const { return {}; }
    void load_state_dict(const StateDict&) const {}
};

/// Autocast to bfloat16, whose range needs no loss scaling.
class BFloat16 {
public:
    static constexpr bool enabled = true;
    static constexpr bool scales_loss = false;
    static constexpr const char* dtype_name = "bfloat16";

    /// \throws UsageError when `device` is CUDA and there is none.
    explicit BFloat16(c10::Device device) : device_type_(device.type()) {
        AutocastGuard::check(device_type_, c10::ScalarType::BFloat16);
    }

    [[nodiscard]] AutocastGuard autocast() const { return AutocastGuard(device_type_, c10::ScalarType::BFloat16); }
    [[nodiscard]] const at::Tensor& scale(const at::Tensor& loss) const { return loss; }
    template <class Optimizer>
    void unscale(Optimizer&) const {}
    template <class Optimizer>
    void step(Optimizer& optimizer) const {
        optimizer.step();
    }
    void update() const {}

    [[nodiscard]] StateDict state_dict() const { return {}; }
    void load_state_dict(const StateDict&) const {}

private:
    c10::DeviceType device_type_;
};

/// Autocast to float16 with dynamic loss scaling.
class Float16 {
public:
    static constexpr bool enabled = true;
    static constexpr bool scales_loss = true;
    static constexpr const char* dtype_name = "float16";

    /// \throws UsageError when `device` is CUDA and there is none, and for options out of range.
    explicit Float16(c10::Device device, const GradScalerOptions& options = {})
        : device_type_(device.type()), scaler_(options) {
        AutocastGuard::check(device_type_, c10::ScalarType::Half);
    }

    [[nodiscard]] AutocastGuard autocast() const { return AutocastGuard(device_type_, c10::ScalarType::Half); }
    [[nodiscard]] at::Tensor scale(const at::Tensor& loss) { return scaler_.scale(loss); }
    template <class Optimizer>
    void unscale(Optimizer& optimizer) {
        scaler_.unscale_(optimizer);
    }
    template <class Optimizer>
    void step(Optimizer& optimizer) {
        scaler_.step(optimizer);
    }
    void update() { scaler_.update(); }

    [[nodiscard]] const GradScaler& scaler() const { return scaler_; }
    [[nodiscard]] StateDict state_dict() const { return scaler_.state_dict(); }
    void load_state_dict(const StateDict& state) { scaler_.load_state_dict(state); }

private:
    c10::DeviceType device_type_;
    GradScaler scaler_;
};

} // namespace audyn::amp
