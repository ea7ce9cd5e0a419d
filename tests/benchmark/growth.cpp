// How a step grows with the number of ranks. Layers that sleep in place of computing train on 2, 4 and 8 ranks of this
// machine over Gloo. Of each number of ranks the cost of a message and of a byte is measured by single all-reduces; the
// ring formula with both predicts the steps. growth [BLOCKS]: starts its ranks itself; rank 0 prints.

#include "paired.hpp"
#include "ranks.hpp"

#include <audyn/distributed/communication_hooks.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/process_group.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace distributed = audyn::distributed;

namespace {

using Seconds = std::chrono::duration<double>;

constexpr int64_t layers = 8;
constexpr int64_t layer_size = int64_t{1} << 20; // float32: 4 MiB, a bucket each

/// Computes nothing, for a while.
struct Sleep : torch::autograd::Function<Sleep> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                              const at::Tensor& weight, double seconds) {
        context->save_for_backward({weight});
        context->saved_data["seconds"] = seconds;
        std::this_thread::sleep_for(Seconds(seconds / 2));
        return input.clone();
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& gradients) {
        std::this_thread::sleep_for(Seconds(context->saved_data["seconds"].toDouble()));
        return {gradients[0], at::empty_like(context->get_saved_variables()[0]), at::Tensor()};
    }
};

struct SleepingNetworkImpl : torch::nn::Module {
    explicit SleepingNetworkImpl(double seconds) : seconds_of_layer(seconds) {
        for (int64_t i = 0; i < layers; ++i) {
            weights.push_back(register_parameter("weight" + std::to_string(i), at::zeros({layer_size})));
        }
    }
    at::Tensor forward(at::Tensor value) {
        for (const at::Tensor& weight : weights) {
            value = Sleep::apply(value, weight, seconds_of_layer);
        }
        return value;
    }
    double seconds_of_layer;
    std::vector<at::Tensor> weights;
};
TORCH_MODULE(SleepingNetwork);

/// Of an all-reduce in a ring: each of 2 (N - 1) messages costs `message` seconds, and each byte of it `byte`.
struct RingCost {
    double message;
    double byte;

    [[nodiscard]] double all_reduce(double bytes, double ranks) const {
        return 2 * (ranks - 1) * (message + byte * bytes / ranks);
    }
};

/// Seconds of an all-reduce of so many bytes, among as many as the layers have, which are begun at once: as in a
/// backward, one waits for its messages while another is at work.
double measure_all_reduce(int64_t bytes, int repetitions) {
    std::vector<std::vector<at::Tensor>> tensors;
    for (int64_t i = 0; i < layers; ++i) {
        tensors.push_back({at::zeros({bytes / 4})});
    }
    std::vector<double> times;
    for (int i = 0; i <= repetitions; ++i) {
        distributed::barrier();
        const double seconds = benchmark::seconds([&] {
            std::vector<c10::intrusive_ptr<c10d::Work>> works;
            for (std::vector<at::Tensor>& tensor : tensors) {
                works.push_back(distributed::process_group()->c10d()->allreduce(tensor));
            }
            for (const auto& work : works) {
                work->wait();
            }
        });
        if (i > 0) { // the first one connects
            times.push_back(seconds / static_cast<double>(layers));
        }
    }
    return benchmark::median(std::move(times));
}

RingCost measure_cost(int repetitions) {
    const auto ranks = static_cast<double>(distributed::world_size());
    const double steps = 2 * (ranks - 1);
    constexpr int64_t small = 4096;
    constexpr int64_t large = layer_size * 4;
    const double of_small = measure_all_reduce(small, repetitions) / steps;
    const double of_large = measure_all_reduce(large, repetitions) / steps;
    const double byte = (of_large - of_small) / (static_cast<double>(large - small) / ranks);
    return {of_small - byte * static_cast<double>(small) / ranks, byte};
}

/// The step as it would be if the all-reduces of layers ran one after the other beside the computation.
double predict(const RingCost& cost, double forward, double backward) {
    const double all_reduce =
        cost.all_reduce(static_cast<double>(layer_size) * 4, static_cast<double>(distributed::world_size()));
    double ready = forward;
    double reduced = 0.0;
    for (int64_t i = 0; i < layers; ++i) {
        ready += backward / layers;
        reduced = std::max(ready, reduced) + all_reduce;
    }
    return reduced;
}

/// Seconds of forward and of backward; medians.
struct Step {
    double forward;
    double backward;
    [[nodiscard]] double whole() const { return forward + backward; }
};

template <class Model>
Step measure_steps(Model& model, const SleepingNetwork& network, int repetitions) {
    const at::Tensor input = at::ones({1}, at::TensorOptions().requires_grad(true));
    std::vector<double> forward;
    std::vector<double> backward;
    for (int i = 0; i < repetitions + 3; ++i) {
        for (const at::Tensor& weight : network->weights) {
            at::Tensor(weight).mutable_grad().reset();
        }
        distributed::barrier();
        at::Tensor output;
        const double forward_seconds = benchmark::seconds([&] { output = model.forward(input); });
        const double backward_seconds = benchmark::seconds([&] { output.sum().backward(); });
        if (i >= 3) { // the buckets are rebuilt after the first
            forward.push_back(forward_seconds);
            backward.push_back(backward_seconds);
        }
    }
    return {benchmark::median(std::move(forward)), benchmark::median(std::move(backward))};
}

distributed::DistributedDataParallelOptions options() {
    distributed::DistributedDataParallelOptions options;
    options.bucket_cap_mb = 4.0;
    options.gradient_as_bucket_view = true;
    return options;
}

/// What the reducer does on one rank: buckets are done as soon as they are full.
distributed::DistributedDataParallelOptions options_without_messages() {
    distributed::DistributedDataParallelOptions silent = options();
    silent.communication_hook =
        distributed::communication_hook([](distributed::ProcessGroup&, c10d::GradBucket& bucket) {
            auto future = c10::make_intrusive<c10::ivalue::Future>(c10::TensorType::get());
            future->markCompleted(bucket.getBuffer());
            return future;
        });
    return silent;
}

void compare(double seconds_of_layer, int blocks) {
    distributed::DistributedDataParallel policy(options());
    distributed::DistributedDataParallel silent_policy(options_without_messages());
    SleepingNetwork network(seconds_of_layer);
    SleepingNetwork silent_network(seconds_of_layer);
    const auto model = policy.wrap(network);
    const auto silent_model = silent_policy.wrap(silent_network);
    std::vector<double> ratios;
    Step step{};
    RingCost cost{};
    double predicted = 0.0;
    for (int block = 0; block < blocks; ++block) {
        cost = measure_cost(10);
        const Step alone = measure_steps(*silent_model, silent_network, 5);
        step = measure_steps(*model, network, 7);
        predicted = predict(cost, alone.forward, alone.backward);
        ratios.push_back(step.whole() / predicted);
    }
    if (distributed::is_main_process()) {
        const auto ratio = benchmark::estimate(ratios);
        std::printf("%ld ranks, %.0f ms a layer: %.1f us a message, %.2f GB/s, 4 MiB in %.2f ms; a step takes %.1f ms, "
                    "%.3f (%.3f to %.3f) of the formula's\n",
                    static_cast<long>(distributed::world_size()), 1e3 * seconds_of_layer, 1e6 * cost.message,
                    1e-9 / cost.byte,
                    1e3 * cost.all_reduce(layer_size * 4.0, static_cast<double>(distributed::world_size())),
                    1e3 * step.whole(), ratio.median, ratio.low, ratio.high);
    }
}

void measure(int blocks) {
    at::set_num_threads(1);
    for (const double milliseconds : {2.0, 8.0, 32.0}) {
        compare(milliseconds * 1e-3, blocks);
    }
}

/// What the formula says of other networks: how long 100 MB of gradients take, and how many parameters hide behind a
/// backward of 100 ms.
void print_table(double message) {
    for (const double ranks : {8.0, 64.0, 1024.0}) {
        for (const double gigabits : {10.0, 100.0}) {
            const RingCost cost{message, 8e-9 / gigabits};
            constexpr double backward = 0.1;
            const double hidden = (backward / (2 * (ranks - 1)) - message) * ranks / cost.byte / 4;
            std::printf("%4.0f ranks, %3.0f Gbit/s, %.0f us a message: 100 MB in %.0f ms; behind 100 ms hide %.0f M "
                        "parameters\n",
                        ranks, gigabits, 1e6 * message, 1e3 * cost.all_reduce(1e8, ranks),
                        1e-6 * std::max(hidden, 0.0));
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    if (benchmark::is_rank()) {
        return benchmark::run_rank([&] { measure(argc > 1 ? std::stoi(argv[1]) : 5); });
    }
    for (const int world_size : {2, 4, 8}) {
        if (const int code = benchmark::start_ranks(world_size, argv); code != EXIT_SUCCESS) {
            return code;
        }
    }
    print_table(20e-6);
    return EXIT_SUCCESS;
}
