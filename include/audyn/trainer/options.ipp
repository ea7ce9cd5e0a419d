#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/options.hpp>

#include <algorithm>
#include <string>

namespace audyn::trainer {

AUDYN_INLINE BatchLimit::BatchLimit(int64_t count) : limit_(count) {
    if (count < 0) {
        throw UsageError("a limit of batches must not be negative, got " + std::to_string(count));
    }
}

AUDYN_INLINE BatchLimit::BatchLimit(double fraction) : limit_(fraction) {
    if (!(fraction > 0.0 && fraction <= 1.0)) {
        throw UsageError("a fraction of batches must lie in (0, 1], got " + std::to_string(fraction));
    }
}

AUDYN_INLINE int64_t BatchLimit::of(int64_t batches) const {
    if (const auto* count = std::get_if<int64_t>(&limit_)) {
        return std::min(*count, batches);
    }
    if (const auto* fraction = std::get_if<double>(&limit_)) {
        return static_cast<int64_t>(*fraction * static_cast<double>(batches));
    }
    return batches;
}

AUDYN_INLINE TrainerOptions& TrainerOptions::clip_grad_norm(double max_norm) {
    return clip_gradient(optim::GradClipper(optim::GradClipperOptions(optim::ClipMode::norm).max_norm(max_norm)));
}

AUDYN_INLINE TrainerOptions& TrainerOptions::save_checkpoint(checkpoint::SaveCheckpoint value) {
    return set(save_checkpoint_, std::move(value));
}

AUDYN_INLINE const KeyMapping& TrainerOptions::validation_key_mapping() const {
    return validation_key_mapping_ ? *validation_key_mapping_ : key_mapping_;
}

AUDYN_INLINE void TrainerOptions::check() const {
    if (max_epochs_.has_value() == max_iterations_.has_value() && !fast_dev_run_) {
        throw UsageError(max_epochs_ ? "max_epochs and max_iterations are both set; set one of them"
                                     : "neither max_epochs nor max_iterations is set; set one of them");
    }
    require(max_epochs_.value_or(0) >= 0, "max_epochs must not be negative");
    require(max_iterations_.value_or(0) >= 0, "max_iterations must not be negative");
    require(gradient_accumulation_ >= 1, "gradient_accumulation must be at least 1");
    require(log_every_n_iterations_ >= 1, "log_every_n_iterations must be at least 1");
    save_checkpoint_.check();
}

AUDYN_INLINE void TrainerOptions::require(bool holds, const char* message) {
    if (!holds) {
        throw UsageError(message);
    }
}

} // namespace audyn::trainer
