#pragma once

#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trained_model.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/trainer/gan.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter {

class TrainingPlan;

/// What the target of a program's own trainer builds, for `train.trainer._target_`: a function that makes the trainer
/// of the models it builds by `plan.targets()`, of `plan.optimizer(module)`, `plan.criteria()` and `plan.options()`,
/// and calls `plan.complete(trainer, optimizer)`.
using TrainerFactory = std::function<std::unique_ptr<trainer::TrainerBase>(TrainingPlan& plan)>;

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
    /// Of a GAN.
    [[nodiscard]] const trainer::GANOptions& gan_options() const { return gan_options_; }
    /// Those of the training, or of a `side` of a GAN: `generator` or `discriminator`.
    [[nodiscard]] criterion::Criteria criteria(const std::string& side = {}) const;
    [[nodiscard]] optim::AnyOptimizer optimizer(const torch::nn::Module& module, const std::string& side = {}) const;

    /// Whether there are a generator and a discriminator, with an optimizer, a scheduler and criteria each.
    [[nodiscard]] bool is_gan() const { return is_gan_; }
    /// Whether `train.trainer._target_` is one of the program's own: a `TrainerFactory` among its targets.
    [[nodiscard]] bool has_own_trainer() const;
    /// Builds it. \throws ConfigError
    [[nodiscard]] std::unique_ptr<trainer::TrainerBase> own_trainer();

    /// The optimizers that a trainer has, each of them with the side of a GAN that it belongs to, or "".
    using Optimizers = std::vector<std::pair<std::string, optim::AnyOptimizer*>>;

    /// Gives the trainer its loggers, callbacks and schedulers, builds the loaders, and resumes where that is asked; to
    /// validate, gives its model the parameters of the checkpoint.
    void complete(trainer::TrainerBase& trainer, const Optimizers& optimizers);
    void complete(trainer::TrainerBase& trainer, optim::AnyOptimizer& optimizer) {
        complete(trainer, Optimizers{{"", &optimizer}});
    }

    void fit(trainer::TrainerBase& trainer);

    /// Evaluates the model on all validation loaders. The metrics are in `trainer` afterwards.
    void validate(trainer::TrainerBase& trainer);

    [[nodiscard]] data::Loader& train_loader() { return *train_; }

private:
    void read(const std::function<void(const TrainingPlan&)>& check_model);

    void check_trained() const;

    void check(config::Mistakes& mistakes) const;

    void check_trainer() const;

    /// The sides that have something of their own: those of a GAN, or one without a name.
    [[nodiscard]] std::vector<std::string> sides() const;

    /// "optimizer", or "optimizer.generator".
    [[nodiscard]] static std::string key_of(const std::string& group, const std::string& side) {
        return side.empty() ? group : group + "." + side;
    }

    void check_lr_scheduler(const std::string& side) const;

    [[nodiscard]] trainer::SchedulerInterval scheduler_interval(const std::string& side) const;

    void load_trained(trainer::TrainerBase& trainer) const;

    static void warn_of_unoptimized(trainer::TrainerBase& trainer, const Optimizers& optimizers);

    void build_loaders(logging::Console& console);

    [[nodiscard]] static bool is_restart();

    void resume(trainer::TrainerBase& trainer) const;

    [[nodiscard]] std::optional<Config> lr_scheduler_node(const std::string& side) const;

    void add_lr_scheduler(trainer::TrainerBase& trainer, const std::string& side, optim::AnyOptimizer& optimizer) const;

    /// `train.callbacks`: a list of targets, or a group of named ones.
    [[nodiscard]] std::vector<Config> callback_nodes() const;

    void add_callbacks(trainer::TrainerBase& trainer) const;

    void add_loggers(trainer::TrainerBase& trainer) const;

    Config config_;
    std::shared_ptr<Targets> targets_;
    std::optional<TrainedModel> trained_;
    bool is_gan_ = false;
    trainer::TrainerOptions options_;
    trainer::GANOptions gan_options_;
    std::vector<LoaderNode> train_loader_;
    std::vector<LoaderNode> validation_loaders_;
    std::shared_ptr<data::Loader> train_;
    std::vector<std::pair<std::string, std::shared_ptr<data::Loader>>> validation_;
};

} // namespace audyn::adapter

namespace audyn {
using adapter::TrainerFactory;
using adapter::TrainingPlan;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/training_plan.ipp>
#endif
