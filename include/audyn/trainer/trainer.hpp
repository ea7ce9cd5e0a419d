#pragma once

#include <audyn/amp/concepts.hpp>
#include <audyn/amp/policy.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/distributed/concepts.hpp>
#include <audyn/distributed/single_process.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/optim/concepts.hpp>
#include <audyn/optim/torch_optimizer.hpp>
#include <audyn/trainer/concepts.hpp>
#include <audyn/trainer/forward_call.hpp>
#include <audyn/trainer/loss.hpp>
#include <audyn/trainer/options.hpp>
#include <audyn/trainer/step.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

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
class Trainer final : public TrainerBase {
    static_assert(check_model<Model>());
    using Module = typename ModelTraits<Model>::Module;
    static constexpr bool is_torch_optimizer = std::derived_from<Optimizer, torch::optim::Optimizer>;
    using AdaptedOptimizer = std::conditional_t<is_torch_optimizer, optim::TorchOptimizer, Optimizer>;
    using Wrapped = decltype(std::declval<DistPolicy&>().wrap(std::declval<Model&>()));
    using Context = StepContext<Module, Wrapped, AmpPolicy, DistPolicy>;
    static_assert(optim::check_optimizer<AdaptedOptimizer>());
    static_assert(amp::check_amp_policy<AmpPolicy>());
    static_assert(distributed::check_dist_policy<DistPolicy>());
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
        : TrainerBase(options, make_console(distribution.rank())),
          model_(std::move(model)),
          optimizer_(adapt(std::move(optimizer), module())),
          amp_(std::move(amp)),
          distribution_(std::move(distribution)),
          step_(std::move(step)),
          loss_(criterion::make_criteria(std::move(criteria))),
          forward_call_(options.key_mapping()),
          validation_forward_call_(options.validation_key_mapping()),
          wrapped_(wrap_on(options.device())),
          context_(wrapped_, forward_call_, loss_, amp_, distribution_),
          validation_context_(wrapped_, validation_forward_call_, loss_, amp_, distribution_) {
        if (AmpPolicy::scales_loss && needs_closure()) {
            throw UsageError(
                "the optimizer needs step(closure), as LBFGS does, which the loss scaling of float16 does not "
                "allow; train in bfloat16 or without mixed precision");
        }
        if constexpr (DistPolicy::enabled) {
            if (optim::AveragedParameters* const averages = moving_average()) {
                averages->start(); // Only now all ranks have the parameters of one.
            }
        }
        for (const criterion::WeightedCriterion& entry : loss_.criteria()) {
            if (const auto loss_module = entry.criterion->module()) {
                loss_module->to(options.device());
            }
        }
        initialize_metrics(loss_.metric_names());
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
        if constexpr (requires { optimizer_.averaged_parameters(); }) {
            return optimizer_.averaged_parameters();
        } else if constexpr (requires { *optimizer_.moving_average(); }) {
            return optimizer_.moving_average();
        } else if constexpr (requires { optimizer_.moving_average(); }) {
            return &optimizer_.moving_average();
        } else {
            return nullptr;
        }
    }
    [[nodiscard]] AmpPolicy& amp() { return amp_; }
    [[nodiscard]] DistPolicy& distribution() { return distribution_; }
    [[nodiscard]] bool is_main_process() const override { return distribution_.is_main_process(); }
    [[nodiscard]] int64_t rank() const override { return distribution_.rank(); }
    [[nodiscard]] int64_t world_size() const override { return distribution_.world_size(); }

private:
    /// A distribution lays its buffers where the parameters are.
    Wrapped wrap_on(const c10::Device& device) {
        module().to(device);
        return distribution_.wrap(model_);
    }

    static AdaptedOptimizer adapt(Optimizer optimizer, const torch::nn::Module& module) {
        if constexpr (is_torch_optimizer) {
            return optim::TorchOptimizer(std::make_unique<Optimizer>(std::move(optimizer)), module.named_parameters());
        } else {
            return optimizer;
        }
    }

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

    void optimizer_step(bool clip) override {
        if (clip) {
            amp_.unscale(optimizer_);
            clip_gradients(optimizer_.parameters());
        }
        amp_.step(optimizer_);
        amp_.update();
    }

    [[nodiscard]] bool needs_closure() const override {
        if constexpr (optim::MayNeedClosure<AdaptedOptimizer>) {
            return optimizer_.needs_closure();
        } else {
            return false;
        }
    }
    void closure_step(const optim::Closure& closure, bool clip) override {
        optimizer_.step([&] {
            at::Tensor loss = closure();
            if (clip) {
                clip_gradients(optimizer_.parameters());
            }
            return loss;
        });
    }

    void evaluate_batch(const data::Batch& batch, MetricSums& sums) override {
        validation_context_.begin(false, sums);
        sums.add(0, step_(validation_context_, batch));
        if (const auto& outputs = validation_context_.outputs()) {
            notify_validation_batch(batch, *outputs);
        }
        validation_context_.end();
    }

    std::vector<at::Tensor> all_gather(const at::Tensor& tensor) override { return distribution_.all_gather(tensor); }
    void all_reduce_sum(at::Tensor& tensor) override { distribution_.all_reduce_sum(tensor); }
    void check_join() override {
        if constexpr (requires { distribution_.check_join(); }) {
            distribution_.check_join();
        } else {
            throw UsageError("the distribution cannot go on without all of them");
        }
    }
    void join_batch([[maybe_unused]] bool synchronize) override {
        if constexpr (requires { distribution_.join(); }) {
            if (synchronize) {
                return distribution_.join();
            }
            [[maybe_unused]] const auto scope = distribution_.no_sync();
            distribution_.join();
        }
    }
    void synchronize_buffers() override {
        if constexpr (requires { distribution_.synchronize_buffers(); }) {
            distribution_.synchronize_buffers();
        }
    }
    [[nodiscard]] StateDict distribution_state() override {
        if constexpr (requires { distribution_.state_dict(); }) {
            return distribution_.state_dict();
        } else {
            return {};
        }
    }
    void load_distribution_state([[maybe_unused]] const StateDict& state) override {
        if constexpr (requires { distribution_.load_state_dict(state); }) {
            distribution_.load_state_dict(state);
        }
    }

    void zero_grad() override { optimizer_.zero_grad(); }
    [[nodiscard]] StateDict optimizer_state() const override { return optimizer_.state_dict(); }
    void load_optimizer_state(const StateDict& state) override { optimizer_.load_state_dict(state); }
    [[nodiscard]] StateDict scaler_state() const override { return amp_.state_dict(); }
    void load_scaler_state(const StateDict& state) override { amp_.load_state_dict(state); }

    Model model_;
    AdaptedOptimizer optimizer_;
    AmpPolicy amp_;
    DistPolicy distribution_;
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
