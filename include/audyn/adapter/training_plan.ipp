#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/gan.hpp>
#include <audyn/adapter/metrics.hpp>
#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/multi_optimizers.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/adapter/training_plan.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/ranks.hpp>
#include <audyn/logging/csv.hpp>
#include <audyn/logging/tensorboard.hpp>

#include <ATen/ops/full.h>

#include <algorithm>
#include <cstdint>

namespace audyn::adapter {

inline constexpr const char* base_trainer = "audyn.utils.driver.BaseTrainer";

AUDYN_INLINE TrainingPlan::TrainingPlan(const Config& config,
                                        const std::function<void(const TrainingPlan&)>& check_model)
    : config_(config), targets_(require_targets(config)) {
    read(check_model);
}

AUDYN_INLINE TrainingPlan::TrainingPlan(const Config& config,
                                        const std::function<void(const TrainingPlan&)>& check_model,
                                        TrainedModel trained)
    : config_(config.root().to_value(), config.environment()),
      targets_(require_targets(config)),
      trained_(std::move(trained)) {
    config_.set("model", trained_->config().to_value());
    read(check_model);
}

AUDYN_INLINE void TrainingPlan::read(const std::function<void(const TrainingPlan&)>& check_model) {
    config::Mistakes mistakes;
    is_gan_ = adapter::is_gan(config_);
    if (trained_) {
        check_trained();
    }
    if (!has_own_trainer()) {
        mistakes.attempt([&] { check_model(*this); });
    }
    options_ = trainer_options(config_, *targets_, mistakes);
    if (is_gan_) {
        gan_options_ = adapter::gan_options(config_, *targets_, options_, mistakes);
    }
    if (!trained_) {
        mistakes.attempt([&] { train_loader_ = loader_nodes(config_["train"], "train"); });
    }
    mistakes.attempt([&] { validation_loaders_ = loader_nodes(config_["train"], "validation"); });
    check(mistakes);
    mistakes.throw_if_any();
}

/// The trainer is the configuration's, the model that of the checkpoint.
AUDYN_INLINE void TrainingPlan::check_trained() const {
    const Config model = config_["model"];
    const bool has_gan = !model.contains("_target_") && model.contains("generator") && model.contains("discriminator");
    if (has_gan != is_gan_) {
        throw config_["test"]
            .at("checkpoint")
            .error(has_gan
                       ? "holds a generator and a discriminator: choose train=gan, or another trainer of a GAN as "
                         "`train.trainer._target_`"
                       : "holds a single model, and `train.trainer._target_` trains a generator and a discriminator: "
                         "choose train=default");
    }
}

AUDYN_INLINE std::vector<std::string> TrainingPlan::sides() const {
    return is_gan_ ? std::vector<std::string>{"generator", "discriminator"} : std::vector<std::string>{""};
}

AUDYN_INLINE criterion::Criteria TrainingPlan::criteria(const std::string& side) const {
    return build_criteria(config_, *targets_, key_of("criterion", side));
}

AUDYN_INLINE optim::AnyOptimizer TrainingPlan::optimizer(const torch::nn::Module& module,
                                                         const std::string& side) const {
    return build_any_optimizer(*targets_, config_.at(key_of("optimizer", side)), module.named_parameters(),
                               module.named_buffers());
}

AUDYN_INLINE bool TrainingPlan::has_own_trainer() const {
    const auto node = config_.find("train.trainer");
    const auto name = node ? node->get_optional<std::string>("_target_") : std::nullopt;
    return name && *name != base_trainer && !names_gan_trainer(config_);
}

AUDYN_INLINE std::unique_ptr<trainer::TrainerBase> TrainingPlan::own_trainer() {
    const Config node = config_.at("train.trainer");
    try {
        return targets_->build<TrainerFactory>(node)(*this);
    } catch (const UsageError& error) {
        throw node.error(error.what());
    }
}

AUDYN_INLINE void TrainingPlan::complete(trainer::TrainerBase& trainer, const Optimizers& optimizers) {
    build_loaders(trainer.console());
    add_callbacks(trainer);
    if (trained_) {
        return load_trained(trainer);
    }
    warn_of_unoptimized(trainer, optimizers);
    for (const auto& [side, optimizer] : optimizers) {
        add_lr_scheduler(trainer, side, *optimizer);
    }
    add_loggers(trainer);
    trainer.set_resolved_config(resolved_config(config_));
    if (distributed::world_size() > 1) {
        at::manual_seed(seed_of_rank(config_)); // Parameters are the same on all ranks, dropout is not.
    }
    resume(trainer);
}

/// torchrun's agents count restarts each for itself.
AUDYN_INLINE bool TrainingPlan::is_restart() {
    at::Tensor count = at::full({1}, distributed::Environment::detect().restart_count, at::kLong);
    if (distributed::world_size() > 1) {
        distributed::all_reduce(count, distributed::ReduceOp::max);
    }
    return count.item<int64_t>() > 0;
}

/// A job that was started again after a failure goes on from what it has saved itself, wherever it began.
AUDYN_INLINE void TrainingPlan::resume(trainer::TrainerBase& trainer) const {
    const auto path = config_.get_optional<std::string>("train.resume.continue_from");
    if ((path == "auto" || is_restart()) && trainer.resume_newest()) {
        return;
    }
    if (path && path != "auto" && !path->empty()) {
        trainer.resume(*path);
    }
}

AUDYN_INLINE void TrainingPlan::fit(trainer::TrainerBase& trainer) {
    std::vector<trainer::NamedLoader> validation;
    for (const auto& [name, loader] : validation_) {
        validation.push_back({name, *loader});
    }
    trainer.fit(*train_, std::move(validation));
}

/// Averages of the optimizer begin with these parameters, and so are the same.
AUDYN_INLINE void TrainingPlan::load_trained(trainer::TrainerBase& trainer) const {
    trained_->load_into(trainer.module());
    if (optim::AveragedParameters* const averages = trainer.moving_average()) {
        averages->start();
    }
}

AUDYN_INLINE void TrainingPlan::validate(trainer::TrainerBase& trainer) {
    if (trained_) {
        trainer.console().info("Load weights of model: " + trained_->description() + ".");
    }
    for (const auto& [name, loader] : validation_) {
        trainer.console().info("(" + name + ") " + trainer::Report::values(trainer.validate(*loader, name)));
    }
}

AUDYN_INLINE void TrainingPlan::check(config::Mistakes& mistakes) const {
    mistakes.attempt([&] { check_trainer(); });
    mistakes.attempt([&] { refuse(config_, "train.record", "recording of outputs is not built yet; leave it empty"); });
    if (trained_ && validation_loaders_.empty()) {
        mistakes.attempt(
            [&] { throw config_["train"]["dataset"].error("needs `train.dataset.validation`, what to validate on"); });
    }
    if (!trained_ && train_loader_.size() != 1) {
        mistakes.attempt([&] { throw config_["train"]["dataset"].error("needs `train.dataset.train`, one dataset"); });
    }
    for (const std::vector<LoaderNode>& nodes : {train_loader_, validation_loaders_}) {
        for (const LoaderNode& node : nodes) {
            check_loader(node, *targets_, mistakes);
        }
    }
    for (const std::string& side : sides()) {
        mistakes.attempt([&] { check_any_optimizer(*targets_, config_.at(key_of("optimizer", side))); });
        mistakes.attempt([&] { check_lr_scheduler(side); });
        check_criteria(config_, *targets_, mistakes, key_of("criterion", side));
    }
    if (is_gan_) {
        mistakes.attempt([&] { check_gan_schedulers(config_); });
        check_gan_criteria(config_, mistakes);
    }
    mistakes.attempt([&] {
        for (const Config& callback : callback_nodes()) {
            mistakes.attempt([&] { targets_->check<std::shared_ptr<trainer::Callback>>(callback); });
        }
    });
    check_metrics(config_, *targets_, mistakes);
}

AUDYN_INLINE void TrainingPlan::check_trainer() const {
    if (!has_own_trainer()) {
        return;
    }
    const Config trainer = config_.at("train.trainer");
    const auto name = trainer.get<std::string>("_target_");
    std::vector<std::string> known = targets_->names_of<TrainerFactory>();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
        known.insert(known.end(), {base_trainer, "audyn.utils.driver.GANTrainer"});
        throw trainer.at("_target_").error_unknown("trainer", name, known);
    }
    targets_->check<TrainerFactory>(trainer);
}

AUDYN_INLINE trainer::SchedulerInterval TrainingPlan::scheduler_interval(const std::string& side) const {
    const auto& own = side == "discriminator" ? gan_options_.discriminator : gan_options_.generator;
    return side.empty() ? options_.lr_scheduler() : own.lr_scheduler.value_or(options_.lr_scheduler());
}

AUDYN_INLINE void TrainingPlan::check_lr_scheduler(const std::string& side) const {
    const auto scheduler = lr_scheduler_node(side);
    if (!scheduler) {
        return;
    }
    adapter::check_lr_scheduler(*targets_, *scheduler, config_.at(key_of("optimizer", side)));
    if (scheduler_interval(side) == trainer::SchedulerInterval::never) {
        throw scheduler->error("would never step: set `" + key_of("train.steps.lr_scheduler", side) +
                               "` to 'iteration' or 'epoch', or choose " + key_of("lr_scheduler", side) +
                               (side.empty() ? "=none" : "=null"));
    }
}

/// Whoever means it freezes them.
AUDYN_INLINE void TrainingPlan::warn_of_unoptimized(trainer::TrainerBase& trainer, const Optimizers& optimizers) {
    std::vector<const optim::AnyOptimizer*> all;
    for (const auto& [side, optimizer] : optimizers) {
        all.push_back(optimizer);
    }
    const auto names = parameters_without_optimizer(trainer.module().named_parameters(), all);
    if (!names.empty() && trainer.is_main_process()) {
        trainer.console().warning("no optimizer has these parameters, and they stay as they are: " +
                                  config::join(names));
    }
}

AUDYN_INLINE void TrainingPlan::build_loaders(logging::Console& console) {
    const auto warn = [&console](const std::string& message) { console.warning(message); };
    LoaderContext context{.dataset = nullptr, .seed = seed(config_), .warn = warn};
    context.rank = distributed::rank();
    context.world_size = distributed::world_size();
    if (!trained_) {
        train_ = build_loader(train_loader_.front(), *targets_, context);
    }
    context.is_for_evaluation = true;
    for (const LoaderNode& node : validation_loaders_) {
        validation_.emplace_back(node.name, build_loader(node, *targets_, context));
    }
}

AUDYN_INLINE std::optional<Config> TrainingPlan::lr_scheduler_node(const std::string& side) const {
    const auto group = config_.find("lr_scheduler");
    auto node = group && !group->is_null() && !side.empty() ? group->find(side) : group;
    return node && has_lr_scheduler(*node) ? node : std::nullopt;
}

AUDYN_INLINE void TrainingPlan::add_lr_scheduler(trainer::TrainerBase& trainer, const std::string& side,
                                                 optim::AnyOptimizer& optimizer) const {
    const auto node = lr_scheduler_node(side);
    if (!node) {
        return;
    }
    const trainer::Progress plan = trainer.plan(*train_);
    const int64_t steps = scheduler_interval(side) == trainer::SchedulerInterval::epoch ? plan.epochs : plan.iterations;
    trainer.set_lr_scheduler(build_lr_scheduler(*targets_, *node, optimizer, steps), side);
}

AUDYN_INLINE std::vector<Config> TrainingPlan::callback_nodes() const {
    const auto node = config_.find("train.callbacks");
    if (!node || node->is_null()) {
        return {};
    }
    if (node->is_list()) {
        return node->elements();
    }
    std::vector<Config> nodes;
    for (const auto& [name, callback] : node->items()) {
        if (!callback.is_null()) {
            nodes.push_back(callback);
        }
    }
    return nodes;
}

AUDYN_INLINE void TrainingPlan::add_callbacks(trainer::TrainerBase& trainer) const {
    if (auto metrics = build_metrics(config_, *targets_)) {
        trainer.add_callback(std::move(metrics));
    }
    for (const Config& node : callback_nodes()) {
        trainer.add_callback(targets_->build<std::shared_ptr<trainer::Callback>>(node));
    }
}

AUDYN_INLINE void TrainingPlan::add_loggers(trainer::TrainerBase& trainer) const {
    if (options_.fast_dev_run() || !trainer.is_main_process()) {
        return;
    }
    if (const auto folder = config_.get_optional<std::string>("train.output.tensorboard_dir")) {
        trainer.add_logger(std::make_shared<logging::TensorBoardLogger>(*folder));
    }
    if (const auto path = config_.get_optional<std::string>("train.output.csv")) {
        trainer.add_logger(std::make_shared<logging::CsvLogger>(*path));
    }
}

} // namespace audyn::adapter
