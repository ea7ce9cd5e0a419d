// Training on GPUs compiles and links: with a GPU one rank reduces over NCCL and trains by DistributedDataParallel;
// without one the reason is told.

#include <audyn/core/error.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/process_group.hpp>

#include <ATen/Context.h>
#include <ATen/ops/full.h>
#include <torch/nn/modules/linear.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

namespace distributed = audyn::distributed;

namespace {

void reduce_and_train() {
    at::Tensor tensor = at::full({3}, 2.0, at::kCUDA);
    distributed::all_reduce(tensor);
    if (!tensor.cpu().equal(at::full({3}, 2.0))) {
        throw audyn::Error("the sum over one rank is not its own");
    }
    distributed::DistributedDataParallel policy;
    torch::nn::Linear linear(3, 2);
    linear->to(at::kCUDA);
    const auto model = policy.wrap(linear);
    model->forward(tensor.unsqueeze(0)).sum().backward();
    if (!linear->weight.grad().cpu().equal(at::full({2, 3}, 2.0))) {
        throw audyn::Error("the gradient is not that of one rank");
    }
    std::cout << "reduced over NCCL\n";
}

} // namespace

int main() {
    distributed::ProcessGroupOptions options;
    options.environment = distributed::Environment{};
    options.backend = distributed::Backend::nccl;
    options.device = c10::DeviceType::CUDA;
    try {
        distributed::init_process_group(options);
        reduce_and_train();
        distributed::destroy_process_group();
        return 0;
    } catch (const audyn::DistributedError& error) {
        std::cout << error.what() << '\n';
        const bool tells = std::string(error.what()).find("no GPU") != std::string::npos;
        return tells && !at::hasCUDA() ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
