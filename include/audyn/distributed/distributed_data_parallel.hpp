#pragma once

#include <audyn/core/error.hpp>
#include <audyn/distributed/detail/replica.hpp>
#include <audyn/distributed/ranks.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::distributed {

/// A model as `DistributedDataParallel` wrapped it. `Model` is a module holder or a std::shared_ptr to a module.
template <class Model>
class DistributedModel {
public:
    DistributedModel(Model model, std::shared_ptr<detail::Replica> replica)
        : model_(std::move(model)), replica_(std::move(replica)) {}

    /// The model's forward; a backward from its outputs averages gradients over the ranks.
    /// \throws DistributedError when a rank has failed.
    template <class... Arguments>
    auto forward(Arguments&&... arguments) {
        replica_->before_forward();
        auto output = model_->forward(std::forward<Arguments>(arguments)...);
        std::vector<at::Tensor> tensors;
        if (replica_->needs_outputs()) {
            detail::collect_tensors(output, tensors);
        }
        replica_->after_forward(tensors);
        return output;
    }

    /// The bare model.
    [[nodiscard]] Model& module() { return model_; }

private:
    Model model_;
    std::shared_ptr<detail::Replica> replica_;
};

/// DistPolicy of data parallelism: each rank holds the whole model and trains on its share of the batch; gradients are
/// averaged by c10d's Reducer in buckets, while backward goes on. Options, order of operations and numbers are those of
/// Python's `torch.nn.parallel.DistributedDataParallel`.
///
/// All ranks wrap the same models in the same order. Copies share everything. All calls come from the thread that
/// trains.
class DistributedDataParallel {
public:
    static constexpr bool enabled = true;

    /// With the process's group. \throws UsageError when there is none.
    explicit DistributedDataParallel(DistributedDataParallelOptions options = {});
    DistributedDataParallel(DistributedDataParallelOptions options, std::shared_ptr<ProcessGroup> group);

    [[nodiscard]] int64_t rank() const;
    [[nodiscard]] int64_t world_size() const;
    [[nodiscard]] int64_t local_rank() const;
    [[nodiscard]] bool is_main_process() const;
    [[nodiscard]] ProcessGroup& group() { return *group_; }
    [[nodiscard]] const DistributedDataParallelOptions& options() const { return shared_->options; }

    /// Makes all ranks' parameters and buffers those of rank 0. The model lies on its device already and keeps its
    /// parameters from here on. \throws DistributedError naming the first parameter that differs in name, shape or
    /// type.
    template <class Model>
    [[nodiscard]] std::shared_ptr<DistributedModel<Model>> wrap(Model model) {
        std::shared_ptr<torch::nn::Module> module;
        if constexpr (requires { model.ptr(); }) {
            module = model.ptr();
        } else {
            module = model;
        }
        auto replica = detail::make_replica(std::move(module), group_, shared_->options,
                                            std::shared_ptr<const bool>(shared_, &shared_->synchronizes));
        shared_->replicas.push_back(replica);
        return std::make_shared<DistributedModel<Model>>(std::move(model), std::move(replica));
    }

    /// Backward passes keep gradients local while it lives; the forward belongs inside too.
    class [[nodiscard]] NoSync {
    public:
        NoSync(const NoSync&) = delete;
        NoSync& operator=(const NoSync&) = delete;
        ~NoSync() { *synchronizes_ = before_; }

    private:
        friend DistributedDataParallel;
        explicit NoSync(std::shared_ptr<bool> synchronizes);

        std::shared_ptr<bool> synchronizes_;
        bool before_;
    };
    NoSync no_sync() { return NoSync(std::shared_ptr<bool>(shared_, &shared_->synchronizes)); }

    /// As those of `ProcessGroup`.
    void all_reduce_sum(at::Tensor& tensor);
    void broadcast(at::Tensor& tensor, int64_t source = 0);
    [[nodiscard]] std::vector<at::Tensor> all_gather(const at::Tensor& tensor);
    /// 0: as long as the group waits.
    void barrier(std::chrono::milliseconds timeout = {});

    /// Copies rank 0's buffers to the others; all ranks call it, for example before a validation. Forwards without
    /// gradients then communicate no more, so that ranks may have different numbers of batches.
    void synchronize_buffers();

    /// Takes part in one forward and backward of ranks that still have data, with gradients of zero: for one whose data
    /// have ended, so that uneven shares end together. Gradients are divided by the world size, whoever joins; Python's
    /// `Join(divide_by_initial_world_size=True)`. Here the optimizer steps on all ranks, and no replica falls behind.
    /// \throws DistributedError when a rank has failed.
    void join();
    /// Whether `join` can stand in for a forward. \throws UsageError that says why not.
    void check_join() const;

    /// The buckets of each model, the same on all ranks: the sums of a ring depend on them. All ranks call it together.
    [[nodiscard]] std::vector<detail::BucketIndices> bucket_indices();

    /// What a resume needs on the same number of ranks: the buckets of each model, and this rank's state of its
    /// communication hook. Between iterations; all ranks call it together.
    [[nodiscard]] StateDict state_dict();

    /// After the models were wrapped, before their first forward. \throws StateError when the models are others.
    void load_state_dict(const StateDict& state);

private:
    struct Shared {
        DistributedDataParallelOptions options;
        bool synchronizes = true;
        std::vector<std::shared_ptr<detail::Replica>> replicas;
    };

    std::shared_ptr<ProcessGroup> group_;
    std::shared_ptr<Shared> shared_;
};

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/distributed_data_parallel.ipp>
#endif
