#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/core/names.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Measures over all samples of a pass, with the values of TorchMetrics.
namespace audyn::metrics {

/// A measure that is added up batch by batch in tensors on the device of the batches, which no update waits for. What
/// ranks have added up is the same sum, so that the value over them is that of all samples, however they were shared
/// out.
class StatefulMetric {
public:
    StatefulMetric(const StatefulMetric&) = delete;
    StatefulMetric& operator=(const StatefulMetric&) = delete;
    virtual ~StatefulMetric() = default;

    /// Names of update's arguments in order, TorchMetrics': "preds", "target".
    [[nodiscard]] std::span<const std::string> arguments() const { return names_; }

    /// Takes a batch in; one tensor for each of arguments(). \throws UsageError when shapes do not fit.
    AUDYN_INLINE void update(std::span<const at::Tensor> arguments);

    /// The value of everything since the last reset: one number (0-dim), one for each class, or a matrix. Waits for the
    /// device. \throws DataError when batches had labels out of range.
    [[nodiscard]] at::Tensor compute() const { return value(states_); }

    /// The value over all ranks, where `all_reduce_sum(tensor)` adds a tensor up over them, in place: that of a
    /// DistPolicy. All ranks call it; what this rank has added up stays its own.
    template <class AllReduceSum>
    [[nodiscard]] at::Tensor compute(const AllReduceSum& all_reduce_sum) const {
        std::vector<at::Tensor> sums;
        for (const at::Tensor& state : states_) {
            sums.push_back(state.clone());
            all_reduce_sum(sums.back());
        }
        return value(sums);
    }

    void reset();
    void to(at::Device device);

    [[nodiscard]] StateDict state_dict() const;
    /// \throws StateError when `state` is not from a metric of this kind.
    void load_state_dict(const StateDict& state);

protected:
    /// A tensor that adds up over batches and ranks.
    struct State {
        std::string name;
        std::vector<int64_t> sizes;
        at::ScalarType dtype;
    };

    template <std::size_t Count>
    StatefulMetric(const Names<Count>& arguments, const std::vector<State>& states)
        : StatefulMetric(std::vector<std::string>(arguments.begin(), arguments.end()), states) {}

    /// Adds a batch to `states`, in place.
    virtual void add(std::span<const at::Tensor> arguments, std::span<at::Tensor> states) = 0;
    [[nodiscard]] virtual at::Tensor value(std::span<const at::Tensor> states) const = 0;

private:
    StatefulMetric(std::vector<std::string> arguments, const std::vector<State>& states);

    std::vector<std::string> names_;
    std::vector<std::string> state_names_;
    std::vector<at::Tensor> states_;
};

} // namespace audyn::metrics

#ifndef AUDYN_COMPILED
#    include <audyn/metrics/stateful_metric.ipp>
#endif
