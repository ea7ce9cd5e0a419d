#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

/// Losses of generators and discriminators. Each argument is one tensor or a list, the outputs of several
/// discriminators; losses of the list's tensors are added up.
namespace audyn::criterion {

namespace detail {

class ListLoss : public Criterion {
public:
    [[nodiscard]] std::span<const std::string> arguments() const final { return names_; }
    [[nodiscard]] bool takes_lists() const final { return true; }
    /// \throws UsageError when nothing is given, or lists have different lengths.
    [[nodiscard]] AUDYN_INLINE at::Tensor forward(std::span<const at::Tensor> arguments) final;

protected:
    explicit ListLoss(std::initializer_list<std::string> names) : names_(names) {}
    /// Of the tensors at one place of the lists, one for each of arguments(); `count` is the lists' length.
    [[nodiscard]] virtual at::Tensor loss(std::span<const at::Tensor> arguments, std::size_t count) const = 0;

private:
    std::vector<std::string> names_;
};

} // namespace detail

/// Audyn's `DiscriminatorHingeLoss` of the scores of true (minimize: false) or generated (true) samples.
class DiscriminatorHingeLoss final : public detail::ListLoss {
public:
    /// \throws UsageError when margin is negative.
    explicit DiscriminatorHingeLoss(bool minimize, double margin = 1.0, Reduction reduction = Reduction::mean);

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(std::span<const at::Tensor> arguments, std::size_t count) const override;

private:
    bool minimize_;
    double margin_;
    Reduction reduction_;
};

/// Audyn's `lsgan.MSELoss`: squared differences of scores from the number that they should be.
class LeastSquaresLoss final : public detail::ListLoss {
public:
    explicit LeastSquaresLoss(double target, Reduction reduction = Reduction::mean)
        : ListLoss({"input"}), target_(target), reduction_(reduction) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(std::span<const at::Tensor> arguments, std::size_t count) const override;

private:
    double target_;
    Reduction reduction_;
};

/// Audyn's `FeatureMatchingLoss`: mean absolute differences of a discriminator's features, `input` those of generated
/// and `target` those of true samples, which get no gradients.
class FeatureMatchingLoss final : public detail::ListLoss {
public:
    FeatureMatchingLoss() : ListLoss({"input", "target"}) {}

protected:
    /// \throws UsageError when the shapes differ.
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(std::span<const at::Tensor> arguments, std::size_t count) const override;
};

/// Least squares, hinge, or the cross entropy of logits, that of the first GANs.
enum class AdversarialLossType { mse, hinge, bce };

/// ParallelWaveGAN's `GeneratorAdversarialLoss` of (outputs): scores of generated samples.
class GeneratorAdversarialLoss final : public detail::ListLoss {
public:
    explicit GeneratorAdversarialLoss(bool average_by_discriminators = true,
                                      AdversarialLossType loss_type = AdversarialLossType::mse)
        : ListLoss({"outputs"}), average_(average_by_discriminators), loss_type_(loss_type) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(std::span<const at::Tensor> arguments, std::size_t count) const override;

private:
    bool average_;
    AdversarialLossType loss_type_;
};

/// The sum of the two losses of ParallelWaveGAN's `DiscriminatorAdversarialLoss` of (outputs_hat, outputs): scores of
/// generated and of true samples.
class DiscriminatorAdversarialLoss final : public detail::ListLoss {
public:
    explicit DiscriminatorAdversarialLoss(bool average_by_discriminators = true,
                                          AdversarialLossType loss_type = AdversarialLossType::mse)
        : ListLoss({"outputs_hat", "outputs"}), average_(average_by_discriminators), loss_type_(loss_type) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(std::span<const at::Tensor> arguments, std::size_t count) const override;

private:
    bool average_;
    AdversarialLossType loss_type_;
};

} // namespace audyn::criterion

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/adversarial.ipp>
#endif
