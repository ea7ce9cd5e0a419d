#pragma once

#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/callback.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <cstdint>
#include <limits>
#include <string>

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
    explicit EarlyStopping(EarlyStoppingOptions options = {});

    [[nodiscard]] std::string name() const override { return "EarlyStopping(" + options_.monitor + ")"; }

    /// A run that this callback had ended goes on only with more patience.
    AUDYN_INLINE void on_fit_start(TrainerBase& trainer) override;

    /// \throws UsageError when nothing of that name was measured.
    AUDYN_INLINE void on_epoch_end(TrainerBase& trainer) override;

    [[nodiscard]] StateDict state_dict() const override { return {{"best", sign_best_}, {"waited", waited_}}; }
    AUDYN_INLINE void load_state_dict(const StateDict& state) override;

private:
    void stop(TrainerBase& trainer) const;

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

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/early_stopping.ipp>
#endif
