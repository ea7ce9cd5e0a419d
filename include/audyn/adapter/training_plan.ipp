#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/adapter/training_plan.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/ranks.hpp>
#include <audyn/logging/csv.hpp>
#include <audyn/logging/tensorboard.hpp>

#include <ATen/ops/full.h>

#include <cstdint>

namespace audyn::adapter {

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
    config_.set("model.checkpoint", config::Value()); // it is no start of a training
    read(check_model);
}

AUDYN_INLINE void TrainingPlan::read(const std::function<void(const TrainingPlan&)>& check_model) {
    config::Mistakes mistakes;
    mistakes.attempt([&] { check_model(*this); });
    options_ = trainer_options(config_, *targets_, mistakes);
    if (!trained_) {
        mistakes.attempt([&] { train_loader_ = loader_nodes(config_["train"], "train"); });
    }
    mistakes.attempt([&] { validation_loaders_ = loader_nodes(config_["train"], "validation"); });
    check(mistakes);
    mistakes.throw_if_any();
}

AUDYN_INLINE optim::AnyOptimizer TrainingPlan::optimizer(const torch::nn::Module& module) const {
    return build_any_optimizer(*targets_, config_["optimizer"], module.named_parameters());
}

AUDYN_INLINE void TrainingPlan::complete(trainer::TrainerBase& trainer, optim::Optimizer& optimizer) {
    build_loaders(trainer.console());
    add_callbacks(trainer);
    if (trained_) {
        return;
    }
    add_lr_scheduler(trainer, optimizer);
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

AUDYN_INLINE void TrainingPlan::load_trained(torch::nn::Module& module) const {
    if (trained_) {
        trained_->load_into(module);
    }
}

AUDYN_INLINE void TrainingPlan::validate(trainer::TrainerBase& trainer) {
    if (trained_) {
        trainer.console().info("Load weights of model: " + trained_->describe() + ".");
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
    mistakes.attempt([&] { check_any_optimizer(*targets_, config_["optimizer"]); });
    mistakes.attempt([&] { check_lr_scheduler(); });
    mistakes.attempt([&] {
        for (const Config& callback : callback_nodes()) {
            mistakes.attempt([&] { targets_->check<std::shared_ptr<trainer::Callback>>(callback); });
        }
    });
    check_criteria(config_, *targets_, mistakes);
}

AUDYN_INLINE void TrainingPlan::check_trainer() const {
    const Config trainer = config_["train"]["trainer"];
    if (const auto name = trainer.get_optional<std::string>("_target_");
        name && *name != "audyn.utils.driver.BaseTrainer") {
        throw trainer.at("_target_").error_unknown("trainer", *name, {"audyn.utils.driver.BaseTrainer"});
    }
}

AUDYN_INLINE void TrainingPlan::check_lr_scheduler() const {
    const auto scheduler = lr_scheduler_node();
    if (!scheduler) {
        return;
    }
    targets_->check<SchedulerFactory>(*scheduler);
    static_cast<void>(targets_->build<SchedulerFactory>(*scheduler)); // It knows the names of modes.
    if (options_.lr_scheduler() == trainer::SchedulerInterval::never) {
        throw scheduler->error("would never step: set `train.steps.lr_scheduler` to 'iteration' or 'epoch', or "
                               "choose lr_scheduler=none");
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

AUDYN_INLINE std::optional<Config> TrainingPlan::lr_scheduler_node() const {
    auto node = config_.find("lr_scheduler");
    if (!node || node->is_null() || !node->contains("_target_") || node->at("_target_").is_null()) {
        return std::nullopt;
    }
    return node;
}

AUDYN_INLINE void TrainingPlan::add_lr_scheduler(trainer::TrainerBase& trainer, optim::Optimizer& optimizer) const {
    const auto node = lr_scheduler_node();
    if (!node) {
        return;
    }
    const trainer::Progress plan = trainer.plan(*train_);
    const int64_t steps = options_.lr_scheduler() == trainer::SchedulerInterval::epoch ? plan.epochs : plan.iterations;
    try {
        trainer.set_lr_scheduler(targets_->build<SchedulerFactory>(*node)(optimizer, steps));
    } catch (const UsageError& error) {
        throw node->error(error.what());
    }
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
