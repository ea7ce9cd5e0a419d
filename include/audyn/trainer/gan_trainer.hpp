#pragma once

#include <audyn/amp/policy.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/distributed/single_process.hpp>
#include <audyn/optim/concepts.hpp>
#include <audyn/trainer/concepts.hpp>
#include <audyn/trainer/gan.hpp>
#include <audyn/trainer/gan_step.hpp>
#include <audyn/trainer/loss.hpp>
#include <audyn/trainer/options.hpp>
#include <audyn/trainer/policy_trainer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// Trains a generator and a discriminator against each other; Audyn's GANTrainer. On each batch the generator runs
/// once; the discriminator steps on what it made and on the batch, and then the generator by what the discriminator
/// says of the same values. The types of the models, of their optimizers and the policies are those of `Trainer`;
/// `Step` tells the losses.
///
/// Metrics are `total generator`, `total discriminator` and each criterion; the best epoch is that of the least
/// `total generator`. Where a side takes several steps, an iteration has as many batches: the discriminator steps on
/// the first of them, the generator on the last.
template <class Generator, class Discriminator, class GeneratorOptimizer, class DiscriminatorOptimizer,
          class AmpPolicy = amp::Disabled, class DistPolicy = distributed::SingleProcess, class Step = GANStep>
class GANTrainer final : public PolicyTrainer<AmpPolicy, DistPolicy> {
    static_assert(check_model<Generator>());
    static_assert(check_model<Discriminator>());
    using Base = PolicyTrainer<AmpPolicy, DistPolicy>;

    /// A model with what trains it.
    template <class Model, class Optimizer>
    struct Side {
        using Module = typename ModelTraits<Model>::Module;
        using AdaptedOptimizer = detail::AdaptedOptimizer<Optimizer>;
        using Wrapped = decltype(std::declval<DistPolicy&>().wrap(std::declval<Model&>()));
        static_assert(optim::check_optimizer<AdaptedOptimizer>());

        Side(Model own, Optimizer own_optimizer, const GANSideOptions& side, const TrainerOptions& options,
             DistPolicy& distribution)
            : model(std::move(own)),
              optimizer(detail::adapt_optimizer(std::move(own_optimizer), module())),
              clipper(side.clip_gradient ? side.clip_gradient : options.clip_gradient()),
              wrapped(detail::wrap_on(model, options.device(), distribution)) {}

        [[nodiscard]] torch::nn::Module& module() const { return *ModelTraits<Model>::pointer(model); }
        [[nodiscard]] optim::AveragedParameters* moving_average() { return detail::averaged_parameters_of(optimizer); }
        [[nodiscard]] state::Value moving_average_state() {
            auto* const average = moving_average();
            return average == nullptr ? state::Value() : state::Value(average->model_state(module()));
        }

        Model model;
        AdaptedOptimizer optimizer;
        std::optional<optim::GradClipper> clipper;
        Wrapped wrapped;
    };
    using GeneratorSide = Side<Generator, GeneratorOptimizer>;
    using DiscriminatorSide = Side<Discriminator, DiscriminatorOptimizer>;
    using Context =
        GANContext<typename GeneratorSide::Module, typename GeneratorSide::Wrapped, typename DiscriminatorSide::Module,
                   typename DiscriminatorSide::Wrapped, AmpPolicy, DistPolicy>;
    static_assert(GANTrainingStep<Step, Context>,
                  "audyn: Step must have discriminator_loss(context, batch) and generator_loss(context, batch), which "
                  "return the losses, at::Tensor");

public:
    /// The models are moved to the options' device. \throws UsageError when options contradict each other, and when a
    /// criterion does not say which outputs it takes.
    GANTrainer(GAN<Generator, Discriminator> models, GAN<GeneratorOptimizer, DiscriminatorOptimizer> optimizers,
               GAN<criterion::Criteria> criteria, TrainerOptions options = {}, GANOptions gan_options = {},
               Step step = {})
        : GANTrainer(std::move(models), std::move(optimizers), std::move(criteria), options, std::move(gan_options),
                     std::move(step), AmpPolicy(options.device()), DistPolicy()) {}

    /// The same with policies that the program made.
    GANTrainer(GAN<Generator, Discriminator> models, GAN<GeneratorOptimizer, DiscriminatorOptimizer> optimizers,
               GAN<criterion::Criteria> criteria, TrainerOptions options, GANOptions gan_options, Step step,
               AmpPolicy amp, DistPolicy distribution)
        : Base(checked(options, gan_options), "GANTrainer", std::move(amp), std::move(distribution)),
          gan_options_(std::move(gan_options)),
          generator_(std::move(models.generator), std::move(optimizers.generator), gan_options_.generator, options,
                     distribution_),
          discriminator_(std::move(models.discriminator), std::move(optimizers.discriminator),
                         gan_options_.discriminator, options, distribution_),
          module_(std::make_shared<detail::GANModule>(ModelTraits<Generator>::pointer(generator_.model),
                                                      ModelTraits<Discriminator>::pointer(discriminator_.model))),
          step_(std::move(step)),
          losses_{Loss(checked(criteria.generator, "generator"), 2),
                  Loss(checked(criteria.discriminator, "discriminator"), 2 + criteria.generator.size())},
          context_(make_context(gan_options_.key_mapping)),
          validation_context_(make_context(gan_options_.validation_key_mapping.value_or(gan_options_.key_mapping))) {
        if (detail::needs_closure(generator_.optimizer) || detail::needs_closure(discriminator_.optimizer)) {
            throw UsageError("an optimizer that needs step(closure), as LBFGS does, cannot train a side of a GAN");
        }
        collect_averages();
        this->start_averages();
        losses_.generator.to(options.device());
        losses_.discriminator.to(options.device());
        this->initialize_metrics(metric_names());
        this->set_parts({{"generator", gan_options_.generator.lr_scheduler.value_or(options.lr_scheduler())},
                         {"discriminator", gan_options_.discriminator.lr_scheduler.value_or(options.lr_scheduler())}});
    }

    /// The bare models, never the distribution's wrappers.
    [[nodiscard]] Generator& generator() { return generator_.model; }
    [[nodiscard]] Discriminator& discriminator() { return discriminator_.model; }
    /// A torch::optim::Optimizer is reached through its adapter.
    [[nodiscard]] auto& generator_optimizer() { return generator_.optimizer; }
    [[nodiscard]] auto& discriminator_optimizer() { return discriminator_.optimizer; }
    /// Both models, under the names `generator` and `discriminator`.
    [[nodiscard]] torch::nn::Module& module() override { return *module_; }
    /// Those of the generator.
    [[nodiscard]] const std::vector<optim::ParamGroup>& parameter_groups() const override {
        return generator_.optimizer.groups();
    }
    [[nodiscard]] std::vector<Metric> learning_rates() const override {
        std::vector<Metric> rates;
        this->append_learning_rates(generator_.optimizer.groups(), "learning_rate generator", rates);
        this->append_learning_rates(discriminator_.optimizer.groups(), "learning_rate discriminator", rates);
        return rates;
    }
    /// Of those sides whose optimizer has one.
    [[nodiscard]] optim::AveragedParameters* moving_average() override { return averages_ ? &*averages_ : nullptr; }

private:
    using Base::amp_;
    using Base::distribution_;

    static const TrainerOptions& checked(const TrainerOptions& options, const GANOptions& gan_options) {
        gan_options.check(options);
        return options;
    }
    /// A GAN's criteria compare several outputs: none of them goes without saying.
    static const criterion::Criteria& checked(const criterion::Criteria& criteria, const char* side) {
        for (const criterion::WeightedCriterion& entry : criteria) {
            if (entry.estimated.empty()) {
                throw UsageError(
                    std::string("the ") + side + "'s criterion '" + entry.name +
                    "' does not say which outputs it takes; map them as estimated, say {input: fake_prob}");
            }
        }
        return criteria;
    }

    void collect_averages() {
        std::vector<optim::AveragedParameters*> averages;
        for (optim::AveragedParameters* const average :
             {generator_.moving_average(), discriminator_.moving_average()}) {
            if (average != nullptr) {
                averages.push_back(average);
            }
        }
        if (!averages.empty()) {
            averages_.emplace(std::move(averages));
        }
    }

    Context make_context(const GANKeyMapping& mapping) {
        return Context(generator_.wrapped, discriminator_.wrapped,
                       *ModelTraits<Discriminator>::pointer(discriminator_.model), mapping, losses_, amp_,
                       distribution_);
    }

    /// In the order of the slots: both totals, the generator's criteria, the discriminator's.
    [[nodiscard]] std::vector<std::string> metric_names() const {
        std::vector<std::string> names{"total generator", "total discriminator"};
        for (const Loss* loss : {&losses_.generator, &losses_.discriminator}) {
            for (const criterion::WeightedCriterion& entry : loss->criteria()) {
                if (std::find(names.begin(), names.end(), entry.name) != names.end()) {
                    throw UsageError("two losses of the GAN are called '" + entry.name +
                                     "'; the generator's and the discriminator's criteria need different names");
                }
                names.push_back(entry.name);
            }
        }
        return names;
    }

    [[nodiscard]] int64_t batches_per_iteration() const override { return gan_options_.batches_per_iteration(); }
    [[nodiscard]] int64_t values_per_iteration(std::string_view metric) const override {
        bool is_generators = metric == "total generator";
        for (const criterion::WeightedCriterion& entry : losses_.generator.criteria()) {
            is_generators = is_generators || metric == entry.name;
        }
        return is_generators ? gan_options_.generator.steps : gan_options_.discriminator.steps;
    }

    /// Every batch ends with steps, so that each of them is synchronized.
    void train_batch(const data::Batch& batch, MetricSums& sums, bool /*synchronize*/, int64_t window) override {
        const int64_t position = position_++;
        const bool trains_generator = position >= window - gan_options_.generator.steps;
        context_.begin(true, sums);
        generate(batch, trains_generator);
        if (position < gan_options_.discriminator.steps) {
            discriminator_step(batch, sums);
        }
        if (trains_generator) {
            generator_backward(batch, sums);
        }
        context_.end();
        if (position + 1 < window) {
            if (trains_generator) {
                step(generator_, 0);
            }
            amp_.update();
        }
    }

    /// Once for both sides.
    void generate(const data::Batch& batch, bool trains_generator) {
        const at::AutoGradMode mode(trains_generator);
        [[maybe_unused]] const auto autocast = amp_.autocast();
        context_.generate(batch);
    }

    void discriminator_step(const data::Batch& batch, MetricSums& sums) {
        context_.begin_discriminator_step();
        const at::Tensor loss = step_.discriminator_loss(context_, batch);
        sums.add(1, loss);
        discriminator_.optimizer.zero_grad();
        amp_.scale(loss).backward();
        this->enter_step();
        step(discriminator_, 1);
    }

    /// Gradients pass through the discriminator, and leave none there: nothing of it is reduced over the ranks.
    void generator_backward(const data::Batch& batch, MetricSums& sums) {
        context_.begin_generator_step();
        at::Tensor loss;
        {
            const detail::FrozenScope frozen(discriminator_.module());
            [[maybe_unused]] const auto local = distribution_.no_sync();
            loss = step_.generator_loss(context_, batch);
        }
        sums.add(0, loss);
        generator_.optimizer.zero_grad();
        amp_.scale(loss).backward();
    }

    template <class OneSide>
    void step(OneSide& side, std::size_t part) {
        if (side.clipper) {
            amp_.unscale(side.optimizer);
            this->clip_gradients(side.clipper, std::as_const(side.optimizer).groups(), part);
        }
        amp_.step(side.optimizer);
    }

    /// The last step of the iteration. The scaler learns of both sides at once.
    void optimizer_step() override {
        step(generator_, 0);
        amp_.update();
    }

    void zero_grad() override {
        position_ = 0;
        generator_.optimizer.zero_grad();
        discriminator_.optimizer.zero_grad();
    }

    void evaluate_batch(const data::Batch& batch, MetricSums& sums) override {
        validation_context_.begin(false, sums);
        {
            [[maybe_unused]] const auto autocast = amp_.autocast();
            validation_context_.generate(batch);
        }
        validation_context_.begin_discriminator_step();
        sums.add(1, step_.discriminator_loss(validation_context_, batch));
        validation_context_.begin_generator_step();
        sums.add(0, step_.generator_loss(validation_context_, batch));
        this->notify_validation_batch(batch, validation_context_.outputs());
        validation_context_.end();
    }

    void check_join() override { throw UsageError("a GAN's models need data on all ranks"); }

    [[nodiscard]] StateDict model_state() override {
        return {{"generator", checkpoint::module_state(generator_.module())},
                {"discriminator", checkpoint::module_state(discriminator_.module())}};
    }
    void load_model_state(const StateDict& state) override {
        checkpoint::load_module_state(generator_.module(), state.at("generator").as_dict());
        checkpoint::load_module_state(discriminator_.module(), state.at("discriminator").as_dict());
    }
    [[nodiscard]] StateDict optimizer_state() const override {
        return {{"generator", generator_.optimizer.state_dict()},
                {"discriminator", discriminator_.optimizer.state_dict()}};
    }
    void load_optimizer_state(const StateDict& state) override {
        generator_.optimizer.load_state_dict(state.at("generator").as_dict());
        discriminator_.optimizer.load_state_dict(state.at("discriminator").as_dict());
    }
    [[nodiscard]] StateDict moving_average_state() override {
        return {{"generator", generator_.moving_average_state()},
                {"discriminator", discriminator_.moving_average_state()}};
    }

    GANOptions gan_options_;
    GeneratorSide generator_;
    DiscriminatorSide discriminator_;
    std::optional<optim::MovingAverages> averages_;
    std::shared_ptr<detail::GANModule> module_;
    Step step_;
    GAN<Loss> losses_;
    Context context_;
    Context validation_context_;
    /// Of the next batch in its iteration.
    int64_t position_ = 0;
};

} // namespace audyn::trainer

namespace audyn {
using trainer::GANTrainer;
} // namespace audyn
