#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/adversarial.hpp>

#include <ATen/ops/l1_loss.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softplus.h>

#include <cstddef>

namespace audyn::criterion::detail {

AUDYN_INLINE at::Tensor ListLoss::forward(std::span<const at::Tensor> arguments) {
    const std::size_t count = arguments.size() / names_.size();
    if (count == 0 || arguments.size() % names_.size() != 0) {
        std::string names;
        for (const std::string& name : names_) {
            names += (names.empty() ? "" : ", ") + name;
        }
        throw UsageError("a loss of lists (" + names +
                         ") needs the same number of tensors, at least one, for each; got " +
                         std::to_string(arguments.size()) + " in all");
    }
    at::Tensor total;
    std::vector<at::Tensor> place(names_.size());
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < names_.size(); ++j) {
            place[j] = arguments[j * count + i];
        }
        const at::Tensor one = loss(place, count);
        total = total.defined() ? total + one : one;
    }
    return total;
}

/// Of scores that should be those of true samples, or of generated ones.
AUDYN_INLINE at::Tensor discriminator_loss(const at::Tensor& scores, bool is_true, AdversarialLossType type) {
    switch (type) {
    case AdversarialLossType::mse:
        return (is_true ? scores - 1 : scores).square().mean();
    case AdversarialLossType::hinge:
        return at::relu(is_true ? 1 - scores : 1 + scores).mean();
    case AdversarialLossType::bce:
        return at::softplus(is_true ? -scores : scores).mean();
    }
    throw UsageError("unknown type of adversarial loss");
}

} // namespace audyn::criterion::detail

namespace audyn::criterion {

AUDYN_INLINE DiscriminatorHingeLoss::DiscriminatorHingeLoss(bool minimize, double margin, Reduction reduction)
    : ListLoss({"input"}), minimize_(minimize), margin_(margin), reduction_(reduction) {
    if (!(margin_ >= 0.0)) {
        throw UsageError("DiscriminatorHingeLoss: margin must not be negative, got " + std::to_string(margin_));
    }
}

AUDYN_INLINE at::Tensor DiscriminatorHingeLoss::loss(std::span<const at::Tensor> arguments, std::size_t) const {
    const at::Tensor& scores = arguments[0];
    return detail::reduce(at::relu(minimize_ ? margin_ + scores : margin_ - scores), reduction_);
}

AUDYN_INLINE at::Tensor LeastSquaresLoss::loss(std::span<const at::Tensor> arguments, std::size_t) const {
    return detail::reduce((arguments[0] - target_).square(), reduction_);
}

AUDYN_INLINE at::Tensor FeatureMatchingLoss::loss(std::span<const at::Tensor> arguments, std::size_t) const {
    detail::require_same_shape("FeatureMatchingLoss", arguments[0], arguments[1]);
    return at::l1_loss(arguments[0], arguments[1].detach());
}

AUDYN_INLINE at::Tensor GeneratorAdversarialLoss::loss(std::span<const at::Tensor> arguments, std::size_t count) const {
    const at::Tensor& scores = arguments[0];
    const at::Tensor one = loss_type_ == AdversarialLossType::hinge
                               ? -scores.mean()
                               : detail::discriminator_loss(scores, true, loss_type_);
    return average_ ? one / static_cast<double>(count) : one;
}

AUDYN_INLINE at::Tensor DiscriminatorAdversarialLoss::loss(std::span<const at::Tensor> arguments,
                                                           std::size_t count) const {
    const at::Tensor one = detail::discriminator_loss(arguments[0], false, loss_type_) +
                           detail::discriminator_loss(arguments[1], true, loss_type_);
    return average_ ? one / static_cast<double>(count) : one;
}

} // namespace audyn::criterion
