#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Parameters that have averages, all of one kind or of several. Not thread-safe.
class AveragedParameters {
public:
    AveragedParameters() = default;
    virtual ~AveragedParameters() = default;
    AveragedParameters(const AveragedParameters&) = delete;
    AveragedParameters& operator=(const AveragedParameters&) = delete;

    /// `module.state_dict()` with the averages in the place of the parameters: what a checkpoint keeps as
    /// `moving_average_model`. Shares memory with both. What is not averaged is that of the module.
    [[nodiscard]] StateDict model_state(const torch::nn::Module& module) const;

    /// Begins with the parameters as they are now, unless there was an update: when the ranks of a job have been given
    /// the same ones.
    virtual void start() = 0;

    /// Puts the averages of `module`'s parameters and buffers into `state` under their names.
    virtual void replace(const torch::nn::Module& module, StateDict& state) const = 0;

protected:
    friend class MovingAverageScope;

    /// Puts the averages in the place of the parameters. \throws UsageError when they are there.
    virtual void enter_scope() = 0;
    virtual void leave_scope() = 0;
};

/// Base of the averages that parameters have over a training. Each lies beside its parameter, on the same device and of
/// the same type, also when the module moves; integers are not averaged but copied. Not thread-safe.
class MovingAverage : public AveragedParameters {
public:
    /// Takes the parameters as they are now into the averages: after each step of the optimizer. \throws UsageError
    /// within a MovingAverageScope.
    void update();
    /// The same, unless `found_inf`, a float32 scalar, says that the step was skipped. No host synchronisation, so that
    /// on a device other than the CPU num_updates() counts it all the same.
    void update(const at::Tensor& found_inf);

    /// How often the averages were updated.
    [[nodiscard]] int64_t num_updates() const { return num_updates_; }
    [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }
    /// The average of parameter number `index`, in a scope or not. Shares memory.
    [[nodiscard]] at::Tensor average(std::size_t index) const;

    AUDYN_INLINE void start() override;
    AUDYN_INLINE void replace(const torch::nn::Module& module, StateDict& state) const override;

    [[nodiscard]] virtual StateDict state_dict() const = 0;
    /// Copies to the averages' devices and types. \throws StateError that lists every mismatch; nothing is changed
    /// then.
    virtual void load_state_dict(const StateDict& state) = 0;
    /// \throws StateError where load_state_dict() would.
    virtual void check_state_dict(const StateDict& state) const = 0;

protected:
    /// The averages begin as copies. Those of the first `averaged` are averaged, the others are copied.
    MovingAverage(std::vector<at::Tensor> parameters, std::size_t averaged);

    /// The part that the parameters have in the next averages, in [0, 1]; at 0 these stay.
    [[nodiscard]] virtual double weight(at::ScalarType dtype) const = 0;
    /// After the averages have changed, before num_updates() counts it.
    virtual void count_update() {}

    void set_num_updates(int64_t count) { num_updates_ = count; }
    /// Appends a line to `mismatches` when `saved`, of this name, cannot become average number `index`.
    void check_average(std::size_t index, const std::string& name, const state::Value* saved,
                       std::vector<std::string>& mismatches) const;
    /// \throws StateError that has the lines, if there are any.
    static void throw_mismatches(const char* what, const std::vector<std::string>& lines);
    void load_average(std::size_t index, const at::Tensor& saved);
    void require_outside_scope(const char* what) const;
    AUDYN_INLINE void enter_scope() override;
    void leave_scope() override { swap(); }

private:
    /// Of one device and type.
    struct List {
        std::vector<at::Tensor> parameters;
        std::vector<at::Tensor> averages;
    };

    /// Goes where the parameters are now, before the averages are used with them.
    void follow_parameters();
    void make_lists();
    void finish_update();
    static void add(std::vector<List>& lists, const at::Tensor& parameter, const at::Tensor& average);
    void swap();

    std::vector<at::Tensor> parameters_;
    std::vector<at::Tensor> averages_;
    /// Numbers of the parameters, without those that occurred before.
    std::vector<std::size_t> distinct_;
    std::size_t averaged_count_;
    std::vector<List> averaged_;
    std::vector<List> copied_;
    int64_t num_updates_ = 0;
    bool is_swapped_ = false;
};

/// While it lives the parameters hold the averages, for validation and inference. Memory is exchanged, not copied, and
/// what shared memory with the parameters before keeps the values of before.
class MovingAverageScope {
public:
    /// \throws UsageError when there is one of `averages` already.
    explicit MovingAverageScope(AveragedParameters& averages);
    ~MovingAverageScope();
    MovingAverageScope(const MovingAverageScope&) = delete;
    MovingAverageScope& operator=(const MovingAverageScope&) = delete;

private:
    AveragedParameters& averages_;
};

/// Averages of different parameters together, as those of several optimizers, or of several models.
class MovingAverages final : public AveragedParameters {
public:
    /// `averages` must outlive it.
    explicit MovingAverages(std::vector<AveragedParameters*> averages) : averages_(std::move(averages)) {}

    AUDYN_INLINE void start() override;
    AUDYN_INLINE void replace(const torch::nn::Module& module, StateDict& state) const override;

protected:
    AUDYN_INLINE void enter_scope() override;
    void leave_scope() override { scopes_.clear(); }

private:
    std::vector<AveragedParameters*> averages_;
    /// While the averages are in the place of the parameters.
    std::deque<MovingAverageScope> scopes_;
};

namespace detail {

/// The state of an optimizer with a moving average: `{"moving_average": ..., "original": ...}`.
AUDYN_INLINE StateDict averaged_state(const MovingAverage& average, StateDict original);
/// \throws StateError unless `state` is one of those.
AUDYN_INLINE void check_averaged_state(const StateDict& state);

} // namespace detail

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/moving_average.ipp>
#endif
