// What a fused step costs: against libtorch's own AdamW, and above the bare kernel. Usage: optimizer [BLOCKS]
#include "paired.hpp"

#include <audyn/optim/adamw.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/optim/detail/fused_kernels.hpp>
#include <audyn/optim/exponential_moving_average.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/optim/adamw.h>

#include <cstdint>
#include <cstdio>
#include <string>
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

} // namespace

int main(int argc, char** argv) {
    const int blocks = argc > 1 ? std::stoi(argv[1]) : 31;
    at::set_num_threads(1);
    compare("6 parameters of 64", 6, 64, 2000, blocks);
    compare("200 parameters of 1,000", 200, 1000, 20, blocks);
    compare("20 parameters of 100,000", 20, 100000, 4, blocks);
}
