// One rank of a job; ranks.py starts several. one_rank COMMAND [ARGUMENT...]
#include "rank_main.hpp"

#include <audyn/data/data_loader.hpp>
#include <audyn/data/function_dataset.hpp>
#include <audyn/distributed/process_group.hpp>
#include <audyn/trainer/generator.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace distributed = audyn::distributed;

namespace {

void require(bool condition, const char* what) {
    if (!condition) {
        throw std::logic_error(what);
    }
}

void collectives(const Arguments&) {
    distributed::ProcessGroup& group = *distributed::process_group();
    const auto rank = static_cast<double>(group.rank());
    const auto size = static_cast<double>(group.world_size());
    for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf, at::kLong}) {
        at::Tensor tensor = at::full({3, 2}, rank + 1, type).t();
        group.all_reduce(tensor);
        require(tensor.equal(at::full({2, 3}, size * (size + 1) / 2, type)), "sum");
        tensor.fill_(rank);
        group.all_reduce(tensor, distributed::ReduceOp::max);
        require(tensor.equal(at::full({2, 3}, size - 1, type)), "max");
        tensor.fill_(rank);
        group.broadcast(tensor, group.world_size() - 1);
        require(tensor.equal(at::full({2, 3}, size - 1, type)), "broadcast");
    }
    at::Tensor mean = at::full({4}, rank);
    distributed::all_reduce(mean, distributed::ReduceOp::mean);
    require(mean.allclose(at::full({4}, (size - 1) / 2)), "mean");
    const auto gathered = distributed::all_gather(at::full({2}, rank));
    for (int64_t i = 0; i < group.world_size(); ++i) {
        require(gathered[static_cast<std::size_t>(i)].equal(at::full({2}, static_cast<double>(i))), "all_gather");
    }
    const std::string text = "from rank " + std::to_string(group.rank());
    require(group.broadcast_text(text, 1) == "from rank 1", "broadcast_text");
    int64_t value = group.is_main_process() ? 1 : 0;
    distributed::main_process_first([&] {
        at::Tensor seen = at::full({1}, value, at::kLong);
        if (!group.is_main_process()) {
            require(group.store().get_to_str("first") == "done", "main_process_first");
        }
        group.store().set("first", "done");
    });
    for (int i = 0; i < 100; ++i) {
        distributed::barrier();
    }
    std::cout << "collectives of " << group.world_size() << " ranks\n";
}

/// Rank `arguments[0]` does not come to a barrier.
void barrier(const Arguments& arguments) {
    if (distributed::rank() == std::stoll(arguments.at(0))) {
        std::this_thread::sleep_for(std::chrono::seconds(4));
        return;
    }
    distributed::barrier(std::chrono::seconds(1));
}

/// Rank `arguments[0]` throws while the others compute or wait in `arguments[1]`.
void exception(const Arguments& arguments) {
    at::Tensor tensor = at::ones({1});
    distributed::all_reduce(tensor);
    if (distributed::rank() == std::stoll(arguments.at(0))) {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        throw std::runtime_error("the data are bad");
    }
    if (arguments.at(1) == "computation") {
        std::this_thread::sleep_for(std::chrono::seconds(60));
    } else if (arguments.at(1) == "barrier") {
        distributed::barrier();
    } else {
        distributed::all_reduce(tensor);
    }
}

/// Under torchrun: rank 1 of the first attempt throws, the second attempt works.
void restart(const Arguments&) {
    const std::string count = std::getenv("TORCHELASTIC_RESTART_COUNT");
    std::cout << "agent store " << std::getenv("TORCHELASTIC_USE_AGENT_STORE") << std::endl;
    at::Tensor tensor = at::ones({1});
    distributed::all_reduce(tensor);
    distributed::process_group()->store().add("seen", 1);
    distributed::barrier();
    require(distributed::process_group()->store().add("seen", 0) == 2, "keys of an attempt before");
    if (count == "0") {
        if (distributed::rank() == 1) {
            std::cout << "attempt 0 fails" << std::endl;
            throw std::runtime_error("the data are bad");
        }
        std::this_thread::sleep_for(std::chrono::seconds(60));
    }
    std::cout << "attempt " << count << " works" << std::endl;
}

/// Rank 0, which holds the store, has done its work long before the others, of which `arguments[0]`, if there is one,
/// ends without a word.
void leaving(const Arguments& arguments) {
    distributed::barrier();
    if (distributed::is_main_process()) {
        return;
    }
    std::this_thread::sleep_for(std::chrono::seconds(3));
    if (!arguments.empty() && distributed::rank() == std::stoll(arguments[0])) {
        std::_Exit(3);
    }
    std::cout << "done" << std::endl;
}

/// All-reduces until it is ended.
void endless(const Arguments&) {
    std::cout << "ready" << std::endl;
    for (;;) {
        at::Tensor tensor = at::ones({1000});
        distributed::all_reduce(tensor);
    }
}

/// Writes outputs of `arguments[0]` samples, of which the first `arguments[1]` have names of their own, below
/// `arguments[2]`.
void inference(const Arguments& arguments) {
    using namespace audyn;
    const int64_t distinct = std::stoll(arguments.at(1));
    const auto dataset = std::make_shared<data::FunctionDataset>(
        std::stoll(arguments.at(0)), [distinct](int64_t index, data::Random&) -> Sample {
            return {{"value", at::full({2}, static_cast<double>(index))}, {"name", index % distinct}};
        });
    DataLoader loader(
        dataset, DataLoaderOptions().shard({distributed::rank(), distributed::world_size(), data::UnevenShares::keep}));
    Generator<torch::nn::Identity> generator(
        torch::nn::Identity(), GeneratorOptions()
                                   .folder(arguments.at(2))
                                   .identifiers({{"name", "name"}})
                                   .files({{"output", trainer::FileNamePattern("{name}.pth"), trainer::write_tensor}}));
    std::cout << generator.run(loader) << " samples\n";
}

} // namespace

int main(int argc, char** argv) {
    return run_rank(argc, argv,
                    {
                        {"collectives", collectives},
                        {"barrier", barrier},
                        {"exception", exception},
                        {"endless", endless},
                        {"inference", inference},
                        {"leaving", leaving},
                        {"restart", restart},
                    });
}
