#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/process_group.hpp>

namespace audyn::distributed {

AUDYN_INLINE DistributedDataParallel::DistributedDataParallel(DistributedDataParallelOptions options)
    : DistributedDataParallel(std::move(options), process_group()) {}

AUDYN_INLINE DistributedDataParallel::DistributedDataParallel(DistributedDataParallelOptions options,
                                                              std::shared_ptr<ProcessGroup> group)
    : group_(std::move(group)), shared_(std::make_shared<Shared>()) {
    if (!group_) {
        throw UsageError("DistributedDataParallel needs a process group: call distributed::init_process_group before");
    }
    shared_->options = std::move(options);
}

AUDYN_INLINE DistributedDataParallel::NoSync::NoSync(std::shared_ptr<bool> synchronizes)
    : synchronizes_(std::move(synchronizes)), before_(std::exchange(*synchronizes_, false)) {}

AUDYN_INLINE void DistributedDataParallel::barrier(std::chrono::milliseconds timeout) {
    group_->barrier(timeout.count() == 0 ? std::nullopt : std::optional(timeout));
}

AUDYN_INLINE void DistributedDataParallel::synchronize_buffers() {
    for (const auto& replica : shared_->replicas) {
        replica->synchronize_buffers();
    }
}

AUDYN_INLINE void DistributedDataParallel::join() {
    for (const auto& replica : shared_->replicas) {
        replica->join();
    }
}

AUDYN_INLINE void DistributedDataParallel::check_join() const {
    for (const auto& replica : shared_->replicas) {
        replica->check_join();
    }
}

AUDYN_INLINE std::vector<detail::BucketIndices> DistributedDataParallel::bucket_indices() {
    std::vector<detail::BucketIndices> all;
    for (const auto& replica : shared_->replicas) {
        all.push_back(replica->bucket_indices());
    }
    return all;
}

AUDYN_INLINE StateDict DistributedDataParallel::state_dict() {
    state::List models;
    for (const auto& replica : shared_->replicas) {
        StateDict model{{"buckets", state::Value()}};
        if (const auto layout = replica->final_bucket_indices()) {
            state::List buckets;
            for (const auto& bucket : *layout) {
                state::List positions;
                for (const std::size_t position : bucket) {
                    positions.emplace_back(static_cast<int64_t>(position));
                }
                buckets.emplace_back(std::move(positions));
            }
            model.set("buckets", std::move(buckets));
        }
        if (StateDict hook = replica->hook_state(); !hook.empty()) {
            model.set("hook", std::move(hook));
        }
        models.emplace_back(std::move(model));
    }
    return {{"models", std::move(models)}};
}

AUDYN_INLINE void DistributedDataParallel::load_state_dict(const StateDict& state) {
    const auto& models = state.at("models").as_list();
    if (models.size() != shared_->replicas.size()) {
        throw StateError("the state is that of " + std::to_string(models.size()) + " wrapped models, and here are " +
                         std::to_string(shared_->replicas.size()));
    }
    for (std::size_t i = 0; i < models.size(); ++i) {
        const StateDict& model = models[i].as_dict();
        if (const state::Value& saved = model.at("buckets"); !saved.is_none()) {
            detail::BucketIndices buckets;
            for (const state::Value& bucket : saved.as_list()) {
                auto& positions = buckets.emplace_back();
                for (const state::Value& position : bucket.as_list()) {
                    positions.push_back(static_cast<std::size_t>(position.as_int()));
                }
            }
            shared_->replicas[i]->load_bucket_indices(std::move(buckets));
        }
        if (const state::Value* hook = model.find("hook")) {
            shared_->replicas[i]->load_hook_state(hook->as_dict());
        }
    }
}

AUDYN_INLINE int64_t DistributedDataParallel::rank() const {
    return group_->rank();
}

AUDYN_INLINE int64_t DistributedDataParallel::world_size() const {
    return group_->world_size();
}

AUDYN_INLINE int64_t DistributedDataParallel::local_rank() const {
    return group_->local_rank();
}

AUDYN_INLINE bool DistributedDataParallel::is_main_process() const {
    return group_->is_main_process();
}

AUDYN_INLINE void DistributedDataParallel::all_reduce_sum(at::Tensor& tensor) {
    group_->all_reduce(tensor);
}

AUDYN_INLINE void DistributedDataParallel::broadcast(at::Tensor& tensor, int64_t source) {
    group_->broadcast(tensor, source);
}

AUDYN_INLINE std::vector<at::Tensor> DistributedDataParallel::all_gather(const at::Tensor& tensor) {
    return group_->all_gather(tensor);
}

} // namespace audyn::distributed
