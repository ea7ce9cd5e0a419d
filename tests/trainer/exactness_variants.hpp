#pragma once

// What the exact runs are made of: networks, data, disturbances, and the variants of a training.

#include "fixture.hpp"

#include <audyn/core/error.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/averaged_model.hpp>
#include <audyn/optim/exponential_moving_average.hpp>
#include <audyn/optim/lbfgs.hpp>
#include <audyn/optim/multi_lr_schedulers.hpp>
#include <audyn/optim/multi_optimizers.hpp>
#include <audyn/optim/one_cycle.hpp>
#include <audyn/optim/plateau.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/trainer/random_state.hpp>

#include <torch/nn/modules/batchnorm.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace exactness {

using audyn::StateDict;

/// With dropout, and statistics that every forward changes.
struct NetworkImpl : torch::nn::Module {
    explicit NetworkImpl(int64_t outputs = 3)
        : first(register_module("first", torch::nn::Linear(4, 8))),
          norm(register_module("norm", torch::nn::BatchNorm1d(8))),
          dropout(register_module("dropout", torch::nn::Dropout(0.5))),
          second(register_module("second", torch::nn::Linear(8, outputs))) {}
    at::Tensor forward(at::Tensor features) { return second(dropout(norm(first(features)).tanh())); }
    static constexpr auto forward_arguments = audyn::names("features");
    torch::nn::Linear first;
    torch::nn::BatchNorm1d norm;
    torch::nn::Dropout dropout;
    torch::nn::Linear second;
};
TORCH_MODULE(Network);

/// With dropout, and a buffer that every forward changes and uses.
struct DiscriminatorImpl : torch::nn::Module {
    DiscriminatorImpl()
        : first(register_module("first", torch::nn::Linear(4, 8))),
          dropout(register_module("dropout", torch::nn::Dropout(0.5))),
          second(register_module("second", torch::nn::Linear(8, 1))),
          scale(register_buffer("scale", at::ones({}))) {}
    at::Tensor forward(const at::Tensor& sample) {
        if (is_training()) {
            const at::NoGradGuard no_grad;
            scale.mul_(0.9).add_(sample.detach().to(at::kFloat).abs().mean(), 0.1);
        }
        return second(dropout(first(sample / scale.clone()).tanh()));
    }
    static constexpr auto forward_arguments = audyn::names("sample");
    torch::nn::Linear first;
    torch::nn::Dropout dropout;
    torch::nn::Linear second;
    at::Tensor scale;
};
TORCH_MODULE(Discriminator);

/// What interrupts a run, and when: after so many iterations, reads, or validations. The last rank is disturbed.
struct Disturbance {
    enum class Kind { none, signal, signal_in_validation, unreadable, error_in_validation };
    Kind kind = Kind::none;
    int64_t at = -1;

    [[nodiscard]] bool is(Kind which, int64_t now) const { return kind == which && at == now; }
};
using Kind = Disturbance::Kind;

/// Augments what it reads, and counts it.
class Augmented : public audyn::Dataset {
public:
    explicit Augmented(int64_t size, Disturbance disturbance = {}) : size_(size), disturbance_(disturbance) {}
    [[nodiscard]] int64_t size() const override { return size_; }
    audyn::Sample get(int64_t index, audyn::data::Random& random) const override {
        if (disturbance_.is(Kind::unreadable, ++reads)) {
            throw audyn::DataError("a sample that cannot be read");
        }
        const auto noise = at::full({4}, random.uniform(-0.1, 0.1));
        const int64_t row = index % fixture::labels().numel();
        return {{"features", fixture::features()[row] + noise}, {"label", fixture::labels()[row]}};
    }
    mutable std::atomic<int> reads = 0;

private:
    int64_t size_;
    Disturbance disturbance_;
};

/// Has a state of its own, draws random numbers, and disturbs.
class Observer : public audyn::Callback {
public:
    explicit Observer(Disturbance disturbance) : disturbance_(disturbance) {}
    [[nodiscard]] std::string name() const override { return "observer"; }
    void on_epoch_start(audyn::TrainerBase&) override {
        seen_ += "(" + std::to_string(at::randint(100, {1}).item<int>());
    }
    void on_iteration_end(audyn::TrainerBase& trainer) override {
        std::ostringstream text;
        text << std::hexfloat << trainer.iteration_metrics().front().value << " " << trainer.learning_rate() << " "
             << trainer.metric("validation/total").value_or(0.0) << "\n";
        seen_ += text.str();
        if (trainer.rank() == trainer.world_size() - 1 && disturbance_.is(Kind::signal, trainer.iteration_idx())) {
            std::raise(SIGTERM);
        }
    }
    void on_validation_batch_end(audyn::TrainerBase& trainer, const audyn::Batch&, const audyn::Outputs&) override {
        if (disturbance_.is(Kind::signal_in_validation, trainer.epoch_idx())) {
            std::raise(SIGTERM);
        }
        if (disturbance_.is(Kind::error_in_validation, trainer.epoch_idx())) {
            throw audyn::DataError("an error in validation");
        }
    }
    void on_epoch_end(audyn::TrainerBase&) override { seen_ += ")"; }
    [[nodiscard]] StateDict state_dict() const override { return {{"seen", seen_}}; }
    void load_state_dict(const StateDict& state) override { seen_ = state.at("seen").as_string(); }

private:
    Disturbance disturbance_;
    std::string seen_;
};

enum class Precision { float32, bfloat16, float16 };
enum class Optimization { adamw, lbfgs, multi };
enum class Schedule { step, plateau, one_cycle, multi };
enum class Average { none, exponential, stochastic };

/// What differs between the runs of the matrix.
struct Variant {
    const char* name;
    Precision precision = Precision::float32;
    int64_t accumulation = 1;
    Optimization optimization = Optimization::adamw;
    bool two_groups = false;
    int workers = 0;
    audyn::SchedulerInterval interval = audyn::SchedulerInterval::never;
    Schedule schedule = Schedule::step;
    Average average = Average::none;
    audyn::AsyncSave async = audyn::AsyncSave::off;
    /// Trains a GAN. An accumulation is then the number of the discriminator's steps.
    bool gan = false;
};

inline const std::vector<Variant> variants{
    {.name = "plain"},
    {.name = "gradient accumulation", .accumulation = 4},
    {.name = "float16 with loss scaling", .precision = Precision::float16},
    {.name = "bfloat16", .precision = Precision::bfloat16},
    {.name = "scheduler by iteration", .interval = audyn::SchedulerInterval::iteration},
    {.name = "scheduler by epoch", .interval = audyn::SchedulerInterval::epoch},
    {.name = "two parameter groups", .two_groups = true, .interval = audyn::SchedulerInterval::epoch},
    {.name = "four workers", .workers = 4},
    {.name = "plateau", .interval = audyn::SchedulerInterval::epoch, .schedule = Schedule::plateau},
    {.name = "OneCycleLR", .interval = audyn::SchedulerInterval::iteration, .schedule = Schedule::one_cycle},
    {.name = "exponential moving average", .average = Average::exponential},
    {.name = "stochastic weight averaging", .precision = Precision::float16, .average = Average::stochastic},
    {.name = "LBFGS", .accumulation = 2, .optimization = Optimization::lbfgs},
    {.name = "multi",
     .precision = Precision::float16,
     .optimization = Optimization::multi,
     .interval = audyn::SchedulerInterval::iteration,
     .schedule = Schedule::multi},
    {.name = "gan",
     .precision = Precision::float16,
     .interval = audyn::SchedulerInterval::iteration,
     .average = Average::exponential,
     .gan = true},
    {.name = "gan with two discriminator steps",
     .accumulation = 2,
     .interval = audyn::SchedulerInterval::epoch,
     .schedule = Schedule::plateau,
     .gan = true},
    {.name = "all together, written in the background",
     .precision = Precision::float16,
     .accumulation = 2,
     .two_groups = true,
     .workers = 3,
     .interval = audyn::SchedulerInterval::iteration,
     .async = audyn::AsyncSave::wait},
};

// Each rank has 23 samples, on several ranks one of them twice, in batches of 4: 6 batches an epoch, the last of 3.
constexpr int64_t samples_of_rank = 23;
constexpr int64_t epochs = 3;

inline std::vector<audyn::optim::OptionsGroup<audyn::optim::AdamWOptions>> groups(Network& network, bool two) {
    using Group = audyn::optim::OptionsGroup<audyn::optim::AdamWOptions>;
    const auto options = audyn::optim::AdamWOptions().lr(1e-2);
    if (!two) {
        return {Group{{}, network->parameters(), options}};
    }
    auto head = network->second->parameters();
    std::vector<at::Tensor> body = network->first->parameters();
    for (const at::Tensor& parameter : network->norm->parameters()) {
        body.push_back(parameter);
    }
    return {Group{{}, body, options}, Group{{}, head, audyn::optim::AdamWOptions().lr(1e-3).weight_decay(0.5)}};
}

/// Two, each with an average of another kind.
inline audyn::optim::MultiOptimizers make_optimizers(Network& network) {
    const auto parts = groups(network, true);
    auto body = std::make_unique<audyn::optim::AdamW>(parts[0].params, parts[0].options);
    auto body_average = std::make_unique<audyn::optim::ExponentialMovingAverage>(
        body->groups(), audyn::optim::ExponentialMovingAverageOptions().smooth(0.9).warmup(true));
    auto head_average = std::make_unique<audyn::optim::AveragedModel>(
        *network->second, audyn::optim::AveragedModelOptions().swa_start(3).swa_freq(2));
    auto head = std::make_unique<audyn::optim::SGD>(parts[1].params, audyn::optim::SGDOptions().lr(0.05).momentum(0.9));
    std::vector<audyn::optim::NamedOptimizer> optimizers;
    optimizers.push_back({"body", audyn::optim::AnyOptimizer(std::move(body), std::move(body_average))});
    optimizers.push_back({"head", audyn::optim::AnyOptimizer(std::move(head), std::move(head_average))});
    return audyn::optim::MultiOptimizers(std::move(optimizers));
}

inline audyn::optim::AnyOptimizer make_optimizer(Network& network, const Variant& variant) {
    switch (variant.optimization) {
    case Optimization::lbfgs: {
        auto options = audyn::optim::LBFGSOptions().lr(0.1).max_iter(3).history_size(5);
        return audyn::optim::AnyOptimizer(std::make_unique<audyn::optim::LBFGS>(network->parameters(), options));
    }
    case Optimization::multi:
        return audyn::optim::AnyOptimizer(make_optimizers(network));
    case Optimization::adamw:
        break;
    }
    auto optimizer = std::make_unique<audyn::optim::AdamW>(groups(network, variant.two_groups));
    std::unique_ptr<audyn::optim::MovingAverage> average;
    if (variant.average == Average::exponential) {
        auto average_options = audyn::optim::ExponentialMovingAverageOptions().smooth(0.9).bias_correction(true);
        average = std::make_unique<audyn::optim::ExponentialMovingAverage>(optimizer->groups(), average_options);
    } else if (variant.average == Average::stochastic) {
        average = std::make_unique<audyn::optim::AveragedModel>(*network);
    }
    return audyn::optim::AnyOptimizer(std::move(optimizer), std::move(average));
}

/// Always without an improvement, so that the rate falls.
inline std::unique_ptr<audyn::optim::LRScheduler> make_plateau(audyn::optim::Optimizer& optimizer) {
    auto options = audyn::optim::ReduceLROnPlateauOptions().patience(0).threshold(0.9).factor(0.5);
    return std::make_unique<audyn::optim::ReduceLROnPlateau>(optimizer, options);
}

/// A warm-up by iteration before a plateau by epoch, and a decay by iteration.
inline std::shared_ptr<audyn::optim::LRScheduler> make_schedulers(audyn::optim::AnyOptimizer& optimizer) {
    using audyn::optim::Optimizer;
    const auto body = [](Optimizer& one) { return audyn::optim::linear_warmup(one, 4, 0.1, make_plateau); };
    const auto head = [](Optimizer& one) { return std::make_unique<audyn::optim::StepLR>(one, 2, 0.7); };
    const std::vector<audyn::optim::NamedScheduler> schedulers{{"body", body}, {"head", head}};
    return std::make_shared<audyn::optim::MultiLRSchedulers>(*optimizer.multi(), schedulers);
}

inline std::shared_ptr<audyn::optim::LRScheduler> make_scheduler(audyn::optim::Optimizer& optimizer,
                                                                 Schedule schedule) {
    switch (schedule) {
    case Schedule::plateau:
        return make_plateau(optimizer);
    case Schedule::one_cycle: {
        auto cycle_options = audyn::optim::OneCycleLROptions().max_lr(0.02).total_steps(epochs * 6);
        return std::make_shared<audyn::optim::OneCycleLR>(optimizer, cycle_options);
    }
    case Schedule::step:
    case Schedule::multi:
        break;
    }
    return std::make_shared<audyn::optim::StepLR>(optimizer, 2, 0.5);
}

} // namespace exactness
