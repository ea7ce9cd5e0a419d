#pragma once

// The small GAN of tests/oracle/gan.py: models, data and criteria.

#include <audyn/criterion/criteria.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/tensor_dataset.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/decay.hpp>
#include <audyn/trainer/gan_trainer.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gan {

inline at::Tensor wave(at::IntArrayRef shape, double phase, double scale) {
    const at::Tensor index = at::arange(c10::multiply_integers(shape), at::kDouble);
    return ((index * 0.37 + phase).sin() * scale).to(at::kFloat).view(shape);
}

inline void set_parameters(torch::nn::Module& module, double phase) {
    const at::NoGradGuard no_grad;
    for (at::Tensor& parameter : module.parameters()) {
        parameter.copy_(wave(parameter.sizes(), phase++, 0.4));
    }
}

struct GeneratorImpl : torch::nn::Module {
    GeneratorImpl()
        : first(register_module("first", torch::nn::Linear(4, 16))),
          second(register_module("second", torch::nn::Linear(16, 8))) {
        set_parameters(*this, 0.0);
    }
    at::Tensor forward(const at::Tensor& noise) {
        ++calls;
        return second(first(noise).tanh());
    }
    static constexpr auto forward_arguments = audyn::names("noise");
    torch::nn::Linear first, second;
    int calls = 0;
};
TORCH_MODULE(Generator);

struct DiscriminatorImpl : torch::nn::Module {
    DiscriminatorImpl()
        : first(register_module("first", torch::nn::Linear(8, 16))),
          second(register_module("second", torch::nn::Linear(16, 1))) {
        set_parameters(*this, 7.0);
    }
    std::pair<at::Tensor, at::Tensor> forward(const at::Tensor& sample) {
        ++calls;
        const at::Tensor hidden = at::leaky_relu(first(sample), 0.2);
        return {second(hidden), hidden};
    }
    static constexpr auto forward_arguments = audyn::names("sample");
    torch::nn::Linear first, second;
    int calls = 0;
};
TORCH_MODULE(Discriminator);

/// Binary cross entropy of scores to one label for all.
struct Labelled {
    double label;
    at::Tensor operator()(const at::Tensor& score) const {
        return at::binary_cross_entropy_with_logits(score, at::full_like(score, label));
    }
};

inline audyn::criterion::WeightedCriterion labelled(const std::string& name, double label, const std::string& output) {
    return {name, audyn::criterion::make<Labelled, 1>({label}, audyn::names("input")), 1.0, {{"input", output}}};
}

/// Criteria of both sides; `features`: with feature matching.
inline audyn::GAN<audyn::criterion::Criteria> criteria(bool features = false) {
    const auto l1 = [](const at::Tensor& input, const at::Tensor& target) { return at::l1_loss(input, target); };
    audyn::criterion::Criteria generator{
        labelled("adversarial", 1.0, "fake_score"),
        {"reconstruction", audyn::criterion::make(l1), 0.5, {{"input", "fake"}}, {{"target", "sample"}}}};
    if (features) {
        generator.add(
            {"features", audyn::criterion::make(l1), 2.0, {{"input", "fake_hidden"}, {"target", "real_hidden"}}});
    }
    return {generator, {labelled("of_fake", 0.0, "fake_score"), labelled("of_real", 1.0, "real_score")}};
}

inline audyn::GANOptions options() {
    audyn::GANOptions options;
    options.key_mapping.fake = {{{"sample", "fake"}}, audyn::OutputNames{"fake_score", "fake_hidden"}};
    options.key_mapping.real.output = audyn::OutputNames{"real_score", "real_hidden"};
    options.discriminator.clip_gradient.emplace(
        audyn::optim::GradClipperOptions(audyn::optim::ClipMode::norm).max_norm(0.1));
    options.discriminator.lr_scheduler = audyn::SchedulerInterval::never;
    return options;
}

constexpr int64_t iterations = 50;

/// This rank's batches of 8; `rank` and `world_size` as in Python's DistributedSampler.
inline audyn::DataLoader loader(int64_t rank = 0, int64_t world_size = 1) {
    using Entry = std::pair<std::string, at::Tensor>;
    auto dataset = std::make_shared<audyn::data::TensorDataset>(
        std::vector<Entry>{{"noise", wave({64, 4}, 0.5, 1.0)}, {"sample", wave({64, 8}, 2.5, 1.5)}});
    return audyn::DataLoader(
        dataset, audyn::DataLoaderOptions().batch_size(8).shard({rank, world_size, audyn::data::UnevenShares::pad}));
}

template <class Model>
audyn::optim::Adam adam(const Model& model, double lr) {
    return audyn::optim::Adam(model->named_parameters(), audyn::optim::AdamOptions().lr(lr).betas({0.5, 0.999}));
}

template <class AmpPolicy = audyn::amp::Disabled, class DistPolicy = audyn::distributed::SingleProcess,
          class Step = audyn::GANStep>
using Trainer =
    audyn::GANTrainer<Generator, Discriminator, audyn::optim::Adam, audyn::optim::Adam, AmpPolicy, DistPolicy, Step>;

/// Losses of each iteration.
struct Losses {
    std::vector<double> generator;
    std::vector<double> discriminator;
};

class Recorder : public audyn::Callback {
public:
    [[nodiscard]] std::string name() const override { return "recorder"; }
    void on_iteration_end(audyn::TrainerBase& trainer) override {
        const std::vector<audyn::trainer::Metric> metrics = trainer.iteration_metrics();
        losses.generator.push_back(metrics.at(0).value);
        losses.discriminator.push_back(metrics.at(1).value);
    }
    Losses losses;
};

/// As train() of tests/oracle/gan.py.
template <class AmpPolicy = audyn::amp::Disabled, class DistPolicy = audyn::distributed::SingleProcess>
Losses train(const audyn::GANOptions& gan_options, bool features = false, DistPolicy distribution = {}) {
    const auto trainer_options = audyn::TrainerOptions().progress_bar(false).max_iterations(iterations);
    const Generator generator;
    const Discriminator discriminator;
    Trainer<AmpPolicy, DistPolicy> trainer(
        {generator, discriminator}, {adam(generator, 2e-3), adam(discriminator, 1e-3)}, criteria(features),
        trainer_options, gan_options, {}, AmpPolicy(trainer_options.device()), distribution);
    trainer.set_lr_scheduler(std::make_shared<audyn::optim::StepLR>(trainer.generator_optimizer(), 10, 0.5),
                             "generator");
    const auto recorder = std::make_shared<Recorder>();
    trainer.add_callback(recorder);
    audyn::DataLoader train_loader = loader(distribution.rank(), distribution.world_size());
    trainer.fit(train_loader);
    return recorder->losses;
}

} // namespace gan
