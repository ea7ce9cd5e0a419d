#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/communication_hook_factory.hpp>
#include <audyn/distributed/detail/bucket_indices.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

namespace audyn::distributed {

class ProcessGroup;

/// Options of `DistributedDataParallel`, with the names of Python's, and its defaults but for gradients as views.
struct DistributedDataParallelOptions {
    /// Rank 0's buffers are copied to the others before each forward that trains.
    bool broadcast_buffers = true;
    /// MiB of gradients that are reduced together; 25, and 1 for the first, when not set.
    std::optional<double> bucket_cap_mb;
    /// Some parameters may get no gradient in an iteration: each forward looks for them in the graph.
    bool find_unused_parameters = false;
    /// Gradients are views of the buckets, which saves their memory and a copy. False in Python, for the sake of
    /// programs that call `detach_` on gradients.
    bool gradient_as_bucket_view = true;
    /// The graph is the same in all iterations.
    bool static_graph = false;
    /// How gradients travel; nothing: all-reduce in their own type.
    CommunicationHookFactory communication_hook;
};

namespace detail {

/// Appends the tensors in a model's output: a tensor, an optional, tuple, pair, array, vector or map of outputs, or a
/// struct whose `tensors()` gives one of these. Numbers and text hold none.
template <class Output>
void collect_tensors(const Output& output, std::vector<at::Tensor>& tensors) {
    if constexpr (std::is_convertible_v<const Output&, at::Tensor>) {
        tensors.push_back(output);
    } else if constexpr (requires { output.tensors(); }) {
        collect_tensors(output.tensors(), tensors);
    } else if constexpr (requires { std::tuple_size<Output>::value; }) {
        std::apply([&](const auto&... items) { (collect_tensors(items, tensors), ...); }, output);
    } else if constexpr (requires {
                             output.has_value();
                             *output;
                         }) {
        if (output.has_value()) {
            collect_tensors(*output, tensors);
        }
    } else if constexpr (requires {
                             output.begin();
                             output.end();
                         }) {
        if constexpr (std::is_class_v<std::remove_cvref_t<decltype(*output.begin())>>) {
            for (const auto& item : output) {
                collect_tensors(item, tensors);
            }
        }
    } else {
        static_assert(!std::is_class_v<Output>,
                      "audyn: DistributedDataParallel does not know the tensors in this output of forward; give its "
                      "struct a member `tensors()` that returns them as a std::tuple");
    }
}

/// A module whose gradients are averaged over the ranks during backward: what is independent of the module's type, and
/// of c10d's headers.
class Replica {
public:
    Replica() = default;
    Replica(const Replica&) = delete;
    Replica& operator=(const Replica&) = delete;
    virtual ~Replica() = default;

    /// Before the module's forward. \throws DistributedError when a rank has failed.
    virtual void before_forward() = 0;
    /// After it. `outputs`: where `needs_outputs`.
    virtual void after_forward(const std::vector<at::Tensor>& outputs) = 0;
    [[nodiscard]] virtual bool needs_outputs() const = 0;
    /// In place of a forward and backward, with gradients of zero. \throws DistributedError when a rank has failed.
    virtual void join() = 0;
    /// \throws UsageError that says why `join` cannot stand in for a forward.
    virtual void check_join() const = 0;

    /// Copies rank 0's buffers to the others. Until the next forward that trains, no forward does so again.
    virtual void synchronize_buffers() = 0;
    /// The buckets as they will be in the next iteration. All ranks call it together.
    [[nodiscard]] virtual BucketIndices bucket_indices() = 0;
    /// Continues with the buckets of a run before. \throws StateError when they are those of another model.
    virtual void load_bucket_indices(BucketIndices buckets) = 0;
    /// The same, or nothing while they are those of construction, from which a resumed run starts too.
    [[nodiscard]] virtual std::optional<BucketIndices> final_bucket_indices() = 0;
    [[nodiscard]] virtual StateDict hook_state() const = 0;
    virtual void load_hook_state(const StateDict& state) = 0;
};

/// On c10d's Reducer. `synchronizes`: false within no_sync. \throws DistributedError
[[nodiscard]] AUDYN_INLINE std::shared_ptr<Replica> make_replica(std::shared_ptr<torch::nn::Module> module,
                                                                 std::shared_ptr<ProcessGroup> group,
                                                                 const DistributedDataParallelOptions& options,
                                                                 std::shared_ptr<const bool> synchronizes);

} // namespace detail
} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/detail/replica.ipp>
#endif
