#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/multi_optimizers.hpp>

namespace audyn::optim {

AUDYN_INLINE AnyOptimizer::AnyOptimizer(std::unique_ptr<Optimizer> optimizer, std::unique_ptr<MovingAverage> average)
    : optimizer_(std::move(optimizer)), average_(std::move(average)) {
    if (!optimizer_) {
        throw UsageError("AnyOptimizer needs an optimizer");
    }
}

AUDYN_INLINE AnyOptimizer::AnyOptimizer(MultiOptimizers optimizers)
    : multi_(std::make_unique<MultiOptimizers>(std::move(optimizers))) {}

AUDYN_INLINE AnyOptimizer::AnyOptimizer(AnyOptimizer&&) noexcept = default;
AUDYN_INLINE AnyOptimizer& AnyOptimizer::operator=(AnyOptimizer&&) noexcept = default;
AUDYN_INLINE AnyOptimizer::~AnyOptimizer() = default;

AUDYN_INLINE Optimizer& AnyOptimizer::single() {
    if (multi_) {
        throw UsageError("MultiOptimizers has no groups of its own, and a learning rate scheduler is for one of its "
                         "optimizers: take multi()->optimizer(name), or MultiLRSchedulers");
    }
    return *optimizer_;
}

AUDYN_INLINE void AnyOptimizer::step() {
    if (multi_) {
        multi_->step();
        return;
    }
    optimizer_->step();
    if (average_) {
        average_->update();
    }
}

AUDYN_INLINE void AnyOptimizer::step(const at::Tensor& grad_scale, const at::Tensor& found_inf) {
    if (multi_) {
        multi_->step(grad_scale, found_inf);
        return;
    }
    optimizer_->step(grad_scale, found_inf);
    if (average_) {
        average_->update(found_inf);
    }
}

AUDYN_INLINE at::Tensor AnyOptimizer::step(const Closure& closure) {
    if (multi_) {
        return multi_->step(closure);
    }
    at::Tensor loss = optimizer_->step(closure);
    if (average_) {
        average_->update();
    }
    return loss;
}

AUDYN_INLINE void AnyOptimizer::zero_grad(bool set_to_none) {
    multi_ ? multi_->zero_grad(set_to_none) : optimizer_->zero_grad(set_to_none);
}

AUDYN_INLINE const char* AnyOptimizer::name() const {
    return multi_ ? multi_->name() : optimizer_->name();
}

AUDYN_INLINE bool AnyOptimizer::supports_amp_scaling() const {
    return multi_ ? multi_->supports_amp_scaling() : optimizer_->supports_amp_scaling();
}

AUDYN_INLINE bool AnyOptimizer::needs_closure() const {
    return multi_ ? multi_->needs_closure() : optimizer_->needs_closure();
}

AUDYN_INLINE const std::vector<at::Tensor>& AnyOptimizer::parameters() const {
    return multi_ ? multi_->parameters() : optimizer_->parameters();
}

AUDYN_INLINE const std::vector<ParamGroup>& AnyOptimizer::groups() const {
    return multi_ ? multi_->groups() : std::as_const(*optimizer_).groups();
}

AUDYN_INLINE AveragedParameters* AnyOptimizer::averaged_parameters() {
    return multi_ ? multi_->averaged_parameters() : average_.get();
}

AUDYN_INLINE StateDict AnyOptimizer::state_dict() const {
    if (multi_) {
        return multi_->state_dict();
    }
    StateDict state = optimizer_->state_dict();
    return average_ ? detail::averaged_state(*average_, std::move(state)) : state;
}

AUDYN_INLINE void AnyOptimizer::check_state_dict(const StateDict& state) const {
    if (multi_) {
        multi_->check_state_dict(state);
    } else if (average_) {
        detail::check_averaged_state(state);
        optimizer_->check_state_dict(state.at("original").as_dict());
        average_->check_state_dict(state.at("moving_average").as_dict());
    } else {
        optimizer_->check_state_dict(state);
    }
}

AUDYN_INLINE void AnyOptimizer::load_state_dict(const StateDict& state) {
    check_state_dict(state);
    if (multi_) {
        multi_->load_state_dict(state);
    } else if (average_) {
        optimizer_->load_state_dict(state.at("original").as_dict());
        average_->load_state_dict(state.at("moving_average").as_dict());
    } else {
        optimizer_->load_state_dict(state);
    }
}

} // namespace audyn::optim
