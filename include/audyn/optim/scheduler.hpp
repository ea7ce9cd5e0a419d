#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::optim {

/// The value of the metric of a name; of the one that whoever trains has chosen when the name is empty.
using MetricValue = std::function<double(const std::string& monitor)>;

/// Base of the learning rate schedulers; `torch.optim.lr_scheduler.LRScheduler`. A scheduler sets the first rate when
/// it is made, and the next one at every step(), which follows the optimizer's step. It holds the optimizer's groups,
/// not the optimizer, which may be moved. Values are Python's to the last bit, recurrent forms included.
class LRScheduler {
public:
    virtual ~LRScheduler() = default;
    LRScheduler(const LRScheduler&) = delete;
    LRScheduler& operator=(const LRScheduler&) = delete;

    /// Sets the next learning rates. \throws UsageError when needs_metric().
    AUDYN_INLINE virtual void step();
    /// The same for a scheduler that may follow a metric, say the validation loss; one that does not passes it over.
    AUDYN_INLINE virtual void step(double metric);
    /// The same where one of several may follow another metric than the next one.
    AUDYN_INLINE virtual void step_with(const MetricValue& metric);
    /// One half of step_with(), where a metric is known at the end of an epoch only: after an iteration whatever
    /// follows no metric steps, as a warm-up, ...
    AUDYN_INLINE virtual void step_iteration();
    /// ... and after an epoch whatever follows one.
    AUDYN_INLINE virtual void step_epoch(const MetricValue& metric);

    /// Whether step(metric) is the one to call.
    [[nodiscard]] virtual bool needs_metric() const { return false; }
    /// Whether step_iteration() ever changes something.
    [[nodiscard]] virtual bool steps_by_iteration() const { return !needs_metric(); }
    /// Name of the metric to give, as "validation/total"; empty where whoever trains is to choose.
    [[nodiscard]] virtual std::string monitor() const { return {}; }

    /// The rates set last, one for each group.
    [[nodiscard]] const std::vector<double>& last_lr() const { return last_lr_; }
    /// How often the scheduler has stepped.
    [[nodiscard]] int64_t last_epoch() const { return last_epoch_; }

    /// Python's layout; options of the schedule included.
    [[nodiscard]] AUDYN_INLINE virtual StateDict state_dict() const;
    /// Goes on where `state` was taken, with its options, as in Python. The optimizer's state must be loaded as well.
    /// \throws StateError that lists what is missing; nothing is changed then.
    void load_state_dict(const StateDict& state);

protected:
    explicit LRScheduler(Optimizer& optimizer) : groups_(optimizer.shared_groups()) {}
    /// For one that has other schedulers and no groups.
    LRScheduler() : groups_(std::make_shared<std::vector<ParamGroup>>()) {}

    /// To be called at the end of the constructor of a scheduler: sets the first rates.
    void initialize();
    void initial_step();

    /// The rate of `group` at last_epoch(), from the one before.
    [[nodiscard]] virtual double compute_lr(std::size_t group) = 0;
    /// The same without the one before, where a formula exists.
    [[nodiscard]] virtual std::optional<double> closed_form_lr(std::size_t) const { return std::nullopt; }
    /// Takes back the step of the constructor, for a scheduler that another one starts later.
    virtual void undo_step() { --last_epoch_; }
    /// Sets the first rates after undo_step(), at the start of a training.
    virtual void start() { initial_step(); }
    /// The same in the middle of one, after another scheduler.
    virtual void take_over() { update_lr(0); }
    /// Options and whatever else the scheduler needs, under Python's names.
    [[nodiscard]] virtual StateDict options() const = 0;
    /// Takes a state that has every key of options(). After an exception load_state_dict() puts back what was.
    virtual void load_options(const StateDict& state) = 0;
    /// The same for all that state_dict() has.
    AUDYN_INLINE virtual void load(const StateDict& state);

    [[nodiscard]] std::vector<ParamGroup>& groups() { return *groups_; }
    [[nodiscard]] const std::vector<ParamGroup>& groups() const { return *groups_; }
    [[nodiscard]] double base_lr(std::size_t group) const { return base_lrs_[group]; }
    void set_base_lrs(std::vector<double> values) { base_lrs_ = std::move(values); }
    void set_last_epoch(int64_t epoch) { last_epoch_ = epoch; }
    /// Takes the groups' rates into last_lr().
    void record_lr();
    void set_last_lr(std::vector<double> values) { last_lr_ = std::move(values); }
    /// Sets the groups' rates to the initial ones, as the first scheduler found them.
    void reset_lr();
    /// Takes last_lr() of a state. \throws StateError when it is for another number of groups.
    void load_last_lr(const StateDict& state);
    void check_group_count(std::size_t count) const;
    /// \throws StateError that names the keys of `own` that `state` lacks.
    static void check_keys(const StateDict& own, const StateDict& state);
    [[nodiscard]] int64_t step_count() const { return step_count_; }
    /// Whether the first rates are being set.
    [[nodiscard]] bool is_initial() const { return is_initial_; }

private:
    friend class SchedulerList;

    void update_lr(std::optional<int64_t> epoch);

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

AUDYN_INLINE std::vector<double> to_numbers(const state::Value& list);

/// \throws UsageError unless `value`, an option of a scheduler, is at least 1.
AUDYN_INLINE void check_positive(const char* name, int64_t value);

/// One value for each group. \throws UsageError unless `values` has one for all, or one for each.
AUDYN_INLINE std::vector<double> for_each_group(const char* name, const std::vector<double>& values,
                                                std::size_t groups);

/// \throws Exception when an optimizer has no momentum for `scheduler` to cycle.
template <class Exception = UsageError>
void check_momentum(const char* scheduler, const std::vector<ParamGroup>& groups) {
    for (const ParamGroup& group : groups) {
        if (!group.momentum) {
            throw Exception(std::string(scheduler) + " cannot cycle the momentum of an optimizer without momentum or "
                                                     "betas; set cycle_momentum to false");
        }
    }
}

} // namespace detail

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/scheduler.ipp>
#endif
