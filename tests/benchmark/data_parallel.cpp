// Two ranks of this machine over Gloo: the toolkit's DistributedDataParallel against a bare loop on c10d's Reducer, and
// against an all-reduce after backward. data_parallel [BLOCKS]: starts its ranks itself; rank 0 prints. With
// `data_parallel steps` it prints the seconds of its own steps, for data_parallel.py.

#include "paired.hpp"
#include "ranks.hpp"

#include <audyn/adapter/memory.hpp>
#include <audyn/distributed/communication_hooks.hpp>
#include <audyn/distributed/detail/reducer.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/process_group.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace distributed = audyn::distributed;

namespace {

struct MlpImpl : torch::nn::Module {
    explicit MlpImpl(const std::vector<int64_t>& widths) {
        for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
            layers.push_back(register_module("layer" + std::to_string(i), torch::nn::Linear(widths[i], widths[i + 1])));
        }
    }
    at::Tensor forward(at::Tensor input) {
        for (const torch::nn::Linear& layer : layers) {
            input = torch::nn::Linear(layer)(input).relu();
        }
        return input;
    }
    std::vector<torch::nn::Linear> layers;
};
TORCH_MODULE(Mlp);

struct Workload {
    const char* name;
    std::vector<int64_t> widths;
    int64_t batch;
    int iterations;
};

void update(const Mlp& model) {
    const at::NoGradGuard no_grad;
    for (at::Tensor& parameter : model->parameters()) {
        parameter.sub_(parameter.grad(), 1e-4);
        parameter.mutable_grad().reset();
    }
}

class Toolkit {
public:
    explicit Toolkit(const Workload& workload) : model_(workload.widths), wrapped_(policy_.wrap(model_)) {}

    void iterate(const at::Tensor& input) {
        wrapped_->forward(input).square().mean().backward();
        update(model_);
    }

private:
    distributed::DistributedDataParallel policy_;
    Mlp model_;
    std::shared_ptr<distributed::DistributedModel<Mlp>> wrapped_;
};

class BareReducer {
public:
    explicit BareReducer(const Workload& workload) : model_(workload.widths) {
        distributed::detail::ReducerArguments arguments;
        arguments.parameters = model_->parameters();
        arguments.expect_sparse.assign(arguments.parameters.size(), false);
        arguments.buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(
            arguments.parameters, {static_cast<std::size_t>(std::numeric_limits<int64_t>::max())}));
        arguments.group = distributed::process_group()->c10d();
        arguments.bucket_bytes_cap = c10d::kDefaultBucketBytesCap;
        arguments.first_bucket_bytes_cap = c10d::kDefaultFirstBucketBytes;
        arguments.find_unused_parameters = false;
        arguments.gradient_as_bucket_view = false;
        reducer_ = distributed::detail::make_reducer(std::move(arguments));
    }

    void iterate(const at::Tensor& input) {
        reducer_->prepare_for_forward();
        reducer_->rebuild_buckets();
        const at::Tensor output = model_->forward(input);
        reducer_->prepare_for_backward({});
        output.square().mean().backward();
        update(model_);
    }

private:
    Mlp model_;
    std::shared_ptr<c10d::Reducer> reducer_;
};

class AfterBackward {
public:
    explicit AfterBackward(const Workload& workload) : model_(workload.widths) {}

    void iterate(const at::Tensor& input) {
        model_->forward(input).square().mean().backward();
        for (at::Tensor& parameter : model_->parameters()) {
            distributed::all_reduce(parameter.mutable_grad(), distributed::ReduceOp::mean);
        }
        update(model_);
    }

private:
    Mlp model_;
};

template <class Other>
void compare(const char* name, const Workload& workload, int blocks) {
    Other other(workload);
    Toolkit toolkit(workload);
    const at::Tensor input = at::randn({workload.batch, workload.widths.front()});
    const auto repeat = [&](auto& side) {
        distributed::barrier();
        for (int i = 0; i < workload.iterations; ++i) {
            side.iterate(input);
        }
    };
    const auto paired = benchmark::measure(
        blocks, [&] { repeat(other); }, [&] { repeat(toolkit); });
    if (distributed::is_main_process()) {
        const auto ratio = paired.ratio();
        std::printf("%s, toolkit / %s: %.3f (%.3f to %.3f); %.2f ms\n", workload.name, name, ratio.median, ratio.low,
                    ratio.high, 1e3 * benchmark::median(paired.second) / workload.iterations);
    }
}

const Workload small{"MLP of 26 k parameters", {128, 128, 64, 10}, 64, 50};
const Workload medium{"MLP of 5 M parameters", {1024, 1024, 1024, 1024, 1024, 1024}, 32, 3};
const Workload deep{"8 layers of 1 M parameters", std::vector<int64_t>(9, 1000), 128, 2};

void print_steps(const Workload& workload) {
    Toolkit toolkit(workload);
    const at::Tensor input = at::randn({workload.batch, workload.widths.front()});
    std::vector<double> blocks;
    for (int block = 0; block < 21; ++block) {
        distributed::barrier();
        blocks.push_back(benchmark::seconds([&] {
            for (int i = 0; i < workload.iterations; ++i) {
                toolkit.iterate(input);
            }
        }));
    }
    blocks.erase(blocks.begin()); // it rebuilds the buckets
    if (distributed::is_main_process()) {
        std::printf("%s: %.9f\n", workload.name, benchmark::median(blocks) / workload.iterations);
    }
}

void measure(const std::string& argument) {
    at::set_num_threads(1);
    if (argument == "steps") {
        audyn::adapter::keep_freed_memory(); // as audyn::main does
        print_steps(small);
        print_steps(medium);
        return;
    }
    const int blocks = std::stoi(argument);
    compare<BareReducer>("bare Reducer", small, blocks);
    compare<BareReducer>("bare Reducer", medium, blocks);
    compare<AfterBackward>("all-reduce after backward", deep, blocks);
}

} // namespace

int main(int argc, char** argv) {
    if (!benchmark::is_rank()) {
        return benchmark::start_ranks(2, argv);
    }
    return benchmark::run_rank([&] { measure(argc > 1 ? argv[1] : "30"); });
}
