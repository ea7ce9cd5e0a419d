#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/data.hpp>
#include <audyn/adapter/optim.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/error.hpp>
#include <audyn/logging/csv.hpp>
#include <audyn/logging/tensorboard.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/trainer/trainer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::adapter {

/// A list of types.
template <class... Types>
struct TypeList {};

/// Everything of a configured training that does not depend on the model's type: the plain half of `AutoTrainer`.
class TrainingPlan {
public:
    /// Reads and checks the whole of `train`, `optimizer`, `lr_scheduler` and `criterion`, and the model by
    /// `check_model(plan)`, without building anything that reads data. \throws ConfigError that tells every mistake
    TrainingPlan(const Config& config, const std::function<void(const TrainingPlan&)>& check_model)
        : config_(config), targets_(require_targets(config)) {
        config::Mistakes mistakes;
        mistakes.attempt([&] { check_model(*this); });
        options_ = trainer_options(config, *targets_, mistakes);
        mistakes.attempt([&] { train_loader_ = loader_nodes(config["train"], "train"); });
        mistakes.attempt([&] { validation_loaders_ = loader_nodes(config["train"], "validation"); });
        check(mistakes);
        mistakes.throw_if_any();
    }

    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] const Targets& targets() const { return *targets_; }
    [[nodiscard]] const trainer::TrainerOptions& options() const { return options_; }
    [[nodiscard]] criterion::Criteria criteria() const { return build_criteria(config_, *targets_); }
    [[nodiscard]] optim::AnyOptimizer optimizer(const torch::nn::Module& module) const {
        return optim::AnyOptimizer(targets_->build<OptimizerFactory>(config_["optimizer"])(module.named_parameters()));
    }

    /// Gives the trainer its loggers, callbacks and scheduler, builds the loaders, and resumes where that is asked.
    void complete(trainer::TrainerBase& trainer, optim::Optimizer& optimizer) {
        build_loaders(trainer.console());
        add_lr_scheduler(trainer, optimizer);
        add_callbacks(trainer);
        add_loggers(trainer);
        trainer.set_resolved_config(resolved_config(config_));
        if (const auto path = config_.get_optional<std::string>("train.resume.continue_from"); path == "auto") {
            trainer.resume_newest();
        } else if (path && !path->empty()) {
            trainer.resume(*path);
        }
    }

    void fit(trainer::TrainerBase& trainer) {
        std::vector<trainer::NamedLoader> validation;
        for (const auto& [name, loader] : validation_) {
            validation.push_back({name, *loader});
        }
        trainer.fit(*train_, std::move(validation));
    }

    [[nodiscard]] data::Loader& train_loader() { return *train_; }

private:
    static std::shared_ptr<Targets> require_targets(const Config& config) {
        auto targets = config.attachment<Targets>();
        if (!targets) {
            throw UsageError("the configuration has no targets: compose it by audyn::main, or attach a Targets to it");
        }
        return targets;
    }

    void check(config::Mistakes& mistakes) const {
        mistakes.attempt([&] { check_trainer(); });
        mistakes.attempt(
            [&] { refuse(config_, "train.record", "recording of outputs is not built yet; leave it empty"); });
        if (train_loader_.size() != 1) {
            mistakes.attempt(
                [&] { throw config_["train"]["dataset"].error("needs `train.dataset.train`, one dataset"); });
        }
        for (const std::vector<LoaderNode>& nodes : {train_loader_, validation_loaders_}) {
            for (const LoaderNode& node : nodes) {
                check_loader(node, *targets_, mistakes);
            }
        }
        mistakes.attempt([&] { targets_->check<OptimizerFactory>(config_["optimizer"]); });
        mistakes.attempt([&] { check_lr_scheduler(); });
        mistakes.attempt([&] {
            for (const Config& callback : callback_nodes()) {
                mistakes.attempt([&] { targets_->check<std::shared_ptr<trainer::Callback>>(callback); });
            }
        });
        check_criteria(config_, *targets_, mistakes);
    }

    void check_trainer() const {
        const Config trainer = config_["train"]["trainer"];
        if (const auto name = trainer.get_optional<std::string>("_target_");
            name && *name != "audyn.utils.driver.BaseTrainer") {
            throw trainer.at("_target_").error_unknown("trainer", *name, {"audyn.utils.driver.BaseTrainer"});
        }
    }

    void check_lr_scheduler() const {
        const auto scheduler = lr_scheduler_node();
        if (!scheduler) {
            return;
        }
        targets_->check<SchedulerFactory>(*scheduler);
        if (options_.lr_scheduler() == trainer::SchedulerInterval::never) {
            throw scheduler->error("would never step: set `train.steps.lr_scheduler` to 'iteration' or 'epoch', or "
                                   "choose lr_scheduler=none");
        }
    }

    void build_loaders(logging::Console& console) {
        const auto warn = [&console](const std::string& message) { console.warning(message); };
        train_ = build_loader(train_loader_.front(), *targets_, seed(config_), warn);
        for (const LoaderNode& node : validation_loaders_) {
            validation_.emplace_back(node.name, build_loader(node, *targets_, seed(config_), warn));
        }
    }

    [[nodiscard]] std::optional<Config> lr_scheduler_node() const {
        auto node = config_.find("lr_scheduler");
        if (!node || node->is_null() || !node->contains("_target_") || node->at("_target_").is_null()) {
            return std::nullopt;
        }
        return node;
    }

    void add_lr_scheduler(trainer::TrainerBase& trainer, optim::Optimizer& optimizer) const {
        const auto node = lr_scheduler_node();
        if (!node) {
            return;
        }
        const trainer::Progress plan = trainer.plan(*train_);
        const int64_t steps =
            options_.lr_scheduler() == trainer::SchedulerInterval::epoch ? plan.epochs : plan.iterations;
        try {
            trainer.set_lr_scheduler(targets_->build<SchedulerFactory>(*node)(optimizer, steps));
        } catch (const UsageError& error) {
            throw node->error(error.what());
        }
    }

    /// `train.callbacks`: a list of targets, or a group of named ones.
    [[nodiscard]] std::vector<Config> callback_nodes() const {
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

    void add_callbacks(trainer::TrainerBase& trainer) const {
        for (const Config& node : callback_nodes()) {
            trainer.add_callback(targets_->build<std::shared_ptr<trainer::Callback>>(node));
        }
    }

    void add_loggers(trainer::TrainerBase& trainer) const {
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

    Config config_;
    std::shared_ptr<Targets> targets_;
    trainer::TrainerOptions options_;
    std::vector<LoaderNode> train_loader_;
    std::vector<LoaderNode> validation_loaders_;
    std::shared_ptr<data::Loader> train_;
    std::vector<std::pair<std::string, std::shared_ptr<data::Loader>>> validation_;
};

namespace detail {

/// Builds the cell of the dispatch table that the configuration chooses: model and step by target, AMP by dtype.
template <class Models, class Steps>
struct Dispatch;

template <class... Models, class... Steps>
struct Dispatch<TypeList<Models...>, TypeList<Steps...>> {
    /// Checks `model` and `train.step` without building them. \throws ConfigError
    static void check(const TrainingPlan& plan) {
        const Config model = plan.config()["model"];
        if (!(check_if<Models>(plan, model, reserved_model_keys) || ...)) {
            throw model.at("_target_")
                .error("names '" + model.get<std::string>("_target_") +
                       "', which builds none of the models that this AutoTrainer was made for");
        }
        if (const auto step = step_node(plan); step && !(check_if<Steps>(plan, *step) || ...)) {
            throw step->error("names none of the steps that the AutoTrainer was made for; "
                              "AutoTrainer<Models...>::with_steps<Steps...> adds them");
        }
    }

    static std::unique_ptr<trainer::TrainerBase> build(TrainingPlan& plan) {
        const Config model = plan.config()["model"];
        std::unique_ptr<trainer::TrainerBase> trainer;
        ((trainer = trainer ? std::move(trainer) : build_if<Models>(plan, model)), ...);
        return trainer;
    }

private:
    static std::optional<Config> step_node(const TrainingPlan& plan) {
        auto node = plan.config().find("train.step");
        return node && !node->is_null() ? node : std::nullopt;
    }

    /// Whether `node` builds a `T`; checks its arguments if so.
    template <class T>
    static bool check_if(const TrainingPlan& plan, const Config& node, const std::vector<std::string>& reserved = {}) {
        const bool builds = plan.targets().template builds<T>(node);
        if (builds) {
            plan.targets().template check<T>(node, reserved);
        }
        return builds;
    }

    template <class Model>
    static std::unique_ptr<trainer::TrainerBase> build_if(TrainingPlan& plan, const Config& node) {
        if (!plan.targets().builds<Model>(node)) {
            return nullptr;
        }
        auto model = plan.targets().build<Model>(node, reserved_model_keys);
        if (const auto path = node.find("checkpoint"); path && !path->is_null()) {
            warm_start(*trainer::ModelTraits<Model>::pointer(model), *path);
        }
        return with_step<Model>(plan, std::move(model));
    }

    template <class Model>
    static std::unique_ptr<trainer::TrainerBase> with_step(TrainingPlan& plan, Model model) {
        const auto node = step_node(plan);
        if (!node) {
            return with_amp(plan, std::move(model), trainer::SupervisedStep());
        }
        std::unique_ptr<trainer::TrainerBase> trainer;
        [[maybe_unused]] const auto try_step = [&]<class Step>(std::type_identity<Step>) {
            if (!trainer && plan.targets().builds<Step>(*node)) {
                trainer = with_amp(plan, model, plan.targets().build<Step>(*node));
            }
        };
        (try_step(std::type_identity<Steps>()), ...);
        return trainer;
    }

    template <class Model, class Step>
    static std::unique_ptr<trainer::TrainerBase> with_amp(TrainingPlan& plan, Model model, Step step) {
        const auto dtype = amp_dtype(plan.config());
        if (!dtype) {
            return make<amp::Disabled>(plan, std::move(model), std::move(step));
        }
        return *dtype == at::kHalf ? make<amp::Float16>(plan, std::move(model), std::move(step))
                                   : make<amp::BFloat16>(plan, std::move(model), std::move(step));
    }

    template <class AmpPolicy, class Model, class Step>
    static std::unique_ptr<trainer::TrainerBase> make(TrainingPlan& plan, Model model, Step step) {
        auto& module = *trainer::ModelTraits<Model>::pointer(model);
        module.to(plan.options().device());
        auto trainer =
            std::make_unique<trainer::Trainer<Model, optim::AnyOptimizer, AmpPolicy, distributed::SingleProcess, Step>>(
                model, plan.optimizer(module), plan.criteria(), plan.options(), std::move(step));
        plan.complete(*trainer, trainer->optimizer());
        return trainer;
    }
};

} // namespace detail

/// The trainer that a configuration describes, for one of `Models`; Audyn's `AutoTrainer`. `train` and `system` choose
/// among the policies that were compiled.
template <class Models, class Steps>
class BasicAutoTrainer;

template <class... Models, class... Steps>
class BasicAutoTrainer<TypeList<Models...>, TypeList<Steps...>> {
public:
    /// The same with the program's own steps, chosen by `train.step._target_`.
    template <class... MoreSteps>
    using with_steps = BasicAutoTrainer<TypeList<Models...>, TypeList<Steps..., MoreSteps...>>;

    /// Checks the configuration, then builds everything that it names. Call `setup_config` before.
    /// \throws ConfigError before any data is read; DataError, CheckpointError, StateError
    [[nodiscard]] static BasicAutoTrainer build_from_config(const Config& config) { return BasicAutoTrainer(config); }

    /// Trains.
    void run() { plan_->fit(*trainer_); }

    [[nodiscard]] trainer::TrainerBase& trainer() { return *trainer_; }

private:
    using Dispatch = detail::Dispatch<TypeList<Models...>, TypeList<Steps...>>;

    explicit BasicAutoTrainer(const Config& config)
        : plan_(std::make_unique<TrainingPlan>(config, Dispatch::check)), trainer_(Dispatch::build(*plan_)) {}

    std::unique_ptr<TrainingPlan> plan_;
    std::unique_ptr<trainer::TrainerBase> trainer_;
};

} // namespace audyn::adapter

namespace audyn {

template <class... Models>
using AutoTrainer = adapter::BasicAutoTrainer<adapter::TypeList<Models...>, adapter::TypeList<>>;

} // namespace audyn
