// The trainer's own cost: a bare hand-written loop and Trainer on the same model, data and optimizer, in alternating
// blocks. Standard output is the trainer's; the result goes to the error stream.

#include "paired.hpp"

#include <audyn/adapter/memory.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/tensor_dataset.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/trainer/trainer.hpp>

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/loss.h>
#include <torch/nn/pimpl.h>

#include <cstdio>
#include <malloc.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

struct MlpImpl : torch::nn::Module {
    explicit MlpImpl(const std::vector<int64_t>& widths) {
        for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
            layers.push_back(register_module("layer" + std::to_string(i), torch::nn::Linear(widths[i], widths[i + 1])));
        }
    }
    at::Tensor forward(at::Tensor input) {
        for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
            input = layers[i](input).relu();
        }
        return layers.back()(input);
    }
    static constexpr auto forward_arguments = audyn::names("input");
    std::vector<torch::nn::Linear> layers;
};
TORCH_MODULE(Mlp);

struct Workload {
    const char* name;
    std::vector<int64_t> widths;
    int64_t batch_size;
    int64_t batches;
};

/// What a careful programmer writes by hand.
class BareLoop {
public:
    BareLoop(const Workload& workload, const at::Tensor& inputs, const at::Tensor& targets)
        : batch_size_(workload.batch_size),
          inputs_(inputs),
          targets_(targets),
          model_(workload.widths),
          params_(model_->parameters()) {
        for (const at::Tensor& param : params_) {
            exp_avgs_.push_back(at::zeros_like(param));
            exp_avg_sqs_.push_back(at::zeros_like(param));
            steps_.push_back(at::zeros({}, at::kFloat));
        }
    }

    void epoch() {
        const at::Tensor order = at::randperm(inputs_.size(0), at::kLong);
        for (int64_t start = 0; start < inputs_.size(0); start += batch_size_) {
            const at::Tensor indices = order.slice(0, start, start + batch_size_);
            step(inputs_.index_select(0, indices), targets_.index_select(0, indices));
        }
    }

private:
    void step(const at::Tensor& input, const at::Tensor& target) {
        for (const at::Tensor& param : params_) {
            param.mutable_grad().reset();
        }
        at::cross_entropy_loss(model_->forward(input), target).backward();
        c10::NoGradGuard no_grad;
        grads_.clear();
        for (std::size_t i = 0; i < params_.size(); ++i) {
            grads_.push_back(params_[i].grad());
            steps_[i].add_(1);
        }
        at::_fused_adamw_(params_, grads_, exp_avgs_, exp_avg_sqs_, {}, steps_, 1e-3, 0.9, 0.999, 1e-2, 1e-8, false,
                          false);
    }

    int64_t batch_size_;
    at::Tensor inputs_;
    at::Tensor targets_;
    Mlp model_;
    std::vector<at::Tensor> params_;
    std::vector<at::Tensor> grads_;
    std::vector<at::Tensor> exp_avgs_;
    std::vector<at::Tensor> exp_avg_sqs_;
    std::vector<at::Tensor> steps_;
};

void compare(const Workload& workload, int blocks) {
    const int64_t samples = workload.batch_size * workload.batches;
    const at::Tensor inputs = at::randn({samples, workload.widths.front()});
    const at::Tensor targets = at::randint(workload.widths.back(), {samples}, at::kLong);
    BareLoop bare(workload, inputs, targets);

    using TensorPair = std::pair<std::string, at::Tensor>;
    auto dataset =
        std::make_shared<audyn::data::TensorDataset>(std::vector<TensorPair>{{"input", inputs}, {"target", targets}});
    audyn::DataLoader loader(dataset, audyn::DataLoaderOptions().batch_size(workload.batch_size).shuffle(true));
    Mlp model(workload.widths);
    const auto train_epoch = [&] {
        audyn::optim::AdamW optimizer(model->named_parameters(), audyn::optim::AdamWOptions().lr(1e-3));
        audyn::Trainer<Mlp, audyn::optim::AdamW> trainer(model, std::move(optimizer), torch::nn::CrossEntropyLoss(),
                                                         audyn::TrainerOptions().max_epochs(1));
        trainer.fit(loader);
    };
    const benchmark::Paired paired = benchmark::measure(
        blocks, [&] { bare.epoch(); }, train_epoch);
    const auto ratio = paired.ratio();
    const auto difference = paired.difference();
    const double per_step = 1e6 / static_cast<double>(workload.batches);
    std::fprintf(
        stderr,
        "%s: bare %.1f us a step; Trainer / bare %.4f [%.4f, %.4f]; Trainer - bare %.2f [%.2f, %.2f] us a step\n",
        workload.name, benchmark::median(paired.first) * per_step, ratio.median, ratio.low, ratio.high,
        difference.median * per_step, difference.low * per_step, difference.high * per_step);
}

} // namespace

int main(int argc, char** argv) {
    const int blocks = argc > 1 ? std::stoi(argv[1]) : 30;
    at::set_num_threads(1);
    // As audyn::main does, for both sides: page faults would drown what is measured.
    audyn::adapter::keep_freed_memory();
    compare({"W1", {32, 64, 64, 10}, 32, 1000}, blocks);
    compare({"W2", {256, 1024, 1024, 1024, 10}, 64, 30}, blocks);
}
