#pragma once

#include <audyn/core/error.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/trainer/forward_call.hpp>
#include <audyn/trainer/gan.hpp>
#include <audyn/trainer/loss.hpp>
#include <audyn/trainer/metric_sums.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::trainer {

namespace detail {

/// The outputs of several calls under one roof. \throws UsageError when two outputs have one name.
class JoinedOutputs {
public:
    [[nodiscard]] Outputs operator()(std::initializer_list<const std::optional<Outputs>*> parts) {
        std::vector<at::Tensor> tensors;
        bool has_names = names_ != nullptr; // Those of the time before.
        for (const std::optional<Outputs>* part : parts) {
            for (std::size_t i = 0; *part && i < (*part)->size(); ++i) {
                has_names =
                    has_names && tensors.size() < names_->size() && (*names_)[tensors.size()] == (*part)->name(i);
                tensors.push_back((*part)->tensor(i));
            }
        }
        if (!has_names || names_->size() != tensors.size()) {
            names_ = std::make_shared<const std::vector<std::string>>(names_of(parts));
        }
        return {names_, std::move(tensors)};
    }

private:
    static std::vector<std::string> names_of(std::initializer_list<const std::optional<Outputs>*> parts) {
        std::vector<std::string> names;
        for (const std::optional<Outputs>* part : parts) {
            const std::size_t others = names.size();
            for (std::size_t i = 0; *part && i < (*part)->size(); ++i) {
                const std::string& name = (*part)->name(i);
                const auto end = names.begin() + static_cast<std::ptrdiff_t>(others);
                if (std::find(names.begin(), end, name) != end) {
                    throw UsageError("key_mapping: two outputs of the GAN are called '" + name +
                                     "'; give those of the generator, and those of the discriminator on fake and on "
                                     "real values, different names");
                }
                names.push_back(name);
            }
        }
        return names;
    }

    std::shared_ptr<const std::vector<std::string>> names_;
};

} // namespace detail

/// What a GAN's step gets beside its batch. `Generator` and `Discriminator` are the implementation classes of the
/// models, `Wrapped...` what the distribution made of them (pointers to something with forward). Valid during the call
/// only.
template <class Generator, class WrappedGenerator, class Discriminator, class WrappedDiscriminator, class AmpPolicy,
          class DistPolicy>
class GANContext {
public:
    GANContext(WrappedGenerator& generator, WrappedDiscriminator& discriminator, Discriminator& bare_discriminator,
               const GANKeyMapping& mapping, GAN<Loss>& losses, AmpPolicy& amp, DistPolicy& distribution)
        : generator_(generator),
          discriminator_(discriminator),
          bare_discriminator_(bare_discriminator),
          generator_call_(mapping.generator),
          fake_call_(mapping.fake),
          real_call_(mapping.real),
          losses_(losses),
          amp_(amp),
          distribution_(distribution) {}

    /// The models as the distribution wrapped them; call their forward, not that of the bare modules.
    [[nodiscard]] auto& generator() { return *generator_; }
    [[nodiscard]] auto& discriminator() { return *discriminator_; }
    [[nodiscard]] AmpPolicy& amp() { return amp_; }
    [[nodiscard]] DistPolicy& distribution() { return distribution_; }
    [[nodiscard]] const criterion::Criteria& generator_criteria() const { return losses_.generator.criteria(); }
    [[nodiscard]] const criterion::Criteria& discriminator_criteria() const { return losses_.discriminator.criteria(); }
    /// False during validation and test.
    [[nodiscard]] bool training() const { return training_; }

    /// What the generator made of the batch.
    [[nodiscard]] const Outputs& generated() const { return *generated_; }

    /// Runs the discriminator on what the generator made, once in a step: on its values alone in the discriminator's
    /// step, so that no gradient goes further.
    const Outputs& discriminate_fake(const data::Batch& batch) {
        if (!fake_) {
            fake_.emplace(discriminate(fake_call_, fake_batch(batch)));
            check_fake_input();
        }
        return *fake_;
    }

    /// Runs the discriminator on the batch, once in a step.
    const Outputs& discriminate_real(const data::Batch& batch) {
        if (!real_) {
            real_.emplace(discriminate(real_call_, batch));
            check_real_input(batch);
            if (!takes_real_) {
                takes_real_ = has_estimated(losses_.generator.criteria(), *real_);
            }
        }
        return *real_;
    }

    /// Whether a criterion of the generator takes an output of the discriminator on the batch, as feature matching
    /// does. Known once the discriminator has seen one.
    [[nodiscard]] bool generator_takes_real() const { return takes_real_.value_or(true); }

    /// Evaluates the criteria, logs each under its name and returns the weighted total. The generator's also take what
    /// the generator made.
    [[nodiscard]] at::Tensor discriminator_loss(const data::Batch& batch) {
        return loss(losses_.discriminator, discriminator_outputs_({&fake_, &real_}), batch);
    }
    [[nodiscard]] at::Tensor generator_loss(const data::Batch& batch) {
        return loss(losses_.generator, generator_outputs_({&fake_, &real_, &generated_}), batch);
    }

    /// Averages `value`, a 0-dim tensor, over the epoch under `name`, without reading it from its device.
    void log(std::string_view name, const at::Tensor& value) { sums_->add(sums_->slot(name), value); }
    void log(std::string_view name, double value) { sums_->add(sums_->slot(name), value); }

    /// For the trainer: a batch for training or evaluation, whose metrics go to `sums`.
    void begin(bool training, MetricSums& sums) {
        training_ = training;
        sums_ = &sums;
    }
    /// For the trainer: runs the generator.
    void generate(const data::Batch& batch) { generated_.emplace(generator_call_(*generator_, batch)); }
    /// For the trainer: whose step comes next.
    void begin_discriminator_step() { is_discriminator_step_ = true; }
    void begin_generator_step() {
        is_discriminator_step_ = false;
        if (training_) {
            fake_.reset();
            real_.reset();
        }
    }
    /// For the trainer: all outputs of the batch.
    [[nodiscard]] Outputs outputs() { return all_outputs_({&fake_, &real_, &generated_}); }
    /// For the trainer: lets go of the outputs, and with them of the autograd graph.
    void end() {
        generated_.reset();
        fake_.reset();
        real_.reset();
    }

private:
    using DiscriminatorCall = ForwardCall<Discriminator>;

    /// In the generator's step the frozen discriminator goes without the other ranks: its buffers are made theirs in
    /// its own next step.
    Outputs discriminate(DiscriminatorCall& call, const data::Batch& batch) {
        return is_discriminator_step_ ? call(*discriminator_, batch) : call(bare_discriminator_, batch);
    }

    /// The generator's outputs, and the batch's values of other names.
    [[nodiscard]] data::Batch fake_batch(const data::Batch& batch) {
        data::Batch fake;
        fake.reserve(generated_->size() + batch.size());
        for (std::size_t i = 0; i < generated_->size();) {
            const std::string& name = generated_->name(i);
            std::vector<at::Tensor> tensors;
            for (; i < generated_->size() && generated_->name(i) == name; ++i) {
                const at::Tensor& tensor = generated_->tensor(i);
                tensors.push_back(is_discriminator_step_ && tensor.defined() ? tensor.detach() : tensor);
            }
            fake.set(name, tensors.size() == 1 ? data::BatchValue(tensors[0]) : data::BatchValue(std::move(tensors)));
        }
        generated_count_ = fake.size();
        for (const data::Batch::Entry& entry : batch) {
            if (!fake.contains(entry.first)) {
                fake.set(entry.first, entry.second);
            }
        }
        return fake;
    }

    void check_fake_input() const {
        if constexpr (!DiscriminatorCall::takes_batch) {
            for (std::size_t i = 0; i < generated_count_; ++i) {
                if (fake_call_.takes(i)) {
                    return;
                }
            }
            throw UsageError("key_mapping of the discriminator's fake: none of its input is an output of the "
                             "generator, whose outputs are: " +
                             generated_->names());
        }
    }

    /// Without names the discriminator takes the first values of the batch, which may be meant for the generator.
    void check_real_input(const data::Batch& batch) const {
        if constexpr (!DiscriminatorCall::takes_batch && !DiscriminatorCall::has_names) {
            for (std::size_t i = 0; i < batch.size(); ++i) {
                if (real_call_.takes(i) && generator_call_.takes(i)) {
                    throw UsageError(
                        "the discriminator takes '" + batch.entry(i).first +
                        "' as real, which the generator takes too; give the discriminator "
                        "`static constexpr auto forward_arguments = audyn::names(...);` and a key mapping");
                }
            }
        }
    }

    static bool has_estimated(const criterion::Criteria& criteria, const Outputs& outputs) {
        for (const criterion::WeightedCriterion& entry : criteria) {
            for (const auto& [argument, name] : entry.estimated) {
                if (outputs.position(name)) {
                    return true;
                }
            }
        }
        return false;
    }

    at::Tensor loss(Loss& loss, const Outputs& outputs, const data::Batch& batch) {
        return loss(outputs, batch, *sums_, [this](std::size_t position) { return generator_call_.takes(position); });
    }

    WrappedGenerator& generator_;
    WrappedDiscriminator& discriminator_;
    Discriminator& bare_discriminator_;
    ForwardCall<Generator> generator_call_;
    DiscriminatorCall fake_call_;
    DiscriminatorCall real_call_;
    GAN<Loss>& losses_;
    AmpPolicy& amp_;
    DistPolicy& distribution_;
    MetricSums* sums_ = nullptr;
    bool training_ = true;
    bool is_discriminator_step_ = true;
    std::optional<bool> takes_real_;
    std::size_t generated_count_ = 0;
    std::optional<Outputs> generated_;
    std::optional<Outputs> fake_;
    std::optional<Outputs> real_;
    detail::JoinedOutputs discriminator_outputs_;
    detail::JoinedOutputs generator_outputs_;
    detail::JoinedOutputs all_outputs_;
};

/// The default step of a GAN: the losses of both sides are those of their criteria on what the discriminator says,
/// computed under autocast. A program's own derives from it, or has both functions: say to add a gradient penalty.
struct GANStep {
    /// The discriminator does not see where the generator's values come from.
    template <class Context>
    at::Tensor discriminator_loss(Context& context, const data::Batch& batch) const {
        [[maybe_unused]] const auto autocast = context.amp().autocast();
        context.discriminate_fake(batch);
        context.discriminate_real(batch);
        return context.discriminator_loss(batch);
    }

    /// The discriminator is frozen.
    template <class Context>
    at::Tensor generator_loss(Context& context, const data::Batch& batch) const {
        [[maybe_unused]] const auto autocast = context.amp().autocast();
        context.discriminate_fake(batch);
        if (context.generator_takes_real()) {
            context.discriminate_real(batch);
        }
        return context.generator_loss(batch);
    }
};

/// A GAN's step has `discriminator_loss(context, batch)` and `generator_loss(context, batch)`, which return tensors.
template <class Step, class Context>
concept GANTrainingStep = requires(Step& step, Context& context, const data::Batch& batch) {
    { step.discriminator_loss(context, batch) } -> std::convertible_to<at::Tensor>;
    { step.generator_loss(context, batch) } -> std::convertible_to<at::Tensor>;
};

} // namespace audyn::trainer

namespace audyn {
using trainer::GANStep;
} // namespace audyn
