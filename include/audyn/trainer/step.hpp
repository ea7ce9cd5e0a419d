#pragma once

#include <audyn/data/batch.hpp>
#include <audyn/trainer/forward_call.hpp>
#include <audyn/trainer/loss.hpp>
#include <audyn/trainer/metric_sums.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace audyn::trainer {

/// What a step gets beside its batch. `Module` is the implementation class of the model, `Wrapped` what the
/// distribution made of it (a pointer to something with forward). Valid during the call only.
template <class Module, class Wrapped, class AmpPolicy, class DistPolicy>
class StepContext {
public:
    StepContext(Wrapped& wrapped, ForwardCall<Module>& forward_call, Loss& loss, AmpPolicy& amp,
                DistPolicy& distribution)
        : wrapped_(wrapped), forward_call_(forward_call), loss_(loss), amp_(amp), distribution_(distribution) {}

    /// The model as the distribution wrapped it; call its forward, not that of the bare module.
    [[nodiscard]] auto& model() { return *wrapped_; }
    [[nodiscard]] AmpPolicy& amp() { return amp_; }
    [[nodiscard]] DistPolicy& distribution() { return distribution_; }
    [[nodiscard]] const criterion::Criteria& criteria() const { return loss_.criteria(); }
    /// False during validation and test.
    [[nodiscard]] bool training() const { return training_; }

    /// Runs the model on the values that the key mapping names, and gives its outputs their names.
    [[nodiscard]] const Outputs& forward(const data::Batch& batch) {
        outputs_.emplace(forward_call_(*wrapped_, batch));
        return *outputs_;
    }

    /// Evaluates the criteria, logs each under its name and returns the weighted total.
    [[nodiscard]] at::Tensor loss(const Outputs& outputs, const data::Batch& batch) {
        return loss_(outputs, batch, *sums_, [this](std::size_t position) { return forward_call_.takes(position); });
    }

    /// Averages `value`, a 0-dim tensor, over the epoch under `name`, without reading it from its device.
    void log(std::string_view name, const at::Tensor& value) { sums_->add(sums_->slot(name), value); }
    void log(std::string_view name, double value) { sums_->add(sums_->slot(name), value); }

    /// Outputs of the last `forward` since `begin`, if there was one.
    [[nodiscard]] const std::optional<Outputs>& outputs() const { return outputs_; }

    /// For the trainer: the next call of the step trains or evaluates, and logs to `sums`.
    void begin(bool training, MetricSums& sums) {
        training_ = training;
        sums_ = &sums;
        outputs_.reset();
    }
    /// For the trainer: lets go of the outputs, and with them of the autograd graph.
    void end() { outputs_.reset(); }

private:
    Wrapped& wrapped_;
    ForwardCall<Module>& forward_call_;
    Loss& loss_;
    AmpPolicy& amp_;
    DistPolicy& distribution_;
    MetricSums* sums_ = nullptr;
    bool training_ = true;
    std::optional<Outputs> outputs_;
};

/// The default step: the loss of one batch is that of the criteria on the model's outputs, computed under autocast.
struct SupervisedStep {
    template <class Context>
    at::Tensor operator()(Context& context, const data::Batch& batch) const {
        [[maybe_unused]] const auto autocast = context.amp().autocast();
        return context.loss(context.forward(batch), batch);
    }
};

} // namespace audyn::trainer

namespace audyn {
using trainer::SupervisedStep;
} // namespace audyn
