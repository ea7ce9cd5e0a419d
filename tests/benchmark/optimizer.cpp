// What a fused step costs: against libtorch's own optimizers, above the bare kernel, and against the memory traffic
// that no step can do without. Usage: optimizer [BLOCKS]; with `optimizer steps`, seconds of a step for optimizer.py.
#include "paired.hpp"

#include <audyn/optim/adagrad.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/optim/detail/fused_kernels.hpp>
#include <audyn/optim/exponential_moving_average.hpp>
#include <audyn/optim/rmsprop.hpp>
#include <audyn/optim/sgd.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

namespace {

std::vector<at::Tensor> make_parameters(int count, int64_t size) {
    std::vector<at::Tensor> parameters;
    for (int i = 0; i < count; ++i) {
        parameters.push_back(at::randn({size}).requires_grad_());
        parameters.back().mutable_grad() = at::randn({size});
    }
    return parameters;
}

/// The kernel by itself, with every list at hand.
struct BareKernel {
    explicit BareKernel(const std::vector<at::Tensor>& parameters) : params(parameters) {
        for (const at::Tensor& parameter : parameters) {
            grads.push_back(parameter.grad());
            exp_avgs.push_back(at::zeros_like(parameter));
            exp_avg_sqs.push_back(at::zeros_like(parameter));
            steps.push_back(at::ones({}));
        }
    }
    void step() const {
        const at::NoGradGuard no_grad;
        audyn::optim::detail::fused_adam(params, grads, exp_avgs, exp_avg_sqs, {}, steps,
                                         {1e-3, 0.9, 0.999, 1e-2, 1e-8, false, false, true}, {});
    }
    std::vector<at::Tensor> params, grads, exp_avgs, exp_avg_sqs, steps;
};

void print(const char* what, const benchmark::Estimate& estimate, double factor) {
    std::printf("%-52s %9.3f [%.3f, %.3f]\n", what, estimate.median * factor, estimate.low * factor,
                estimate.high * factor);
}

template <class Step>
auto repeat(int times, Step step) {
    return [=] {
        for (int i = 0; i < times; ++i) {
            step();
        }
    };
}

void compare(const char* name, int count, int64_t size, int times, int blocks) {
    audyn::optim::AdamW fused(make_parameters(count, size));
    torch::optim::AdamW plain(make_parameters(count, size));
    const BareKernel bare(make_parameters(count, size));
    std::printf("%s\n", name);
    const auto against_torch =
        benchmark::measure(blocks, repeat(times, [&] { fused.step(); }), repeat(times, [&] { plain.step(); }));
    print("  torch::optim::AdamW / audyn::optim::AdamW", against_torch.ratio(), 1.0);
    print("  audyn step, microseconds", benchmark::estimate(against_torch.first), 1e6 / times);
    const auto above =
        benchmark::measure(blocks, repeat(times, [&] { bare.step(); }), repeat(times, [&] { fused.step(); }));
    print("  audyn step - bare kernel, microseconds", above.difference(), 1e6 / times);
    // A limit that falls with each call, so that there is always something to scale.
    auto limit = audyn::optim::grad_norm(fused.parameters()).item<double>();
    const auto clip = benchmark::measure(blocks, repeat(times, [&] { fused.step(); }), repeat(times, [&] {
                                             limit *= 0.9999;
                                             (void)audyn::optim::clip_grad_norm_(fused.parameters(), limit);
                                         }));
    print("  clip_grad_norm_ / audyn step", clip.ratio(), 1.0);
    const auto adaptive =
        benchmark::measure(blocks, repeat(times, [&] { fused.step(); }),
                           repeat(times, [&] { (void)audyn::optim::clip_grad_adaptive_(fused.parameters()); }));
    print("  clip_grad_adaptive_ / audyn step", adaptive.ratio(), 1.0);
    audyn::optim::ExponentialMovingAverage average(fused.groups());
    const auto ema =
        benchmark::measure(blocks, repeat(times, [&] { fused.step(); }), repeat(times, [&] { average.update(); }));
    print("  ExponentialMovingAverage::update / audyn step", ema.ratio(), 1.0);
}

/// Moves as many bytes as a step must, by memcpy within as much memory: a step reads the gradient, and reads and writes
/// the parameter and `states` more tensors of its size.
class MemoryTraffic {
public:
    MemoryTraffic(int count, int64_t size, int states) : states_(states) {
        for (int i = 0; i < count; ++i) {
            parameters_.push_back(at::randn({states + 2, size}));
        }
    }
    void move() {
        for (const at::Tensor& parameter : parameters_) {
            float* const data = parameter.mutable_data_ptr<float>();
            const auto size = static_cast<std::size_t>(parameter.size(1));
            // A copy reads and writes: half as many as the tensors that are read or written.
            for (int copies = 2 * states_ + 3, from = 0; copies > 0; copies -= 2, ++from) {
                const std::size_t length = copies == 1 ? size / 2 : size;
                const int to = (from + 1) % (states_ + 2);
                std::memcpy(data + static_cast<std::size_t>(to) * size,
                            data + static_cast<std::size_t>(from % (states_ + 2)) * size, length * sizeof(float));
            }
        }
    }

private:
    int states_;
    std::vector<at::Tensor> parameters_;
};

constexpr std::array sizes{std::tuple(200, 1000, 20), std::tuple(20, 100000, 4)};

std::string size_name(int count, int64_t size) {
    return std::to_string(count) + " parameters of " + std::to_string(size);
}

/// A step of libtorch's own optimizer in steps of ours, and both in times of the memory traffic alone. `states`:
/// tensors of a parameter's size that are kept for it.
template <class Ours, class Theirs, class OurOptions, class TheirOptions>
void against_torch(const char* name, const OurOptions& our_options, const TheirOptions& their_options, int states,
                   int blocks) {
    std::printf("torch::optim::%s / audyn::optim::%s\n", name, name);
    for (const auto& [count, size, times] : sizes) {
        Ours ours(make_parameters(count, size), our_options);
        Theirs theirs(make_parameters(count, size), their_options);
        MemoryTraffic traffic(count, size, states);
        const auto step_theirs = repeat(times, [&] { theirs.step(); });
        const auto both = benchmark::measure(blocks, repeat(times, [&] { ours.step(); }), step_theirs);
        const auto move = repeat(times, [&] { traffic.move(); });
        const auto their_bound = benchmark::measure(blocks, move, step_theirs);
        const auto our_bound = benchmark::measure(blocks, move, repeat(times, [&] { ours.step(); }));
        print(("  " + size_name(count, size)).c_str(), both.ratio(), 1.0);
        print("    torch::optim / memory traffic alone", their_bound.ratio(), 1.0);
        print("    audyn::optim / memory traffic alone", our_bound.ratio(), 1.0);
    }
}

template <class Optimizer, class Options>
void print_steps(const char* name, const Options& options) {
    for (const auto& [count, size, times] : sizes) {
        Optimizer optimizer(make_parameters(count, size), options);
        const auto step = repeat(times, [&] { optimizer.step(); });
        step();
        std::vector<double> blocks;
        for (int block = 0; block < 101; ++block) {
            blocks.push_back(benchmark::seconds(step));
        }
        std::printf("%s, %s: %.9f\n", name, size_name(count, size).c_str(), benchmark::median(blocks) / times);
    }
}

} // namespace

int main(int argc, char** argv) {
    at::set_num_threads(1);
    if (argc > 1 && std::string(argv[1]) == "steps") {
        print_steps<audyn::optim::SGD>("SGD", audyn::optim::SGDOptions().momentum(0.9));
        print_steps<audyn::optim::Adam>("Adam", audyn::optim::AdamOptions());
        print_steps<audyn::optim::AdamW>("AdamW", audyn::optim::AdamWOptions());
        print_steps<audyn::optim::Adagrad>("Adagrad", audyn::optim::AdagradOptions());
        return 0;
    }
    const int blocks = argc > 1 ? std::stoi(argv[1]) : 31;
    compare("6 parameters of 64", 6, 64, 2000, blocks);
    compare("200 parameters of 1,000", 200, 1000, 20, blocks);
    compare("20 parameters of 100,000", 20, 100000, 4, blocks);
    namespace ours = audyn::optim;
    namespace theirs = torch::optim;
    against_torch<ours::SGD, theirs::SGD>("SGD", ours::SGDOptions(), theirs::SGDOptions(1e-3), 0, blocks);
    against_torch<ours::SGD, theirs::SGD>("SGD", ours::SGDOptions().momentum(0.9),
                                          theirs::SGDOptions(1e-3).momentum(0.9), 1, blocks);
    against_torch<ours::Adam, theirs::Adam>("Adam", ours::AdamOptions(), theirs::AdamOptions(), 2, blocks);
    against_torch<ours::Adagrad, theirs::Adagrad>("Adagrad", ours::AdagradOptions(), theirs::AdagradOptions(), 1,
                                                  blocks);
    against_torch<ours::RMSprop, theirs::RMSprop>("RMSprop", ours::RMSpropOptions(), theirs::RMSpropOptions(), 1,
                                                  blocks);
}
