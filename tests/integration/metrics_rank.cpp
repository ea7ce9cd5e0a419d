// One rank of a validation with metrics, whose share of the samples its number decides; metrics.py starts several.
#include "rank_main.hpp"

#include <audyn/data/data_loader.hpp>
#include <audyn/data/tensor_dataset.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/ranks.hpp>
#include <audyn/metrics/classification.hpp>
#include <audyn/metrics/mean_metric.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/trainer/trainer.hpp>
#include <audyn/trainer/validation_metrics.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/loss.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace distributed = audyn::distributed;

namespace {

constexpr int64_t samples = 37;

std::vector<audyn::MappedMetric> all_metrics() {
    using namespace audyn::metrics;
    const std::vector<std::pair<std::string, std::string>> preds{{"preds", "output"}};
    const std::vector<std::pair<std::string, std::string>> target{{"target", "label"}};
    const auto options = ClassificationOptions().num_classes(5);
    return {
        {"accuracy", std::make_shared<Accuracy>(options), preds, target},
        {"top2", std::make_shared<Accuracy>(ClassificationOptions(options).top_k(2)), preds, target},
        {"f1", std::make_shared<F1Score>(ClassificationOptions(options).average(Average::macro)), preds, target},
        {"recall", std::make_shared<Accuracy>(ClassificationOptions(options).average(Average::none)), preds, target},
        {"matrix", std::make_shared<ConfusionMatrix>(options), preds, target},
        {"mean", std::make_shared<MeanMetric>(), {{"value", "output"}}, {}}};
}

/// SHARE...: the number of samples of each rank.
void validate(const Arguments& shares) {
    int64_t begin = 0;
    for (int64_t rank = 0; rank < distributed::rank(); ++rank) {
        begin += std::stoll(shares.at(static_cast<std::size_t>(rank)));
    }
    const int64_t count = std::stoll(shares.at(static_cast<std::size_t>(distributed::rank())));
    const at::Tensor features = at::arange(samples * 4, at::kDouble).mul(0.37).sin().to(at::kFloat).view({samples, 4});
    const at::Tensor labels = at::arange(samples).mul(7).remainder(5);
    audyn::DataLoader loader(
        std::make_shared<audyn::data::TensorDataset>(std::vector<std::pair<std::string, at::Tensor>>{
            {"input", features.narrow(0, begin, count)}, {"label", labels.narrow(0, begin, count)}}),
        audyn::DataLoaderOptions().batch_size(4));

    at::manual_seed(1);
    torch::nn::Linear model(4, 5);
    audyn::optim::AdamW optimizer(model->named_parameters());
    audyn::Trainer<torch::nn::Linear, audyn::optim::AdamW, audyn::amp::Disabled, distributed::DistributedDataParallel>
        trainer(model, std::move(optimizer), torch::nn::CrossEntropyLoss(),
                audyn::TrainerOptions().max_epochs(1).progress_bar(false));
    trainer.add_callback(std::make_shared<audyn::ValidationMetrics>(all_metrics()));
    for (int pass = 0; pass < 2; ++pass) {
        for (const auto& metric : trainer.validate(loader)) {
            std::printf("%s %a\n", metric.name.c_str(), metric.value);
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    return run_rank(argc, argv, {{"validate", validate}});
}
