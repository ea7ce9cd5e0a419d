#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/data_parallel.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/training_plan.hpp>
#include <audyn/amp/policy.hpp>
#include <audyn/config/config.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/ranks.hpp>
#include <audyn/distributed/single_process.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/trainer/gan_trainer.hpp>
#include <audyn/trainer/trainer.hpp>

#include <concepts>
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

namespace detail {

/// Whether a model of the list is a generator with its discriminator.
template <class Model>
inline constexpr bool is_gan_of_models = false;
template <class Generator, class Discriminator>
inline constexpr bool is_gan_of_models<trainer::GAN<Generator, Discriminator>> = true;

/// Builds the cell of the dispatch table that the configuration chooses: model and step by target, AMP by dtype.
template <class Models, class Steps>
struct Dispatch;

template <class... Models, class... Steps>
struct Dispatch<TypeList<Models...>, TypeList<Steps...>> {
    /// Checks `model` and `train.step` without building them. \throws ConfigError
    static void check(const TrainingPlan& plan) {
        const Config model = plan.config()["model"];
        if (plan.is_gan()) {
            check_gan(plan, model);
        } else if (!(check_model_if<Models>(plan, model) || ...)) {
            throw model.at("_target_")
                .error("names '" + model.get<std::string>("_target_") +
                       "', which builds none of the models that this AutoTrainer was made for");
        }
        if (const auto step = step_node(plan); step && !(check_step_if<Steps>(plan, *step) || ...)) {
            throw step->error("names none of the steps that the AutoTrainer was made for; "
                              "AutoTrainer<Models...>::with_steps<Steps...> adds them");
        }
    }

    static std::unique_ptr<trainer::TrainerBase> build(TrainingPlan& plan) {
        if (plan.has_own_trainer()) {
            return plan.own_trainer();
        }
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
    static bool check_model_if(const TrainingPlan& plan, const Config& node) {
        if constexpr (!is_gan_of_models<Model>) {
            return check_if<Model>(plan, node, reserved_model_keys);
        }
        return false;
    }

    static void check_gan(const TrainingPlan& plan, const Config& model) {
        refuse(plan.config(), "model.checkpoint", "a GAN's models have one each: set model.generator.checkpoint");
        if (!(is_gan_of_models<Models> || ...)) {
            throw plan.config()
                .at("train.trainer._target_")
                .error("trains a generator and a discriminator, and this AutoTrainer was made for neither: write "
                       "AutoTrainer<audyn::GAN<Generator, Discriminator>>");
        }
        if (!(check_gan_if<Models>(plan, model) || ...)) {
            throw model.error("has the generator '" + model.get<std::string>("generator._target_") +
                              "' and the discriminator '" + model.get<std::string>("discriminator._target_") +
                              "', which are none of the GANs that this AutoTrainer was made for");
        }
    }

    template <class Model>
    static bool check_gan_if(const TrainingPlan& plan, const Config& model) {
        if constexpr (is_gan_of_models<Model>) {
            config::Mistakes mistakes;
            bool has_generator = false;
            bool has_discriminator = false;
            mistakes.attempt([&] {
                has_generator = check_if<decltype(Model::generator)>(plan, model.at("generator"), reserved_model_keys);
            });
            mistakes.attempt([&] {
                has_discriminator =
                    check_if<decltype(Model::discriminator)>(plan, model.at("discriminator"), reserved_model_keys);
            });
            mistakes.throw_if_any();
            return has_generator && has_discriminator;
        }
        return false;
    }

    template <class Model>
    static bool fits_gan(const TrainingPlan& plan, const Config& model) {
        return plan.targets().template builds<decltype(Model::generator)>(model["generator"]) &&
               plan.targets().template builds<decltype(Model::discriminator)>(model["discriminator"]);
    }

    /// Steps of the one kind of trainer mean nothing to the other.
    template <class Step>
    static bool check_step_if(const TrainingPlan& plan, const Config& node) {
        return std::derived_from<Step, trainer::GANStep> == plan.is_gan() && check_if<Step>(plan, node);
    }

    template <class Model>
    static std::unique_ptr<trainer::TrainerBase> build_if(TrainingPlan& plan, const Config& node) {
        if constexpr (is_gan_of_models<Model>) {
            if (!plan.is_gan() || !fits_gan<Model>(plan, node)) {
                return nullptr;
            }
            return with_step<Model>(plan,
                                    Model{build_model<decltype(Model::generator)>(plan, node["generator"]),
                                          build_model<decltype(Model::discriminator)>(plan, node["discriminator"])});
        } else {
            if (plan.is_gan() || !plan.targets().builds<Model>(node)) {
                return nullptr;
            }
            return with_step<Model>(plan, build_model<Model>(plan, node));
        }
    }

    template <class Model>
    static Model build_model(const TrainingPlan& plan, const Config& node) {
        auto model = plan.targets().build<Model>(node, reserved_model_keys);
        if (const auto path = node.find("checkpoint"); path && !path->is_null()) {
            warm_start(*trainer::ModelTraits<Model>::pointer(model), *path);
        }
        return model;
    }

    template <class Model>
    static std::unique_ptr<trainer::TrainerBase> with_step(TrainingPlan& plan, Model model) {
        const auto node = step_node(plan);
        if (!node) {
            using DefaultStep = std::conditional_t<is_gan_of_models<Model>, trainer::GANStep, trainer::SupervisedStep>;
            return with_amp(plan, std::move(model), DefaultStep());
        }
        std::unique_ptr<trainer::TrainerBase> trainer;
        [[maybe_unused]] const auto try_step = [&]<class Step>(std::type_identity<Step>) {
            if constexpr (std::derived_from<Step, trainer::GANStep> == is_gan_of_models<Model>) {
                if (!trainer && plan.targets().builds<Step>(*node)) {
                    trainer = with_amp(plan, model, plan.targets().build<Step>(*node));
                }
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
        if (distributed::process_group()) {
            return make_with<AmpPolicy>(plan, std::move(model), std::move(step),
                                        distributed::DistributedDataParallel(ddp_options(plan.config())));
        }
        return make_with<AmpPolicy>(plan, std::move(model), std::move(step), distributed::SingleProcess());
    }

    template <class AmpPolicy, class Model, class Step, class DistPolicy>
    static std::unique_ptr<trainer::TrainerBase> make_with(TrainingPlan& plan, Model model, Step step,
                                                           DistPolicy distribution) {
        auto& module = *trainer::ModelTraits<Model>::pointer(model);
        module.to(plan.options().device());
        auto trainer = std::make_unique<trainer::Trainer<Model, optim::AnyOptimizer, AmpPolicy, DistPolicy, Step>>(
            model, plan.optimizer(module), plan.criteria(), plan.options(), std::move(step),
            AmpPolicy(plan.options().device()), std::move(distribution));
        plan.complete(*trainer, trainer->optimizer());
        return trainer;
    }

    template <class AmpPolicy, class Generator, class Discriminator, class Step, class DistPolicy>
    static std::unique_ptr<trainer::TrainerBase>
    make_with(TrainingPlan& plan, trainer::GAN<Generator, Discriminator> gan, Step step, DistPolicy distribution) {
        auto& generator = *trainer::ModelTraits<Generator>::pointer(gan.generator);
        auto& discriminator = *trainer::ModelTraits<Discriminator>::pointer(gan.discriminator);
        generator.to(plan.options().device());
        discriminator.to(plan.options().device());
        using Optimizer = optim::AnyOptimizer;
        using Trainer =
            trainer::GANTrainer<Generator, Discriminator, Optimizer, Optimizer, AmpPolicy, DistPolicy, Step>;
        auto trainer = std::make_unique<Trainer>(
            gan,
            trainer::GAN<Optimizer>{plan.optimizer(generator, "generator"),
                                    plan.optimizer(discriminator, "discriminator")},
            trainer::GAN<criterion::Criteria>{plan.criteria("generator"), plan.criteria("discriminator")},
            plan.options(), plan.gan_options(), std::move(step), AmpPolicy(plan.options().device()),
            std::move(distribution));
        plan.complete(*trainer, {{"generator", &trainer->generator_optimizer()},
                                 {"discriminator", &trainer->discriminator_optimizer()}});
        return trainer;
    }
};

} // namespace detail

/// The trainer that a configuration describes, for one of `Models`; Audyn's `AutoTrainer`. `train` and `system` choose
/// among the policies that were compiled. A model may be a `GAN<Generator, Discriminator>`, which
/// `train.trainer._target_: audyn.utils.driver.GANTrainer` trains; another name there is a `TrainerFactory` among the
/// program's targets.
template <class Models, class Steps>
class BasicAutoTrainer;

template <class... Models, class... Steps>
class BasicAutoTrainer<TypeList<Models...>, TypeList<Steps...>> {
public:
    /// The same with the program's own steps, chosen by `train.step._target_`. Those of a GAN derive from GANStep.
    template <class... MoreSteps>
    using with_steps = BasicAutoTrainer<TypeList<Models...>, TypeList<Steps..., MoreSteps...>>;

    /// Checks the configuration, then builds everything that it names. Call `setup_config` before.
    /// \throws ConfigError before any data is read; DataError, CheckpointError, StateError
    [[nodiscard]] static BasicAutoTrainer build_from_config(const Config& config) { return BasicAutoTrainer(config); }

    /// The same to validate the model of `test.checkpoint`, or the models of a GAN, built as the checkpoint says.
    [[nodiscard]] static BasicAutoTrainer build_for_validation(const Config& config) {
        return BasicAutoTrainer(
            std::make_unique<TrainingPlan>(config, Dispatch::check, trained_model(config, GANPart::both)));
    }

    /// Trains.
    void run() { plan_->fit(*trainer_); }

    /// Evaluates the model on the validation loaders, and says the metrics.
    void validate() { plan_->validate(*trainer_); }

    [[nodiscard]] trainer::TrainerBase& trainer() { return *trainer_; }

private:
    using Dispatch = detail::Dispatch<TypeList<Models...>, TypeList<Steps...>>;

    explicit BasicAutoTrainer(const Config& config)
        : BasicAutoTrainer(std::make_unique<TrainingPlan>(config, Dispatch::check)) {}
    explicit BasicAutoTrainer(std::unique_ptr<TrainingPlan> plan)
        : plan_(std::move(plan)), trainer_(Dispatch::build(*plan_)) {}

    std::unique_ptr<TrainingPlan> plan_;
    std::unique_ptr<trainer::TrainerBase> trainer_;
};

} // namespace audyn::adapter

namespace audyn {

template <class... Models>
using AutoTrainer = adapter::BasicAutoTrainer<adapter::TypeList<Models...>, adapter::TypeList<>>;

} // namespace audyn
