#pragma once

#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/core/error.hpp>
#include <audyn/trainer/callback.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace audyn::trainer {

using checkpoint::MonitorMode;

/// Options of `EarlyStopping`, with Lightning's names.
struct EarlyStoppingOptions {
    /// As in `TrainerBase::metric`: "validation/total", "validation/accuracy", ...
    std::string monitor = "validation/total";
    /// Epochs without improvement after which training ends.
    int64_t patience = 3;
    /// A smaller change is no improvement.
    double min_delta = 0.0;
    MonitorMode mode = MonitorMode::min;
};

/// Ends a training when a metric has stopped improving; Lightning's `EarlyStopping`.
class EarlyStopping final : public Callback {
public:
    explicit EarlyStopping(EarlyStoppingOptions options = {}) : options_(std::move(options)) {
        if (options_.patience < 1) {
            throw UsageError("EarlyStopping: patience must be at least 1");
        }
    }

    [[nodiscard]] std::string name() const override { return "EarlyStopping(" + options_.monitor + ")"; }

    /// A run that this callback had ended goes on only with more patience.
    void on_fit_start(TrainerBase& trainer) override {
        if (std::exchange(is_resumed_, false) && waited_ >= options_.patience) {
            stop(trainer);
        }
    }

    /// \throws UsageError when nothing of that name was measured.
    void on_epoch_end(TrainerBase& trainer) override {
        const auto value = trainer.metric(options_.monitor);
        if (!value) {
            throw UsageError("EarlyStopping: there is no metric '" + options_.monitor + "' to monitor");
        }
        const double sign = options_.mode == MonitorMode::min ? 1.0 : -1.0;
        if (sign * *value < sign_best_ - options_.min_delta) {
            sign_best_ = sign * *value;
            waited_ = 0;
        } else if (++waited_ >= options_.patience) {
            stop(trainer);
        }
    }

    [[nodiscard]] StateDict state_dict() const override { return {{"best", sign_best_}, {"waited", waited_}}; }
    void load_state_dict(const StateDict& state) override {
        sign_best_ = state.at("best").as_float();
        waited_ = state.at("waited").as_int();
        is_resumed_ = true;
    }

private:
    void stop(TrainerBase& trainer) const {
        trainer.stop("'" + options_.monitor + "' has not improved for " + std::to_string(waited_) + " epochs");
    }

    EarlyStoppingOptions options_;
    /// The best value so far, its sign turned where more is better.
    double sign_best_ = std::numeric_limits<double>::infinity();
    int64_t waited_ = 0;
    bool is_resumed_ = false;
};

} // namespace audyn::trainer

namespace audyn {
using trainer::EarlyStopping;
using trainer::EarlyStoppingOptions;
} // namespace audyn
