#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/communication_hooks.hpp>
#include <audyn/distributed/detail/reducer.hpp>
#include <audyn/distributed/detail/replica.hpp>
#include <audyn/distributed/process_group.hpp>
#include <audyn/distributed/sync_batch_norm.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/nn/modules/embedding.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>

namespace audyn::distributed {

namespace detail {

/// Stands before a model's outputs in the graph, as DDPSink of Python's. In the first iteration of a static graph it
/// has the reduction done when backward ends.
struct OutputNode : torch::autograd::Node {
    std::weak_ptr<c10d::Reducer> reducer;
    std::shared_ptr<bool> delays_reduction;

    torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
        if (delays_reduction && std::exchange(*delays_reduction, false)) {
            torch::autograd::Engine::get_default_engine().queue_callback([pointer = reducer] {
                if (const auto locked = pointer.lock()) {
                    locked->delay_all_reduce();
                }
            });
        }
        return std::move(gradients);
    }
    std::string name() const override { return "audyn::DistributedDataParallel"; }
};

/// Puts nodes between the outputs and what made them, in place: each tensor keeps its data and its handles. Where
/// unused parameters are searched for, all outputs share one node: the gradient of one that the loss does not use
/// reaches its parameters as undefined, so that these count as ready. In a static graph those must stay unused.
inline void stand_before(const std::vector<at::Tensor>& outputs, const std::shared_ptr<c10d::Reducer>& reducer,
                         const std::shared_ptr<bool>& delays_reduction) {
    NodePointer pointer;
    std::unordered_set<const c10::TensorImpl*> seen;
    for (const at::Tensor& output : outputs) {
        if (!output.defined() || !output.grad_fn() || !seen.insert(output.unsafeGetTensorImpl()).second) {
            continue;
        }
        if (!pointer || delays_reduction) {
            pointer = make_node<OutputNode>();
            auto& node = static_cast<OutputNode&>(*pointer);
            node.reducer = reducer;
            node.delays_reduction = delays_reduction;
        }
        pointer->add_next_edge(torch::autograd::impl::gradient_edge(output));
        torch::autograd::impl::set_gradient_edge(output, {pointer, pointer->add_input_metadata(output)});
    }
}

/// Gives the Reducer a CommunicationHook.
class HookAdapter final : public c10d::CommHookInterface {
public:
    HookAdapter(std::shared_ptr<CommunicationHook> hook, ProcessGroup& group) : hook_(std::move(hook)), group_(group) {}

    HookFuture runHook(c10d::GradBucket& bucket) override { return hook_->run(group_, bucket); }
    at::Tensor parseHookResult(const c10::IValue& result) override { return tensor_of(result); }

private:
    std::shared_ptr<CommunicationHook> hook_;
    ProcessGroup& group_;
};

/// A module whose gradients are averaged over the ranks during backward: what is independent of the module's type.
/// The order of operations is that of Python's DistributedDataParallel.
class ReducerReplica final : public Replica {
public:
    ReducerReplica(std::shared_ptr<torch::nn::Module> module, std::shared_ptr<ProcessGroup> group,
                   DistributedDataParallelOptions options, std::shared_ptr<const bool> synchronizes)
        : group_(std::move(group)),
          module_(std::move(module)),
          options_(std::move(options)),
          synchronizes_(std::move(synchronizes)) {
        collect_parameters();
        buffers_ = module_->buffers();
        verify_parameters();
        guarded("the broadcast of the parameters", [&] {
            std::vector<at::Tensor> states;
            for (const at::Tensor& tensor : module_->parameters()) {
                states.push_back(tensor.detach());
            }
            for (const at::Tensor& tensor : buffers_) {
                states.push_back(tensor.detach());
            }
            broadcast(states);
        });
        make_reducer();
        // The last gradient of most models: who waits for the others has come further than who still computes.
        hook_number_ = parameters_[0].register_hook([group = std::weak_ptr(group_)](const at::Tensor&) {
            if (const auto living = group.lock()) {
                living->advance();
            }
        });
    }
    ReducerReplica(const ReducerReplica&) = delete;
    ReducerReplica& operator=(const ReducerReplica&) = delete;
    ~ReducerReplica() override { parameters_[0].remove_hook(hook_number_); }

    /// Before the module's forward. \throws DistributedError when a rank has failed.
    void before_forward() override {
        const bool trains = at::GradMode::is_enabled();
        if (trains && synchronizes()) {
            group_->begin();
            logger_->set_runtime_stats_and_log();
            reducer_->prepare_for_forward();
        } else {
            group_->check();
        }
        if (trains) {
            rebuild_buckets();
        }
        if (options_.broadcast_buffers && may_differ_) {
            synchronize_buffers();
        }
    }

    /// After it. `outputs`: where `needs_outputs`.
    void after_forward(const std::vector<at::Tensor>& outputs) override {
        const bool trains = at::GradMode::is_enabled() && synchronizes();
        may_differ_ = trains;
        if (trains) {
            group_->advance();
            reducer_->prepare_for_backward(finds_unused() ? outputs : std::vector<at::Tensor>());
        }
        if (finds_unused() || (trains && *delays_reduction_)) {
            stand_before(outputs, reducer_, options_.static_graph ? delays_reduction_ : nullptr);
        }
    }

    [[nodiscard]] bool needs_outputs() const override { return finds_unused() || *delays_reduction_; }

    void join() override {
        before_forward();
        std::vector<at::Tensor> outputs;
        std::vector<at::Tensor> zeros;
        for (const at::Tensor& parameter : parameters_) {
            outputs.push_back(parameter.view_as(parameter));
            zeros.push_back(at::zeros_like(parameter));
        }
        after_forward(outputs);
        torch::autograd::backward(outputs, zeros);
    }

    void check_join() const override {
        if (options_.static_graph) {
            throw UsageError("static_graph needs data on all ranks");
        }
        if (std::find(expect_sparse_.begin(), expect_sparse_.end(), true) != expect_sparse_.end()) {
            throw UsageError("the model has sparse gradients, which need data on all ranks");
        }
        for (const auto& child : module_->named_modules()) {
            if (dynamic_cast<const SyncBatchNormImpl*>(child.value().get()) != nullptr) {
                throw UsageError("SyncBatchNorm '" + child.key() + "' needs data on all ranks");
            }
        }
    }

    /// Copies rank 0's buffers to the others. Until the next forward that trains, no forward does so again.
    void synchronize_buffers() override {
        may_differ_ = false;
        std::vector<at::Tensor> states;
        for (const at::Tensor& buffer : buffers_) {
            // Without the version counter: a graph that has saved a buffer does not mind.
            states.push_back(buffer.variable_data());
        }
        if (!states.empty()) {
            guarded("the broadcast of the buffers", [&] { broadcast(states); });
        }
    }

    /// The buckets as they will be in the next iteration. All ranks call it together.
    [[nodiscard]] BucketIndices bucket_indices() override {
        rebuild_buckets();
        return logger_->get_per_bucket_variable_indices();
    }

    /// Continues with the buckets of a run before. \throws StateError when they are those of another model.
    void load_bucket_indices(BucketIndices buckets) override {
        std::vector<std::size_t> positions;
        for (const auto& bucket : buckets) {
            positions.insert(positions.end(), bucket.begin(), bucket.end());
        }
        std::sort(positions.begin(), positions.end());
        bool fits = positions.size() == parameters_.size();
        for (std::size_t i = 0; fits && i < positions.size(); ++i) {
            fits = positions[i] == i;
        }
        if (!fits) {
            throw StateError("the saved buckets hold " + std::to_string(positions.size()) +
                             " parameters, and the model has " + std::to_string(parameters_.size()) +
                             " that are trained");
        }
        loaded_buckets_ = buckets;
        are_final_ = true;
        reducer_->initialize_buckets(std::move(buckets));
    }

    /// The same, or nothing while they are those of construction, from which a resumed run starts too.
    [[nodiscard]] std::optional<BucketIndices> final_bucket_indices() override {
        rebuild_buckets();
        return are_final_ ? std::optional(logger_->get_per_bucket_variable_indices()) : std::nullopt;
    }

    [[nodiscard]] StateDict hook_state() const override { return hook_ ? hook_->state_dict() : StateDict(); }
    void load_hook_state(const StateDict& state) override {
        if (hook_) {
            hook_->load_state_dict(state);
        }
    }

private:
    [[nodiscard]] bool finds_unused() const { return options_.find_unused_parameters && !options_.static_graph; }

    /// The Reducer counts a static graph's gradients in the first backward: one that it does not reduce would be
    /// counted too. An average that is averaged once more stays what it is.
    [[nodiscard]] bool synchronizes() const { return *synchronizes_ || *delays_reduction_; }

    template <class Function>
    void guarded(const char* what, const Function& function) {
        const at::NoGradGuard no_grad;
        try {
            group_->begin();
            function();
        } catch (const Error&) {
            throw;
        } catch (const std::exception& error) {
            throw group_->explain(what, error);
        }
    }

    void broadcast(std::vector<at::Tensor>& tensors) {
        constexpr std::size_t piece = 250 * 1024 * 1024;
        if (group_->world_size() > 1) {
            c10d::broadcast_coalesced(group_->c10d(), tensors, piece, 0);
        }
    }

    void collect_parameters() {
        std::unordered_set<const c10::TensorImpl*> seen;
        const auto collect = [&](const std::string& prefix, const torch::nn::Module& module) {
            bool is_sparse = false;
            if (const auto* embedding = dynamic_cast<const torch::nn::EmbeddingImpl*>(&module)) {
                is_sparse = embedding->options.sparse();
            } else if (const auto* bag = dynamic_cast<const torch::nn::EmbeddingBagImpl*>(&module)) {
                is_sparse = bag->options.sparse();
            }
            for (const auto& item : module.named_parameters(false)) {
                if (item.value().requires_grad() && seen.insert(item.value().unsafeGetTensorImpl()).second) {
                    parameters_.push_back(item.value());
                    names_.push_back(prefix.empty() ? item.key() : prefix + "." + item.key());
                    expect_sparse_.push_back(is_sparse);
                }
            }
        };
        for (const auto& item : module_->named_modules()) {
            collect(item.key(), *item.value());
        }
        if (parameters_.empty()) {
            throw UsageError(
                "DistributedDataParallel has nothing to do: no parameter of the model requires a gradient");
        }
        for (std::size_t i = 1; i < parameters_.size(); ++i) {
            if (parameters_[i].device().type() != parameters_[0].device().type()) {
                throw UsageError("the parameters '" + names_[0] + "' and '" + names_[i] +
                                 "' lie on devices of different types; move the model before it is wrapped");
            }
        }
    }

    [[nodiscard]] std::string describe(std::size_t index) const {
        const at::Tensor& parameter = parameters_[index];
        std::ostringstream text;
        text << "'" << names_[index] << "' " << parameter.scalar_type() << ' ' << parameter.sizes() << " strides "
             << parameter.strides();
        return text.str();
    }

    /// All ranks throw when the models differ, naming the first parameter that does.
    void verify_parameters() {
        if (group_->world_size() == 1) {
            return;
        }
        std::string own;
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            own += describe(i) + '\n';
        }
        const std::string expected = group_->broadcast_text(own);
        std::istringstream own_lines(own);
        std::istringstream expected_lines(expected);
        std::string difference;
        for (std::string own_line, expected_line; own != expected && difference.empty();) {
            const bool has_own = static_cast<bool>(std::getline(own_lines, own_line));
            const bool has_expected = static_cast<bool>(std::getline(expected_lines, expected_line));
            if (!has_own || !has_expected || own_line != expected_line) {
                difference = "the model of rank " + std::to_string(group_->rank()) + " has " +
                             (has_own ? "the parameter " + own_line : "no further parameter") +
                             " where that of rank 0 has " + (has_expected ? expected_line : "no further one");
            }
        }
        at::Tensor first = at::full({1}, difference.empty() ? group_->world_size() : group_->rank(), at::kLong);
        group_->all_reduce(first, ReduceOp::min);
        const int64_t differing = first.item<int64_t>();
        if (differing < group_->world_size()) {
            throw DistributedError(group_->broadcast_text(difference, differing));
        }
    }

    void make_reducer() {
        constexpr double mebibyte = 1024.0 * 1024.0;
        ReducerArguments arguments;
        arguments.bucket_bytes_cap = static_cast<int64_t>(options_.bucket_cap_mb.value_or(25.0) * mebibyte);
        arguments.first_bucket_bytes_cap =
            options_.bucket_cap_mb ? arguments.bucket_bytes_cap : int64_t{c10d::kDefaultFirstBucketBytes};
        // Without the search for unused parameters all wait for the first iteration's order of gradients in one bucket.
        std::vector<std::size_t> limits{static_cast<std::size_t>(std::numeric_limits<int64_t>::max())};
        if (finds_unused()) {
            limits = {static_cast<std::size_t>(arguments.first_bucket_bytes_cap),
                      static_cast<std::size_t>(arguments.bucket_bytes_cap)};
        }
        arguments.buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(parameters_, limits, expect_sparse_));
        std::reverse(arguments.buckets.begin(), arguments.buckets.end());
        arguments.parameters = parameters_;
        arguments.group = group_->c10d();
        arguments.expect_sparse = expect_sparse_;
        arguments.find_unused_parameters = options_.find_unused_parameters;
        arguments.gradient_as_bucket_view = options_.gradient_as_bucket_view;
        for (std::size_t i = 0; i < names_.size(); ++i) {
            arguments.names.emplace(i, names_[i]);
        }
        reducer_ = detail::make_reducer(std::move(arguments));
        logger_ = std::make_shared<c10d::Logger>(reducer_);
        reducer_->set_logger(logger_);
        const c10::Device device = parameters_[0].device();
        const std::vector<int> devices = device.is_cpu() ? std::vector<int>{} : std::vector<int>{device.index()};
        logger_->set_construction_data_and_log(module_->name(), devices, devices.empty() ? -1 : devices[0],
                                               options_.broadcast_buffers, false, options_.static_graph);
        if (options_.static_graph) {
            reducer_->set_static_graph();
            logger_->set_static_graph();
        }
        delays_reduction_ = std::make_shared<bool>(options_.static_graph);
        if (options_.communication_hook) {
            hook_ = options_.communication_hook();
            reducer_->register_comm_hook(std::make_unique<HookAdapter>(hook_, *group_));
        }
    }

    /// Once, after the first iteration: in the order in which gradients came. Loaded buckets stay.
    void rebuild_buckets() {
        try {
            const bool is_rebuilt = reducer_->rebuild_buckets();
            are_final_ = are_final_ || is_rebuilt;
            if (is_rebuilt && loaded_buckets_ && logger_->get_per_bucket_variable_indices() != *loaded_buckets_) {
                reducer_->initialize_buckets(*loaded_buckets_);
            }
        } catch (const std::exception& error) {
            if (is_communication_error(error)) {
                throw group_->explain("the rebuilding of the buckets", error);
            }
            throw;
        }
    }

    std::shared_ptr<ProcessGroup> group_;
    std::shared_ptr<torch::nn::Module> module_;
    DistributedDataParallelOptions options_;
    /// False within no_sync.
    std::shared_ptr<const bool> synchronizes_;
    std::vector<at::Tensor> parameters_;
    std::vector<std::string> names_;
    std::vector<at::Tensor> buffers_;
    std::vector<bool> expect_sparse_;
    std::shared_ptr<CommunicationHook> hook_;
    unsigned hook_number_ = 0;
    std::shared_ptr<c10d::Reducer> reducer_;
    std::shared_ptr<c10d::Logger> logger_;
    std::optional<BucketIndices> loaded_buckets_;
    /// Whether the first iteration's order of gradients has decided the buckets.
    bool are_final_ = false;
    /// True until the first backward of a static graph.
    std::shared_ptr<bool> delays_reduction_;
    /// Whether buffers may have changed on some rank since they were last those of rank 0.
    bool may_differ_ = true;
};

AUDYN_INLINE std::shared_ptr<Replica> make_replica(std::shared_ptr<torch::nn::Module> module,
                                                   std::shared_ptr<ProcessGroup> group,
                                                   const DistributedDataParallelOptions& options,
                                                   std::shared_ptr<const bool> synchronizes) {
    return std::make_shared<ReducerReplica>(std::move(module), std::move(group), options, std::move(synchronizes));
}

} // namespace detail
} // namespace audyn::distributed
