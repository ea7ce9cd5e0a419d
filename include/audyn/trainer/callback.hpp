#pragma once

#include <audyn/data/batch.hpp>
#include <audyn/state/state_dict.hpp>
#include <audyn/trainer/forward_call.hpp>

#include <exception>
#include <string>

namespace audyn::trainer {

class TrainerBase;

/// Reacts to events of a run. Every hook gets the trainer, through which it sees the run's state, logs metrics, and
/// asks for the end. Hooks are called on the thread of the trainer, in the order in which callbacks were added. An
/// exception that leaves a hook ends the run.
class Callback {
public:
    Callback() = default;
    Callback(const Callback&) = delete;
    Callback& operator=(const Callback&) = delete;
    virtual ~Callback() = default;

    /// Key of this callback's state in a checkpoint; unique among the callbacks of a trainer.
    [[nodiscard]] virtual std::string name() const = 0;

    virtual void on_fit_start(TrainerBase&) {}
    virtual void on_fit_end(TrainerBase&) {}
    /// Also for `Interrupted`, the end by a signal.
    virtual void on_exception(TrainerBase&, const std::exception&) {}

    /// Not called when a run is resumed within an epoch: that epoch had started before.
    virtual void on_epoch_start(TrainerBase&) {}
    /// After validation and before the epoch's checkpoints.
    virtual void on_epoch_end(TrainerBase&) {}

    virtual void on_train_batch_start(TrainerBase&, const data::Batch&) {}
    virtual void on_train_batch_end(TrainerBase&, const data::Batch&) {}
    /// Gradients of the iteration are complete and, under loss scaling, still scaled unless clipping unscaled them.
    virtual void on_before_optimizer_step(TrainerBase&) {}
    /// After the optimizer's and the scheduler's step; the iteration is counted.
    virtual void on_iteration_end(TrainerBase&) {}

    virtual void on_validation_start(TrainerBase&) {}
    /// `outputs` are those of the model's last call on this batch.
    virtual void on_validation_batch_end(TrainerBase&, const data::Batch&, const Outputs&) {}
    virtual void on_validation_end(TrainerBase&) {}

    /// A checkpoint was written to `path`; with `async`, some iterations ago.
    virtual void on_checkpoint_saved(TrainerBase&, const std::string&) {}

    /// What the callback needs to go on after a resume.
    [[nodiscard]] virtual StateDict state_dict() const { return {}; }
    virtual void load_state_dict(const StateDict&) {}
};

} // namespace audyn::trainer

namespace audyn {
using trainer::Callback;
} // namespace audyn
