#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/any_optimizer.hpp>

namespace audyn::optim {

AUDYN_INLINE AnyOptimizer::AnyOptimizer(std::unique_ptr<Optimizer> optimizer, std::unique_ptr<MovingAverage> average)
    : optimizer_(std::move(optimizer)), average_(std::move(average)) {
    if (!optimizer_) {
        throw UsageError("AnyOptimizer needs an optimizer");
    }
}

AUDYN_INLINE void AnyOptimizer::step() {
    optimizer_->step();
    if (average_) {
        average_->update();
    }
}

AUDYN_INLINE void AnyOptimizer::step(const at::Tensor& grad_scale, const at::Tensor& found_inf) {
    optimizer_->step(grad_scale, found_inf);
    if (average_) {
        average_->update(found_inf);
    }
}

AUDYN_INLINE at::Tensor AnyOptimizer::step(const Closure& closure) {
    at::Tensor loss = optimizer_->step(closure);
    if (average_) {
        average_->update();
    }
    return loss;
}

AUDYN_INLINE StateDict AnyOptimizer::state_dict() const {
    StateDict state = optimizer_->state_dict();
    return average_ ? detail::averaged_state(*average_, std::move(state)) : state;
}

AUDYN_INLINE void AnyOptimizer::load_state_dict(const StateDict& state) {
    if (!average_) {
        optimizer_->load_state_dict(state);
        return;
    }
    detail::check_averaged_state(state);
    optimizer_->load_state_dict(state.at("original").as_dict());
    average_->load_state_dict(state.at("moving_average").as_dict());
}

} // namespace audyn::optim
