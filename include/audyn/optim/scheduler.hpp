#pragma once

#include <audyn/core/error.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
    inline virtual void step();

    /// The rates set last, one for each group.
    [[nodiscard]] const std::vector<double>& last_lr() const { return last_lr_; }
    /// How often the scheduler has stepped.
    [[nodiscard]] int64_t last_epoch() const { return last_epoch_; }

    /// Python's layout; options of the schedule included.
    [[nodiscard]] inline virtual StateDict state_dict() const;
    /// Goes on where `state` was taken, with its options, as in Python. The optimizer's state must be loaded as well.
    /// \throws StateError that lists what is missing; nothing is changed then.
    inline virtual void load_state_dict(const StateDict& state);

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
inline void check_positive(const char* name, int64_t value) {
    if (value < 1) {
        throw UsageError(std::string("the scheduler's ") + name + " must be at least 1, got " + std::to_string(value));
    }
}

} // namespace detail

inline void LRScheduler::initialize() {
    for (ParamGroup& group : groups()) {
        if (!group.schedule.initial_lr) {
            group.schedule.initial_lr = group.lr;
        }
        base_lrs_.push_back(*group.schedule.initial_lr);
    }
    last_lr_.resize(base_lrs_.size());
    initial_step();
}

inline void LRScheduler::initial_step() {
    step_count_ = 0;
    is_initial_ = true;
    step();
    is_initial_ = false;
}

inline void LRScheduler::step() {
    ++step_count_;
    update_lr(std::nullopt);
}

inline void LRScheduler::update_lr(std::optional<int64_t> epoch) {
    last_epoch_ = epoch.value_or(last_epoch_ + 1);
    for (std::size_t g = 0; g < groups().size(); ++g) {
        const std::optional<double> closed = epoch ? closed_form_lr(g) : std::nullopt;
        last_lr_[g] = groups()[g].lr = closed ? *closed : compute_lr(g);
    }
}

inline StateDict LRScheduler::state_dict() const {
    StateDict state = options();
    state.set("base_lrs", detail::to_list(base_lrs_));
    state.set("last_epoch", last_epoch_);
    state.set("_step_count", step_count_);
    state.set("_is_initial", false);
    state.set("_get_lr_called_within_step", false);
    state.set("_last_lr", detail::to_list(last_lr_));
    return state;
}

inline void LRScheduler::check_keys(const StateDict& own, const StateDict& state) {
    std::string missing;
    for (const auto& [key, value] : own) {
        // Flags of Python's own that older versions lack.
        const bool optional = key == "_is_initial" || key == "_get_lr_called_within_step";
        if (!optional && !state.contains(key)) {
            missing += " " + key.to_string();
        }
    }
    if (!missing.empty()) {
        throw StateError("the state does not fit the learning rate scheduler; it lacks:" + missing);
    }
}

inline void LRScheduler::load_state_dict(const StateDict& state) {
    check_keys(state_dict(), state);
    const std::vector<state::Value>& base_lrs = state.at("base_lrs").as_list();
    const std::vector<state::Value>& last_lr = state.at("_last_lr").as_list();
    if (base_lrs.size() != groups().size() || last_lr.size() != groups().size()) {
        throw StateError("the state of the learning rate scheduler is for " + std::to_string(base_lrs.size()) +
                         " parameter groups, the optimizer has " + std::to_string(groups().size()));
    }
    load_options(state);
    for (std::size_t g = 0; g < groups().size(); ++g) {
        base_lrs_[g] = detail::number(base_lrs[g]);
        last_lr_[g] = detail::number(last_lr[g]);
    }
    last_epoch_ = state.at("last_epoch").as_int();
    step_count_ = state.at("_step_count").as_int();
}

} // namespace audyn::optim
