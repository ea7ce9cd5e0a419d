#pragma once

#include <audyn/data/data_loader.hpp>
#include <audyn/data/tensor_dataset.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/trainer/trainer.hpp>

#include <ATen/ops/arange.h>
#include <ATen/ops/linspace.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/loss.h>
#include <torch/nn/pimpl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fixture {

/// The network of tests/oracle/trainer.py, with dropout for the tests of resuming.
struct NetworkImpl : torch::nn::Module {
    explicit NetworkImpl(double dropout_probability = 0.0)
        : first(register_module("0", torch::nn::Linear(4, 8))),
          dropout(register_module("1", torch::nn::Dropout(dropout_probability))),
          second(register_module("2", torch::nn::Linear(8, 3))) {}
    at::Tensor forward(at::Tensor features) { return second(dropout(first(features).tanh())); }
    static constexpr auto forward_arguments = audyn::names("features");
    torch::nn::Linear first;
    torch::nn::Dropout dropout;
    torch::nn::Linear second;
};
TORCH_MODULE(Network);

inline Network make_network(double dropout = 0.0) {
    at::manual_seed(1);
    return Network(dropout);
}

inline at::Tensor features() {
    return at::linspace(-1, 1, 48 * 4).reshape({48, 4}).sin();
}
inline at::Tensor labels() {
    return (at::arange(48) * 7).remainder(3);
}

inline std::shared_ptr<audyn::data::TensorDataset> dataset(at::Tensor inputs = features()) {
    using Entry = std::pair<std::string, at::Tensor>;
    return std::make_shared<audyn::data::TensorDataset>(
        std::vector<Entry>{{"features", std::move(inputs)}, {"label", labels()}});
}

inline audyn::optim::AdamW make_optimizer(Network& network) {
    return audyn::optim::AdamW(network->named_parameters(), audyn::optim::AdamWOptions().lr(1e-2));
}

/// Records the loss of every iteration.
class Losses : public audyn::Callback {
public:
    [[nodiscard]] std::string name() const override { return "losses"; }
    void on_iteration_end(audyn::TrainerBase& trainer) override {
        values.push_back(trainer.iteration_metrics().front().value);
    }
    std::vector<double> values;
};

template <class AmpPolicy = audyn::amp::Disabled, class Step = audyn::SupervisedStep>
using Trainer = audyn::Trainer<Network, audyn::optim::AdamW, AmpPolicy, audyn::distributed::SingleProcess, Step>;

inline audyn::TrainerOptions options() {
    return audyn::TrainerOptions().max_epochs(2).progress_bar(false);
}

inline bool same_parameters(const torch::nn::Module& one, const torch::nn::Module& other) {
    const auto first = one.parameters();
    const auto second = other.parameters();
    for (std::size_t i = 0; i < first.size(); ++i) {
        if (!at::equal(first[i], second[i])) {
            return false;
        }
    }
    return first.size() == second.size();
}

} // namespace fixture
