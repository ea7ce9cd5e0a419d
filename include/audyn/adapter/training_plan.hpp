#pragma once

#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trained_model.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter {

/// Everything of a configured training that does not depend on the model's type: the plain half of `AutoTrainer`.
class TrainingPlan {
public:
    /// Reads and checks the whole of `train`, `optimizer`, `lr_scheduler` and `criterion`, and the model by
    /// `check_model(plan)`, without building anything that reads data. \throws ConfigError that tells every mistake
    TrainingPlan(const Config& config, const std::function<void(const TrainingPlan&)>& check_model);
    /// The same to validate the model of a checkpoint, which takes the place of `model`: no dataset to train on is
    /// needed then.
    TrainingPlan(const Config& config, const std::function<void(const TrainingPlan&)>& check_model,
                 TrainedModel trained);

    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] const Targets& targets() const { return *targets_; }
    [[nodiscard]] const trainer::TrainerOptions& options() const { return options_; }
    [[nodiscard]] criterion::Criteria criteria() const { return build_criteria(config_, *targets_); }
    [[nodiscard]] optim::AnyOptimizer optimizer(const torch::nn::Module& module) const;

    /// Gives the trainer its loggers, callbacks and scheduler, builds the loaders, and resumes where that is asked.
    void complete(trainer::TrainerBase& trainer, optim::Optimizer& optimizer);

    void fit(trainer::TrainerBase& trainer);

    /// Gives a model that was just built the parameters of the checkpoint that is to be validated, if there is one.
    void load_trained(torch::nn::Module& module) const;
    /// Evaluates it on all validation loaders. The metrics are in `trainer` afterwards.
    void validate(trainer::TrainerBase& trainer);

    [[nodiscard]] data::Loader& train_loader() { return *train_; }

private:
    void read(const std::function<void(const TrainingPlan&)>& check_model);

    void check(config::Mistakes& mistakes) const;

    void check_trainer() const;

    void check_lr_scheduler() const;

    void build_loaders(logging::Console& console);

    [[nodiscard]] static bool is_restart();

    void resume(trainer::TrainerBase& trainer) const;

    [[nodiscard]] std::optional<Config> lr_scheduler_node() const;

    void add_lr_scheduler(trainer::TrainerBase& trainer, optim::Optimizer& optimizer) const;

    /// `train.callbacks`: a list of targets, or a group of named ones.
    [[nodiscard]] std::vector<Config> callback_nodes() const;

    void add_callbacks(trainer::TrainerBase& trainer) const;

    void add_loggers(trainer::TrainerBase& trainer) const;

    Config config_;
    std::shared_ptr<Targets> targets_;
    std::optional<TrainedModel> trained_;
    trainer::TrainerOptions options_;
    std::vector<LoaderNode> train_loader_;
    std::vector<LoaderNode> validation_loaders_;
    std::shared_ptr<data::Loader> train_;
    std::vector<std::pair<std::string, std::shared_ptr<data::Loader>>> validation_;
};

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/training_plan.ipp>
#endif
