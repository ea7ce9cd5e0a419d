#include "commands.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/tensor_dataset.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/process_group.hpp>
#include <audyn/distributed/single_process.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/torchscript.hpp>
#include <audyn/trainer/trainer.hpp>

#include <torch/nn/modules/loss.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

template <class DistPolicy>
void train(const Arguments& arguments) {
    using namespace audyn;
    Targets targets;
    add_torchscript_targets(targets);
    auto model = targets.build<TorchScript>(
        config::config_from_yaml("{_target_: audyn.TorchScript, path: '" + arguments.at(0) + "'}", "model.yaml"));
    const DistPolicy distribution;
    const StateDict data = checkpoint::load(arguments.at(1));
    auto dataset = std::make_shared<data::TensorDataset>(std::vector<std::pair<std::string, at::Tensor>>{
        {"waveform", data.at("input").as_tensor()}, {"target", data.at("target").as_tensor()}});
    DataLoader loader(dataset, DataLoaderOptions()
                                   .batch_size(data.at("batch_size").as_int())
                                   .shard({distribution.rank(), distribution.world_size(), data::UnevenShares::drop}));
    optim::SGD optimizer(model->named_parameters(), optim::SGDOptions().lr(0.1).momentum(0.9));
    Trainer<TorchScript, optim::SGD, amp::Disabled, DistPolicy> trainer(
        model, std::move(optimizer), torch::nn::MSELoss(),
        TrainerOptions()
            .max_iterations(std::stoll(arguments.at(4)))
            .key_mapping({{{"x", "waveform"}}, OutputNames{"estimate", "hidden"}})
            .progress_bar(false));
    if (arguments.size() > 5) {
        trainer.resume(arguments.at(5));
    }
    trainer.fit(loader);
    trainer.save_checkpoint(arguments.at(2));
    if (distribution.rank() == 0) {
        model->eval();
        model->script().save(arguments.at(3));
    }
}

} // namespace

/// SCRIPT DATA CHECKPOINT TRAINED ITERATIONS [RESUMED]: trains a script on the batches of torchscript.py, as a rank
/// where WORLD_SIZE is set, and saves a checkpoint and a script.
int torchscript_train(const Arguments& arguments) {
    namespace distributed = audyn::distributed;
    if (std::getenv("WORLD_SIZE") == nullptr) {
        train<distributed::SingleProcess>(arguments);
        return 0;
    }
    const distributed::ProcessGroupScope group{distributed::ProcessGroupOptions()};
    train<distributed::DistributedDataParallel>(arguments);
    return 0;
}
