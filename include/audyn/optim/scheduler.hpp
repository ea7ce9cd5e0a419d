#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace audyn::optim {

/// Base of the learning rate schedulers; `torch.optim.lr_scheduler.LRScheduler`. A scheduler sets the first rate when
/// it is made, and the next one at every step(), which follows the optimizer's step. It holds the optimizer's groups,
/// not the optimizer, which may be moved. Values are Python's to the last bit, recurrent forms included.
class LRScheduler {
public:
    virtual ~LRScheduler() = default;
    LRScheduler(const LRScheduler&) = delete;
    LRScheduler& operator=(const LRScheduler&) = delete;

    /// Sets the next learning rates.
    AUDYN_INLINE virtual void step();

    /// The rates set last, one for each group.
    [[nodiscard]] const std::vector<double>& last_lr() const { return last_lr_; }
    /// How often the scheduler has stepped.
    [[nodiscard]] int64_t last_epoch() const { return last_epoch_; }

    /// Python's layout; options of the schedule included.
    [[nodiscard]] AUDYN_INLINE virtual StateDict state_dict() const;
    /// Goes on where `state` was taken, with its options, as in Python. The optimizer's state must be loaded as well.
    /// \throws StateError that lists what is missing; nothing is changed then.
    AUDYN_INLINE virtual void load_state_dict(const StateDict& state);

protected:
    explicit LRScheduler(Optimizer& optimizer) : groups_(optimizer.shared_groups()) {}

    /// To be called at the end of the constructor of a scheduler: sets the first rates.
    void initialize();

    /// The rate of `group` at last_epoch(), from the one before.
    [[nodiscard]] virtual double compute_lr(std::size_t group) = 0;
    /// The same without the one before, where a formula exists.
    [[nodiscard]] virtual std::optional<double> closed_form_lr(std::size_t) const { return std::nullopt; }
    /// Takes back the step of the constructor, for a scheduler that another one starts later.
    virtual void undo_step() { --last_epoch_; }
    /// Options and whatever else the scheduler needs, under Python's names.
    [[nodiscard]] virtual StateDict options() const = 0;
    /// Takes a state that has every key of options().
    virtual void load_options(const StateDict& state) = 0;

    [[nodiscard]] std::vector<ParamGroup>& groups() { return *groups_; }
    [[nodiscard]] const std::vector<ParamGroup>& groups() const { return *groups_; }
    [[nodiscard]] double base_lr(std::size_t group) const { return base_lrs_[group]; }
    [[nodiscard]] int64_t step_count() const { return step_count_; }
    /// Whether the first rates are being set.
    [[nodiscard]] bool is_initial() const { return is_initial_; }

private:
    friend class SequentialLR;

    void initial_step();
    void update_lr(std::optional<int64_t> epoch);
    /// \throws StateError that names the keys of `own` that `state` lacks.
    static void check_keys(const StateDict& own, const StateDict& state);

    std::shared_ptr<std::vector<ParamGroup>> groups_;
    std::vector<double> base_lrs_;
    std::vector<double> last_lr_;
    int64_t last_epoch_ = -1;
    int64_t step_count_ = 0;
    bool is_initial_ = false;
};

namespace detail {

inline state::List to_list(const std::vector<double>& values) {
    return {values.begin(), values.end()};
}

/// \throws UsageError unless `value`, an option of a scheduler, is at least 1.
AUDYN_INLINE void check_positive(const char* name, int64_t value);

} // namespace detail

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/scheduler.ipp>
#endif
