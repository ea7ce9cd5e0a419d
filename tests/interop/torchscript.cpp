#include "commands.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/tensor_dataset.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/torchscript.hpp>
#include <audyn/trainer/trainer.hpp>

#include <torch/nn/modules/loss.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

/// SCRIPT DATA CHECKPOINT TRAINED: trains a script on the batches of torchscript.py, and saves a checkpoint and a
/// script.
int torchscript_train(const Arguments& arguments) {
    using namespace audyn;
    Targets targets;
    add_torchscript_targets(targets);
    auto model = targets.build<TorchScript>(
        config::config_from_yaml("{_target_: audyn.TorchScript, path: '" + arguments.at(0) + "'}", "model.yaml"));
    const StateDict data = checkpoint::load(arguments.at(1));
    auto dataset = std::make_shared<data::TensorDataset>(std::vector<std::pair<std::string, at::Tensor>>{
        {"waveform", data.at("input").as_tensor()}, {"target", data.at("target").as_tensor()}});
    DataLoader loader(dataset, DataLoaderOptions().batch_size(data.at("batch_size").as_int()));
    optim::SGD optimizer(model->named_parameters(), optim::SGDOptions().lr(0.1).momentum(0.9));
    Trainer<TorchScript, optim::SGD> trainer(model, std::move(optimizer), torch::nn::MSELoss(),
                                             TrainerOptions()
                                                 .max_epochs(data.at("epochs").as_int())
                                                 .key_mapping({{{"x", "waveform"}}, OutputNames{"estimate", "hidden"}})
                                                 .progress_bar(false));
    trainer.fit(loader);
    trainer.save_checkpoint(arguments.at(2));
    model->eval();
    model->script().save(arguments.at(3));
    return 0;
}
