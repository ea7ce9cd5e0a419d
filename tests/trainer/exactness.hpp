#pragma once

// A run that was interrupted at an iteration and resumed is, bit for bit, the run that was not: the runs to compare,
// for one process and for the ranks of a job.

#include "../temporary_folder.hpp"
#include "fixture.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/distributed/single_process.hpp>
#include <audyn/logging/csv.hpp>
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
#include <audyn/trainer/early_stopping.hpp>
#include <audyn/trainer/gan_trainer.hpp>
#include <audyn/trainer/random_state.hpp>

#include <torch/nn/modules/batchnorm.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
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

struct Outcome {
    /// The last checkpoint.
    StateDict state;
    /// What the process itself has at the end: on ranks other than 0 no checkpoint tells of all.
    StateDict own;
    std::vector<std::string> rows;
    int reads = 0;
    bool is_interrupted = false;
    bool has_failed = false;
};

/// The table without the column of speeds.
inline std::vector<std::string> rows_of(const std::filesystem::path& path) {
    std::vector<std::string> rows;
    std::istringstream text(read_file(path));
    std::size_t speed = std::string::npos;
    for (std::string line; std::getline(text, line);) {
        std::vector<std::string> cells;
        std::istringstream stream(line);
        for (std::string cell; std::getline(stream, cell, ',');) {
            cells.push_back(cell);
        }
        if (rows.empty()) {
            speed = static_cast<std::size_t>(
                std::find(cells.begin(), cells.end(), "samples_per_second (iteration)/train") - cells.begin());
            if (speed == cells.size()) {
                throw std::logic_error("the table has no column of speeds");
            }
        }
        if (speed < cells.size()) {
            cells.erase(cells.begin() + static_cast<std::ptrdiff_t>(speed));
        }
        std::string row;
        for (const std::string& cell : cells) {
            row += cell + ",";
        }
        rows.push_back(row.substr(0, row.find_last_not_of(',') + 1));
    }
    return rows;
}

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

inline audyn::TrainerOptions trainer_options(const Variant& variant, const std::filesystem::path& folder, int64_t ranks,
                                             std::optional<int64_t> max_iterations) {
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    entries.best_epoch = (folder / "best.pth").string();
    entries.async = variant.async;
    entries.save_on_exception = ranks == 1;
    auto options = audyn::TrainerOptions()
                       .progress_bar(false)
                       .gradient_accumulation(variant.gan ? 1 : variant.accumulation)
                       .clip_grad_norm(1.0)
                       .lr_scheduler(variant.interval)
                       .log_every_n_iterations(1)
                       .save_checkpoint(entries);
    return max_iterations ? options.max_iterations(*max_iterations) : options.max_epochs(epochs);
}

/// What a process does with its trainer. `total`: the metric that ends it early.
template <class Trainer>
Outcome run_trainer(Trainer& trainer, const Variant& variant, const std::filesystem::path& folder, bool resumes,
                    Disturbance disturbance, const std::string& total) {
    const int64_t rank = trainer.rank();
    const int64_t ranks = trainer.world_size();
    if (rank == 0) {
        trainer.add_logger(std::make_shared<audyn::logging::CsvLogger>(folder / "metrics.csv"));
    }
    if (resumes && !trainer.resume_newest()) {
        throw std::logic_error("there is nothing to resume");
    }
    trainer.add_callback(std::make_shared<Observer>(disturbance));
    trainer.add_callback(std::make_shared<audyn::EarlyStopping>(
        audyn::EarlyStoppingOptions{.monitor = "validation/" + total, .patience = 2, .min_delta = 1e-4}));
    const int64_t samples = samples_of_rank * ranks - (ranks > 1 ? 1 : 0);
    auto dataset = std::make_shared<Augmented>(samples, disturbance);
    audyn::DataLoader loader(dataset, audyn::DataLoaderOptions()
                                          .batch_size(4)
                                          .shuffle(true)
                                          .seed(resumes ? 17 : 3) // the checkpoint's is taken
                                          .warn([](const std::string&) {})
                                          .num_workers(variant.workers)
                                          .shard({rank, ranks, audyn::data::UnevenShares::pad}));
    audyn::DataLoader validation(
        std::make_shared<Augmented>(samples),
        audyn::DataLoaderOptions().batch_size(23).shard({rank, ranks, audyn::data::UnevenShares::keep}));
    Outcome outcome;
    try {
        trainer.fit(loader, validation);
    } catch (const audyn::Interrupted& end) {
        outcome.is_interrupted = end.exit_code() == 143;
    } catch (const audyn::DataError&) {
        outcome.has_failed = true;
    }
    trainer.distribution().barrier(); // Rank 0 has written.
    outcome.reads = dataset->reads;
    outcome.state = audyn::checkpoint::load(folder / "last.pth");
    outcome.own = {{"model", audyn::checkpoint::module_state(trainer.module())},
                   {"random_state", audyn::trainer::random_state(trainer.options().device())}};
    outcome.rows = rows_of(folder / "metrics.csv");
    return outcome;
}

inline audyn::criterion::WeightedCriterion adversarial(const std::string& name, double label,
                                                       const std::string& output) {
    const auto cross_entropy = [label](const at::Tensor& score) {
        return at::binary_cross_entropy_with_logits(score, at::full_like(score, label));
    };
    return {name,
            audyn::criterion::make<decltype(cross_entropy), 1>(cross_entropy, audyn::names("input")),
            1.0,
            {{"input", output}}};
}

/// What is adversarial here makes of the features others like them.
template <class AmpPolicy, class Distribution>
Outcome train_gan(const Variant& variant, Distribution distribution, const audyn::TrainerOptions& options,
                  const std::filesystem::path& folder, bool resumes, Disturbance disturbance) {
    Network generator(4);
    Discriminator discriminator;
    audyn::GANOptions gan_options;
    gan_options.discriminator.steps = variant.accumulation;
    gan_options.key_mapping.fake.input = {{"sample", "fake"}};
    gan_options.key_mapping.real.input = {{"sample", "features"}};
    using Optimizer = audyn::optim::AnyOptimizer;
    audyn::GANTrainer<Network, Discriminator, Optimizer, audyn::optim::AdamW, AmpPolicy, Distribution> trainer(
        {generator, discriminator},
        {make_optimizer(generator, variant),
         audyn::optim::AdamW(discriminator->named_parameters(), audyn::optim::AdamWOptions().lr(1e-2))},
        {{adversarial("adversarial", 1.0, "fake_prob")},
         {adversarial("of_fake", 0.0, "fake_prob"), adversarial("of_real", 1.0, "real_prob")}},
        options, gan_options, {}, AmpPolicy(options.device()), distribution);
    trainer.set_lr_scheduler(make_scheduler(trainer.generator_optimizer(), Schedule::step), "generator");
    trainer.set_lr_scheduler(make_scheduler(trainer.discriminator_optimizer(), variant.schedule), "discriminator");
    Outcome outcome = run_trainer(trainer, variant, folder, resumes, disturbance, "total generator");
    outcome.own.set("optimizer", StateDict{{"generator", trainer.generator_optimizer().state_dict()},
                                           {"discriminator", trainer.discriminator_optimizer().state_dict()}});
    return outcome;
}

/// Trains in `folder`, from the newest checkpoint there if `resumes`, until the disturbance. `make_distribution` makes
/// the DistPolicy of this training.
template <class AmpPolicy, class MakeDistribution>
Outcome train_with(const Variant& variant, const MakeDistribution& make_distribution,
                   const std::filesystem::path& folder, bool resumes, Disturbance disturbance = {},
                   std::optional<int64_t> max_iterations = {}) {
    auto distribution = make_distribution();
    const int64_t rank = distribution.rank();
    // What a new process would find: another state of the generator, and a network that was made otherwise.
    at::manual_seed((resumes ? 99 : 1) + 1000 * static_cast<uint64_t>(rank));
    const audyn::TrainerOptions options = trainer_options(variant, folder, distribution.world_size(), max_iterations);
    if (variant.gan) {
        return train_gan<AmpPolicy>(variant, distribution, options, folder, resumes, disturbance);
    }
    Network network;
    audyn::Trainer<Network, audyn::optim::AnyOptimizer, AmpPolicy, decltype(distribution)> trainer(
        network, make_optimizer(network, variant), torch::nn::CrossEntropyLoss(), options, {},
        AmpPolicy(options.device()), distribution);
    if (variant.interval != audyn::SchedulerInterval::never) {
        trainer.set_lr_scheduler(variant.schedule == Schedule::multi
                                     ? make_schedulers(trainer.optimizer())
                                     : make_scheduler(trainer.optimizer(), variant.schedule));
    }
    Outcome outcome = run_trainer(trainer, variant, folder, resumes, disturbance, "total");
    outcome.own.set("optimizer", trainer.optimizer().state_dict());
    return outcome;
}

template <class MakeDistribution, class... Arguments>
Outcome train(const Variant& variant, const MakeDistribution& make_distribution, const Arguments&... arguments) {
    switch (variant.precision) {
    case Precision::float16:
        return train_with<audyn::amp::Float16>(variant, make_distribution, arguments...);
    case Precision::bfloat16:
        return train_with<audyn::amp::BFloat16>(variant, make_distribution, arguments...);
    case Precision::float32:
        break;
    }
    return train_with<audyn::amp::Disabled>(variant, make_distribution, arguments...);
}

inline std::string difference(const audyn::state::Value& one, const audyn::state::Value& other,
                              const std::string& path);

inline std::string difference(const std::vector<audyn::state::Value>& one,
                              const std::vector<audyn::state::Value>& other, const std::string& path) {
    std::string found = one.size() == other.size() ? "" : path;
    for (std::size_t i = 0; found.empty() && i < one.size(); ++i) {
        found = difference(one[i], other[i], path + "[" + std::to_string(i) + "]");
    }
    return found;
}

/// Where two states differ first, or nothing. Paths differ by their folder, and so are left out.
inline std::string difference(const StateDict& one, const StateDict& other, const std::string& path = "") {
    for (const auto& [key, value] : one) {
        const audyn::state::Value* match = other.find(key);
        const std::string place = path + "." + key.to_string();
        if (place == ".audyn.best_checkpoint" || place == ".audyn.files" || place == ".audyn.loggers[0].csv") {
            continue;
        }
        if (match == nullptr) {
            return place;
        }
        if (const std::string found = difference(value, *match, place); !found.empty()) {
            return found;
        }
    }
    return one.size() == other.size() ? "" : path + " (number of keys)";
}

inline bool is_same_scalar(const audyn::state::Value& one, const audyn::state::Value& other) {
    if (one.is<at::Tensor>()) {
        const at::Tensor& a = one.as_tensor();
        const at::Tensor& b = other.as_tensor();
        return a.dtype() == b.dtype() && at::equal(a, b);
    }
    if (one.is<double>()) {
        return std::bit_cast<uint64_t>(one.as_float()) == std::bit_cast<uint64_t>(other.as_float());
    }
    if (one.is<std::string>()) {
        return one.as_string() == other.as_string();
    }
    return one.is_none() || (one.is<bool>() ? one.as_bool() == other.as_bool() : one.as_int() == other.as_int());
}

inline std::string difference(const audyn::state::Value& one, const audyn::state::Value& other,
                              const std::string& path) {
    if (std::string(one.kind()) != other.kind()) {
        return path;
    }
    if (one.is<StateDict>()) {
        return difference(one.as_dict(), other.as_dict(), path);
    }
    if (one.is<audyn::state::List>() || one.is<audyn::state::Tuple>()) {
        return difference(one.as_list(), other.as_list(), path);
    }
    return is_same_scalar(one, other) ? "" : path;
}

/// How `resumed` differs from the run that was not interrupted; nothing when it does not.
inline std::string difference(const Outcome& whole, const Outcome& resumed) {
    std::string found = difference(whole.state, resumed.state);
    found += found.empty() ? difference(whole.own, resumed.own, "own") : "";
    return found.empty() && whole.rows != resumed.rows ? "the logged numbers" : found;
}

/// Interrupts and resumes at the first iteration, within an epoch, at the end of one, and at the last. Gives what is
/// wrong. `make_folder`: of all ranks together, a folder that they share.
template <class MakeDistribution, class MakeFolder>
std::vector<std::string> inexact(const Variant& variant, const MakeDistribution& make_distribution,
                                 const MakeFolder& make_folder) {
    std::vector<std::string> wrong;
    const auto require = [&](bool holds, const std::string& what) {
        if (!holds) {
            wrong.push_back(std::string(variant.name) + ": " + what);
        }
    };
    const auto undisturbed = make_folder();
    const Outcome whole = train(variant, make_distribution, undisturbed.path(), false);
    const int64_t per_epoch = (6 + variant.accumulation - 1) / variant.accumulation;
    require(whole.rows.size() == static_cast<std::size_t>(1 + epochs * (per_epoch + 2)), "rows");
    require(whole.reads == epochs * samples_of_rank, "reads");
    for (const int64_t stop : {int64_t{1}, per_epoch + per_epoch / 2, per_epoch, epochs * per_epoch}) {
        const std::string at = " at iteration " + std::to_string(stop);
        const auto folder = make_folder();
        const Outcome begun = train(variant, make_distribution, folder.path(), false, Disturbance{Kind::signal, stop});
        require(begun.is_interrupted && begun.state.at("iteration_idx").as_int() == stop, "no interruption" + at);
        const Outcome resumed = train(variant, make_distribution, folder.path(), true);
        const std::string found = difference(whole, resumed);
        require(found.empty(), found + " differs when resumed" + at);
        // Skipping reads nothing: each sample of the whole run was read once for training.
        const int64_t begun_in_epoch = stop % per_epoch * variant.accumulation * 4;
        require(resumed.reads == epochs * samples_of_rank - stop / per_epoch * samples_of_rank - begun_in_epoch,
                "reads when resumed" + at);
    }
    return wrong;
}

} // namespace exactness
