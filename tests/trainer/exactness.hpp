#pragma once

// A run that was interrupted at an iteration and resumed is, bit for bit, the run that was not: the runs to compare,
// for one process and for the ranks of a job.

#include "../temporary_folder.hpp"
#include "exactness_variants.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/distributed/single_process.hpp>
#include <audyn/logging/csv.hpp>
#include <audyn/optim/multi_lr_schedulers.hpp>
#include <audyn/trainer/early_stopping.hpp>
#include <audyn/trainer/gan_trainer.hpp>
#include <audyn/trainer/random_state.hpp>

#include <torch/nn/modules/batchnorm.h>

#include <algorithm>
#include <bit>
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
