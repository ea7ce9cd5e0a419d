#include "../trainer/fixture.hpp"

#include <audyn/core/error.hpp>
#include <audyn/distributed/communication_hooks.hpp>
#include <audyn/distributed/concepts.hpp>
#include <audyn/distributed/detail/reducer.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/sync_batch_norm.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace distributed = audyn::distributed;
using distributed::DistributedDataParallel;
using distributed::DistributedDataParallelOptions;

namespace {

/// The group of one rank, for a test case.
class Alone : public distributed::ProcessGroupScope {
public:
    Alone() : ProcessGroupScope(options()) {}

private:
    static distributed::ProcessGroupOptions options() {
        distributed::ProcessGroupOptions options;
        options.environment = distributed::Environment{};
        return options;
    }
};

struct Named {
    at::Tensor first;
    at::Tensor second;
    [[nodiscard]] auto tensors() const { return std::tie(first, second); }
};

template <class Output>
std::size_t count_tensors(const Output& output) {
    std::vector<at::Tensor> tensors;
    distributed::detail::collect_tensors(output, tensors);
    return tensors.size();
}

struct TwoOutputsImpl : torch::nn::Module {
    TwoOutputsImpl() {
        used = register_module("used", torch::nn::Linear(3, 2));
        unused = register_module("unused", torch::nn::Linear(3, 2));
    }
    std::map<std::string, at::Tensor> forward(const at::Tensor& input) {
        return {{"used", used(input)}, {"unused", unused(input)}};
    }
    torch::nn::Linear used{nullptr}, unused{nullptr};
};
TORCH_MODULE(TwoOutputs);

// Reducers of other versions of libtorch.
struct OldReducer {
    OldReducer(std::vector<at::Tensor>, std::vector<std::vector<std::size_t>>, c10::intrusive_ptr<c10d::ProcessGroup>,
               std::vector<bool>, int64_t cap, bool, bool, std::unordered_map<std::size_t, std::string>, int64_t first)
        : caps(cap, first) {}
    std::pair<int64_t, int64_t> caps;
};
struct MiddleReducer : OldReducer {
    MiddleReducer(std::vector<at::Tensor> parameters, std::vector<std::vector<std::size_t>> buckets,
                  c10::intrusive_ptr<c10d::ProcessGroup> group, std::vector<bool> sparse, int64_t cap, bool unused,
                  bool view, std::unordered_map<std::size_t, std::string> names, int64_t first, bool, bool)
        : OldReducer(parameters, buckets, group, sparse, cap, unused, view, names, first) {}
};

} // namespace

TEST_CASE("a Reducer is made by whichever constructor the libtorch has") {
    distributed::detail::ReducerArguments arguments{{}, {}, {}, {}, 7, 3, false, false, {}};
    CHECK(distributed::detail::make_reducer<OldReducer>(arguments)->caps == std::pair<int64_t, int64_t>(7, 3));
    CHECK(distributed::detail::make_reducer<MiddleReducer>(arguments)->caps == std::pair<int64_t, int64_t>(7, 3));
}

TEST_CASE("the tensors of an output are found wherever they are") {
    const at::Tensor tensor = at::ones({1});
    CHECK(count_tensors(tensor) == 1);
    CHECK(count_tensors(std::optional<at::Tensor>(tensor)) == 1);
    CHECK(count_tensors(std::optional<at::Tensor>()) == 0);
    CHECK(count_tensors(std::make_pair(tensor, 3)) == 1);
    CHECK(count_tensors(std::make_tuple(tensor, std::vector<at::Tensor>{tensor, tensor}, std::string("no"))) == 3);
    CHECK(count_tensors(std::array<at::Tensor, 2>{tensor, tensor}) == 2);
    CHECK(count_tensors(std::map<std::string, at::Tensor>{{"a", tensor}}) == 1);
    CHECK(count_tensors(Named{tensor, tensor}) == 2);
    CHECK(count_tensors(1.0) == 0);
    CHECK(count_tensors(std::vector<double>{1.0}) == 0);
}

TEST_CASE("one rank trains as a single process does") {
    const Alone alone;
    static_assert(distributed::check_dist_policy<DistributedDataParallel>());
    static_assert(std::is_same_v<decltype(std::declval<DistributedDataParallel&>().wrap(std::declval<TwoOutputs>())),
                                 std::shared_ptr<distributed::DistributedModel<TwoOutputs>>>);
    const auto train = [](auto&& forward, torch::nn::Module& module) {
        for (int i = 0; i < 3; ++i) {
            forward(fixture::features()).square().sum().backward();
            const at::NoGradGuard no_grad;
            for (at::Tensor& parameter : module.parameters()) {
                parameter.sub_(parameter.grad(), 1e-3);
            }
            module.zero_grad();
        }
    };
    fixture::Network bare = fixture::make_network();
    train([&](const at::Tensor& input) { return bare->forward(input); }, *bare);
    for (const bool view : {false, true}) {
        for (const bool is_static : {false, true}) {
            DistributedDataParallelOptions options;
            options.gradient_as_bucket_view = view;
            options.static_graph = is_static;
            DistributedDataParallel policy(options);
            fixture::Network network = fixture::make_network();
            const auto wrapped = policy.wrap(network);
            train([&](const at::Tensor& input) { return wrapped->forward(input); }, *network);
            CHECK(fixture::same_parameters(*bare, *network));
            CHECK(wrapped->module().ptr() == network.ptr());
        }
    }
}

TEST_CASE("the trainer takes the policy") {
    const Alone alone;
    const auto losses = [](auto policy) {
        using Policy = decltype(policy);
        fixture::Network network = fixture::make_network();
        audyn::Trainer<fixture::Network, audyn::optim::AdamW, audyn::amp::Disabled, Policy> trainer(
            network, fixture::make_optimizer(network), torch::nn::CrossEntropyLoss(),
            fixture::options().gradient_accumulation(2), audyn::SupervisedStep(), audyn::amp::Disabled(at::kCPU),
            std::move(policy));
        const auto callback = std::make_shared<fixture::Losses>();
        trainer.add_callback(callback);
        audyn::data::DataLoader loader(fixture::dataset(), audyn::data::DataLoaderOptions().batch_size(6));
        trainer.fit(loader);
        return callback->values;
    };
    const auto expected = losses(distributed::SingleProcess());
    CHECK(!expected.empty());
    CHECK(losses(DistributedDataParallel()) == expected);
}

TEST_CASE("outputs that the loss does not use leave their parameters without gradients") {
    const Alone alone;
    DistributedDataParallelOptions options;
    options.find_unused_parameters = true;
    DistributedDataParallel policy(options);
    TwoOutputs model;
    const auto wrapped = policy.wrap(model);
    for (int i = 0; i < 3; ++i) {
        const auto outputs = wrapped->forward(at::ones({1, 3}));
        outputs.at("used").sum().backward();
        CHECK(model->used->weight.grad().equal(at::ones({2, 3})));
        CHECK(!model->unused->weight.grad().defined());
        model->zero_grad();
    }
}

TEST_CASE("no_sync scopes nest") {
    const Alone alone;
    int reductions = 0;
    DistributedDataParallelOptions options;
    options.communication_hook =
        distributed::communication_hook([&reductions](distributed::ProcessGroup& group, c10d::GradBucket& bucket) {
            ++reductions;
            std::vector<at::Tensor> tensors{bucket.getBuffer()};
            return group.c10d()->allreduce(tensors)->getFuture();
        });
    DistributedDataParallel policy(options);
    const auto model = policy.wrap(fixture::make_network());
    const auto iterate = [&] { model->forward(fixture::features()).sum().backward(); };
    {
        const auto outer = policy.no_sync();
        {
            const auto inner = policy.no_sync();
            iterate();
        }
        iterate();
    }
    CHECK(reductions == 0);
    iterate();
    CHECK(reductions == 1);
}

TEST_CASE("what cannot be trained in parallel is refused") {
    CHECK_THROWS_WITH_AS(DistributedDataParallel(), doctest::Contains("needs a process group"), audyn::UsageError);
    const Alone alone;
    DistributedDataParallel policy;
    torch::nn::Linear frozen(2, 2);
    frozen->weight.requires_grad_(false);
    frozen->bias.requires_grad_(false);
    CHECK_THROWS_WITH_AS(static_cast<void>(policy.wrap(frozen)),
                         doctest::Contains("no parameter of the model requires a gradient"), audyn::UsageError);
    DistributedDataParallelOptions options;
    options.communication_hook = distributed::power_sgd({.matrix_approximation_rank = 1, .start_powerSGD_iter = 1});
    CHECK_THROWS_WITH_AS(static_cast<void>(DistributedDataParallel(options).wrap(torch::nn::Linear(2, 2))),
                         doctest::Contains("start_powerSGD_iter must be above 1"), audyn::UsageError);
}

TEST_CASE("saved buckets must be those of the model") {
    const Alone alone;
    DistributedDataParallel policy;
    const auto wrapped = policy.wrap(torch::nn::Linear(2, 2));
    const audyn::StateDict fresh = policy.state_dict();
    CHECK(fresh.at("models").as_list().at(0).as_dict().at("buckets").is_none());
    policy.load_state_dict(fresh);
    for (int i = 0; i < 2; ++i) {
        wrapped->forward(at::ones({1, 2})).sum().backward();
    }
    const audyn::StateDict trained = policy.state_dict();
    CHECK(trained.at("models").as_list().at(0).as_dict().at("buckets").as_list().size() == 1);

    DistributedDataParallel other;
    CHECK_THROWS_WITH_AS(other.load_state_dict(trained), doctest::Contains("1 wrapped models, and here are 0"),
                         audyn::StateError);
    const auto bigger = other.wrap(torch::nn::Sequential(torch::nn::Linear(2, 2), torch::nn::Linear(2, 2)));
    CHECK_THROWS_WITH_AS(other.load_state_dict(trained), doctest::Contains("hold 2 parameters, and the model has 4"),
                         audyn::StateError);
}

TEST_CASE("sparse gradients are expected of sparse embeddings") {
    const Alone alone;
    DistributedDataParallel policy;
    torch::nn::Embedding embedding(torch::nn::EmbeddingOptions(5, 2).sparse(true));
    const auto wrapped = policy.wrap(embedding);
    wrapped->forward(at::tensor({1, 3})).sum().backward();
    CHECK(embedding->weight.grad().is_sparse());
    CHECK(embedding->weight.grad().to_dense().sum().item<double>() == doctest::Approx(4.0));
}

TEST_CASE("a SyncBatchNorm alone is a batch norm") {
    const Alone alone;
    for (const auto& options : {torch::nn::BatchNormOptions(3), torch::nn::BatchNormOptions(3).affine(false),
                                torch::nn::BatchNormOptions(3).track_running_stats(false),
                                torch::nn::BatchNormOptions(3).momentum(std::nullopt).eps(0.1)}) {
        audyn::SyncBatchNorm norm(options);
        torch::nn::BatchNorm2d expected(options);
        for (int i = 0; i < 3; ++i) {
            const at::Tensor input = at::arange(24, at::kFloat).view({2, 3, 2, 2}).sin() * (i + 1);
            CHECK(norm(input).equal(expected(input)));
        }
        norm->eval();
        expected->eval();
        const at::Tensor input = at::ones({1, 3, 2, 2});
        CHECK(norm(input).equal(expected(input)));
        CHECK(norm->buffers().size() == expected->buffers().size());
        CHECK(norm->named_parameters().keys() == expected->named_parameters().keys());
    }
    CHECK_THROWS_WITH_AS(audyn::SyncBatchNorm(3)(at::ones({2, 4})), doctest::Contains("(N, 3, ...)"),
                         audyn::UsageError);
}

TEST_CASE("batch norms within containers are converted, and others are named") {
    const Alone alone;
    struct Block : torch::nn::Module {
        Block() { register_module("body", body); }
        at::Tensor forward(const at::Tensor& input) { return body->forward(input); }
        torch::nn::Sequential body{torch::nn::BatchNorm1d(torch::nn::BatchNormOptions(3).eps(0.5))};
    };
    torch::nn::Sequential model(torch::nn::Linear(2, 3), torch::nn::BatchNorm1d(3), std::make_shared<Block>());
    const at::Tensor input = at::arange(8, at::kFloat).view({4, 2}).sin();
    model->forward(input);
    model->eval();
    const at::Tensor expected = model->forward(input);
    const std::vector<at::Tensor> parameters = model->parameters();
    CHECK(distributed::convert_sync_batch_norm(*model) == 2);
    CHECK(model->forward(input).equal(expected));
    CHECK(dynamic_cast<audyn::SyncBatchNormImpl*>(model->named_children()["1"].get()) != nullptr);
    CHECK(!model->named_children()["1"]->is_training());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        CHECK(model->parameters()[i].unsafeGetTensorImpl() == parameters[i].unsafeGetTensorImpl());
    }
    // Forward goes through the new ones.
    model->train();
    model->forward(input);
    CHECK(model->named_buffers()["1.num_batches_tracked"].item<int64_t>() == 2);

    struct WithMember : torch::nn::Module {
        WithMember() { norm = register_module("norm", torch::nn::BatchNorm1d(2)); }
        torch::nn::BatchNorm1d norm{nullptr};
    };
    WithMember member;
    CHECK_THROWS_WITH_AS(distributed::convert_sync_batch_norm(member, "encoder"),
                         doctest::Contains("'encoder.norm' is a member of its class"), audyn::UsageError);
}
