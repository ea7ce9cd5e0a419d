#pragma once

#include <audyn/amp/policy.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/distributed/single_process.hpp>
#include <audyn/optim/concepts.hpp>
#include <audyn/trainer/concepts.hpp>
#include <audyn/trainer/forward_call.hpp>
#include <audyn/trainer/loss.hpp>
#include <audyn/trainer/options.hpp>
#include <audyn/trainer/policy_trainer.hpp>
#include <audyn/trainer/step.hpp>

#include <utility>
#include <vector>

namespace audyn::trainer {

/// Trains a model. Its parameters are policies, chosen at compile time:
/// - `Model`: a holder made by TORCH_MODULE, or a std::shared_ptr to a module;
/// - `Optimizer`: one of audyn::optim, any torch::optim::Optimizer, or optim::AnyOptimizer;
/// - `AmpPolicy`: amp::Disabled, amp::BFloat16 or amp::Float16;
/// - `DistPolicy`: distributed::SingleProcess or distributed::DistributedDataParallel;
/// - `Step`: what one batch means: called as `step(context, batch)`, it returns the loss.
///
/// Not movable, since callbacks refer to it. All calls come from one thread.
template <class Model, class Optimizer, class AmpPolicy = amp::Disabled, class DistPolicy = distributed::SingleProcess,
          class Step = SupervisedStep>
class Trainer final : public PolicyTrainer<AmpPolicy, DistPolicy> {
    static_assert(check_model<Model>());
    using Module = typename ModelTraits<Model>::Module;
    using Base = PolicyTrainer<AmpPolicy, DistPolicy>;
    using AdaptedOptimizer = detail::AdaptedOptimizer<Optimizer>;
    using Wrapped = decltype(std::declval<DistPolicy&>().wrap(std::declval<Model&>()));
    using Context = StepContext<Module, Wrapped, AmpPolicy, DistPolicy>;
    static_assert(optim::check_optimizer<AdaptedOptimizer>());
    static_assert(TrainingStep<Step, Context>,
                  "audyn: Step must be callable as step(context, batch) and return the loss, an at::Tensor");

public:
    /// `criteria`: a Criteria, one criterion of audyn::criterion, a loss of torch::nn, or a callable of two tensors.
    /// The model is moved to the options' device. \throws UsageError when options contradict each other.
    template <class Criteria = criterion::Criteria>
    Trainer(Model model, Optimizer optimizer, Criteria criteria = {}, TrainerOptions options = {}, Step step = {})
        : Trainer(std::move(model), std::move(optimizer), std::move(criteria), options, std::move(step),
                  AmpPolicy(options.device()), DistPolicy()) {}

    /// The same with policies that the program made.
    template <class Criteria>
    Trainer(Model model, Optimizer optimizer, Criteria criteria, TrainerOptions options, Step step, AmpPolicy amp,
            DistPolicy distribution)
        : Base(options, "BaseTrainer", std::move(amp), std::move(distribution)),
          model_(std::move(model)),
          optimizer_(detail::adapt_optimizer(std::move(optimizer), module())),
          step_(std::move(step)),
          loss_(criterion::make_criteria(std::move(criteria))),
          forward_call_(options.key_mapping()),
          validation_forward_call_(options.validation_key_mapping()),
          wrapped_(detail::wrap_on(model_, options.device(), distribution_)),
          context_(wrapped_, forward_call_, loss_, amp_, distribution_),
          validation_context_(wrapped_, validation_forward_call_, loss_, amp_, distribution_) {
        if (AmpPolicy::scales_loss && needs_closure()) {
            throw UsageError(
                "the optimizer needs step(closure), as LBFGS does, which the loss scaling of float16 does not "
                "allow; train in bfloat16 or without mixed precision");
        }
        this->start_averages();
        loss_.to(options.device());
        this->initialize_metrics(loss_.metric_names());
    }

    /// The bare model, never the distribution's wrapper.
    [[nodiscard]] Model& model() { return model_; }
    [[nodiscard]] torch::nn::Module& module() override { return *ModelTraits<Model>::pointer(model_); }
    /// A torch::optim::Optimizer is reached through its adapter.
    [[nodiscard]] AdaptedOptimizer& optimizer() { return optimizer_; }
    [[nodiscard]] const std::vector<optim::ParamGroup>& parameter_groups() const override {
        return optimizer_.groups();
    }
    [[nodiscard]] optim::AveragedParameters* moving_average() override {
        return detail::averaged_parameters_of(optimizer_);
    }

private:
    using Base::amp_;
    using Base::distribution_;

    void train_batch(const data::Batch& batch, MetricSums& sums, bool synchronize, int64_t window) override {
        if constexpr (DistPolicy::enabled) {
            if (!synchronize) {
                [[maybe_unused]] const auto scope = distribution_.no_sync();
                return forward_backward(batch, sums, window);
            }
        }
        forward_backward(batch, sums, window);
    }

    void forward_backward(const data::Batch& batch, MetricSums& sums, int64_t window) {
        context_.begin(true, sums);
        const at::Tensor loss = step_(context_, batch);
        context_.end();
        sums.add(0, loss);
        amp_.scale(window == 1 ? loss : loss / window).backward();
    }

    void optimizer_step() override {
        if (const auto& clipper = this->options().clip_gradient()) {
            amp_.unscale(optimizer_);
            this->clip_gradients(clipper, parameter_groups());
        }
        amp_.step(optimizer_);
        amp_.update();
    }

    [[nodiscard]] bool needs_closure() const override { return detail::needs_closure(optimizer_); }
    void closure_step(const optim::Closure& closure) override {
        optimizer_.step([&] {
            at::Tensor loss = closure();
            this->clip_gradients(this->options().clip_gradient(), parameter_groups());
            return loss;
        });
    }

    void evaluate_batch(const data::Batch& batch, MetricSums& sums) override {
        validation_context_.begin(false, sums);
        sums.add(0, step_(validation_context_, batch));
        if (const auto& outputs = validation_context_.outputs()) {
            this->notify_validation_batch(batch, *outputs);
        }
        validation_context_.end();
    }

    void zero_grad() override { optimizer_.zero_grad(); }
    [[nodiscard]] StateDict optimizer_state() const override { return optimizer_.state_dict(); }
    void load_optimizer_state(const StateDict& state) override { optimizer_.load_state_dict(state); }

    Model model_;
    AdaptedOptimizer optimizer_;
    Step step_;
    Loss loss_;
    ForwardCall<Module> forward_call_;
    ForwardCall<Module> validation_forward_call_;
    Wrapped wrapped_;
    Context context_;
    Context validation_context_;
};

} // namespace audyn::trainer

namespace audyn {
using trainer::Trainer;
} // namespace audyn
