#pragma once

#include <audyn/amp/concepts.hpp>
#include <audyn/core/error.hpp>
#include <audyn/distributed/concepts.hpp>
#include <audyn/optim/concepts.hpp>
#include <audyn/optim/moving_average.hpp>
#include <audyn/optim/torch_optimizer.hpp>
#include <audyn/trainer/concepts.hpp>
#include <audyn/trainer/options.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <torch/nn/module.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::trainer {

namespace detail {

/// What a trainer holds of a program's optimizer: one of libtorch's gets an adapter.
template <class Optimizer>
using AdaptedOptimizer =
    std::conditional_t<std::derived_from<Optimizer, torch::optim::Optimizer>, optim::TorchOptimizer, Optimizer>;

template <class Optimizer>
AdaptedOptimizer<Optimizer> adapt_optimizer(Optimizer optimizer, const torch::nn::Module& module) {
    if constexpr (std::derived_from<Optimizer, torch::optim::Optimizer>) {
        return optim::TorchOptimizer(std::make_unique<Optimizer>(std::move(optimizer)), module.named_parameters());
    } else {
        return optimizer;
    }
}

/// What the distribution makes of a model, which is moved to `device` before: buckets lie where the parameters are.
template <class Model, class DistPolicy>
auto wrap_on(Model& model, const c10::Device& device, DistPolicy& distribution) {
    ModelTraits<Model>::pointer(model)->to(device);
    return distribution.wrap(model);
}

/// The averages that an optimizer keeps, or nullptr.
template <class Optimizer>
optim::AveragedParameters* averaged_parameters_of(Optimizer& optimizer) {
    if constexpr (requires { optimizer.averaged_parameters(); }) {
        return optimizer.averaged_parameters();
    } else if constexpr (requires { *optimizer.moving_average(); }) {
        return optimizer.moving_average();
    } else if constexpr (requires { optimizer.moving_average(); }) {
        return &optimizer.moving_average();
    } else {
        return nullptr;
    }
}

template <class Optimizer>
bool needs_closure(const Optimizer& optimizer) {
    if constexpr (optim::MayNeedClosure<Optimizer>) {
        return optimizer.needs_closure();
    } else {
        return false;
    }
}

} // namespace detail

/// What trainers have in common that depends on the AMP and the distribution alone.
template <class AmpPolicy, class DistPolicy>
class PolicyTrainer : public TrainerBase {
    static_assert(amp::check_amp_policy<AmpPolicy>());
    static_assert(distributed::check_dist_policy<DistPolicy>());

public:
    [[nodiscard]] AmpPolicy& amp() { return amp_; }
    [[nodiscard]] DistPolicy& distribution() { return distribution_; }
    [[nodiscard]] bool is_main_process() const override { return distribution_.is_main_process(); }
    [[nodiscard]] int64_t rank() const override { return distribution_.rank(); }
    [[nodiscard]] int64_t world_size() const override { return distribution_.world_size(); }

protected:
    PolicyTrainer(TrainerOptions options, const std::string& driver, AmpPolicy amp, DistPolicy distribution)
        : TrainerBase(std::move(options), driver, distribution.rank()),
          amp_(std::move(amp)),
          distribution_(std::move(distribution)) {}

    /// Once the models are wrapped: only then all ranks have the parameters of one.
    void start_averages() {
        if constexpr (DistPolicy::enabled) {
            if (optim::AveragedParameters* const averages = moving_average()) {
                averages->start();
            }
        }
    }

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

    AmpPolicy amp_;
    DistPolicy distribution_;

private:
    std::vector<at::Tensor> all_gather(const at::Tensor& tensor) override { return distribution_.all_gather(tensor); }
    void all_reduce_sum(at::Tensor& tensor) override { distribution_.all_reduce_sum(tensor); }
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
    [[nodiscard]] StateDict scaler_state() const override { return amp_.state_dict(); }
    void load_scaler_state(const StateDict& state) override { amp_.load_state_dict(state); }
};

} // namespace audyn::trainer
