#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/early_stopping.hpp>

#include <utility>

namespace audyn::trainer {

AUDYN_INLINE EarlyStopping::EarlyStopping(EarlyStoppingOptions options) : options_(std::move(options)) {
    if (options_.patience < 1) {
        throw UsageError("EarlyStopping: patience must be at least 1");
    }
}

AUDYN_INLINE void EarlyStopping::on_fit_start(TrainerBase& trainer) {
    if (std::exchange(is_resumed_, false) && waited_ >= options_.patience) {
        stop(trainer);
    }
}

AUDYN_INLINE void EarlyStopping::on_epoch_end(TrainerBase& trainer) {
    const double sign = options_.mode == MonitorMode::min ? 1.0 : -1.0;
    const double signed_value = sign * trainer.monitored_metric("EarlyStopping.monitor", options_.monitor);
    if (signed_value < sign_best_ - options_.min_delta) {
        sign_best_ = signed_value;
        waited_ = 0;
    } else if (++waited_ >= options_.patience) {
        stop(trainer);
    }
}

AUDYN_INLINE void EarlyStopping::load_state_dict(const StateDict& state) {
    sign_best_ = state.at("best").as_float();
    waited_ = state.at("waited").as_int();
    is_resumed_ = true;
}

AUDYN_INLINE void EarlyStopping::stop(TrainerBase& trainer) const {
    trainer.stop("'" + options_.monitor + "' has not improved for " + std::to_string(waited_) + " epochs");
}

} // namespace audyn::trainer
