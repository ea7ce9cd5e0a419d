#include "commands.hpp"

#include <audyn/amp/policy.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/tensor_dataset.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/trainer/trainer.hpp>

#include <ATen/Parallel.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/loss.h>
#include <torch/nn/pimpl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using audyn::StateDict;
using audyn::state::List;

namespace {

/// The network of mixed_precision.py: one convolution over time as in the quickstart, pooling, one linear layer.
struct NetworkImpl : torch::nn::Module {
    NetworkImpl()
        : convolution(register_module("convolution", torch::nn::Conv1d(torch::nn::Conv1dOptions(8, 16, 5).padding(2)))),
          normalize(register_module("normalize", torch::nn::BatchNorm1d(16))),
          classify(register_module("classify", torch::nn::Linear(16, 5))) {}
    at::Tensor forward(const at::Tensor& features) {
        return classify(normalize(convolution(features)).relu().mean(-1));
    }
    static constexpr auto forward_arguments = audyn::names("features");
    torch::nn::Conv1d convolution;
    torch::nn::BatchNorm1d normalize;
    torch::nn::Linear classify;
};
TORCH_MODULE(Network);

/// Records the loss and, where losses are scaled, the scale after every iteration.
template <class AmpPolicy>
class Record : public audyn::Callback {
public:
    explicit Record(const AmpPolicy& amp) : amp_(amp) {}
    [[nodiscard]] std::string name() const override { return "record"; }
    void on_iteration_end(audyn::TrainerBase& trainer) override {
        losses.emplace_back(trainer.iteration_metrics().front().value);
        if constexpr (AmpPolicy::scales_loss) {
            scales.emplace_back(amp_.scaler().get_scale());
        }
    }
    List losses;
    List scales;

private:
    const AmpPolicy& amp_;
};

template <class AmpPolicy>
StateDict train(const StateDict& given, AmpPolicy amp) {
    Network network;
    audyn::checkpoint::load_module_state(*network, given.at("model").as_dict());
    using Entry = std::pair<std::string, at::Tensor>;
    audyn::DataLoader loader(
        std::make_shared<audyn::data::TensorDataset>(std::vector<Entry>{{"features", given.at("features").as_tensor()},
                                                                        {"label", given.at("labels").as_tensor()}}),
        audyn::DataLoaderOptions().batch_size(given.at("batch_size").as_int()));
    audyn::optim::AdamW optimizer(network->named_parameters(), audyn::optim::AdamWOptions().lr(1e-2));
    audyn::Trainer<Network, audyn::optim::AdamW, AmpPolicy> trainer(
        network, std::move(optimizer), torch::nn::CrossEntropyLoss(),
        audyn::TrainerOptions().max_iterations(given.at("iterations").as_int()).clip_grad_norm(1.0).progress_bar(false),
        audyn::SupervisedStep(), std::move(amp), audyn::distributed::SingleProcess());
    const auto record = std::make_shared<Record<AmpPolicy>>(trainer.amp());
    trainer.add_callback(record);
    trainer.fit(loader);
    return {{"losses", record->losses},
            {"scales", record->scales},
            {"scaler", trainer.amp().state_dict()},
            {"model", audyn::checkpoint::module_state(*network)}};
}

} // namespace

/// IN OUT: the whole trainer under the AMP policy that the input names.
int mixed_precision_run(const Arguments& arguments) {
    using namespace audyn::amp;
    at::set_num_threads(1);
    const StateDict given = audyn::checkpoint::load(arguments.at(0));
    const std::string dtype = given.at("dtype").as_string();
    const c10::Device cpu(c10::kCPU);
    const auto scaler = GradScalerOptions().init_scale(given.at("init_scale").as_float()).growth_interval(20);
    audyn::checkpoint::save(arguments.at(1), dtype == "float16"    ? train(given, Float16(cpu, scaler))
                                             : dtype == "bfloat16" ? train(given, BFloat16(cpu))
                                                                   : train(given, Disabled(cpu)));
    return 0;
}
