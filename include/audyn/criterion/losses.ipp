#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/l1_loss.h>
#include <ATen/ops/mse_loss.h>

#include <optional>

namespace audyn::criterion::detail {

AUDYN_INLINE int64_t reduction_code(Reduction reduction) {
    switch (reduction) {
    case Reduction::none:
        return at::Reduction::None;
    case Reduction::mean:
        return at::Reduction::Mean;
    case Reduction::sum:
        return at::Reduction::Sum;
    }
    throw UsageError("unknown reduction");
}

AUDYN_INLINE at::Tensor at_least_float(const at::Tensor& tensor) {
    return at::isReducedFloatingType(tensor.scalar_type()) ? tensor.to(at::kFloat) : tensor;
}

AUDYN_INLINE at::Tensor PairLoss::forward(std::span<const at::Tensor> arguments) {
    if (arguments.size() != names_.size()) {
        throw UsageError("a loss of input and target got " + std::to_string(arguments.size()) + " tensors");
    }
    return loss(arguments[0], arguments[1]);
}

AUDYN_INLINE at::Tensor reduce(const at::Tensor& losses, Reduction reduction) {
    switch (reduction) {
    case Reduction::mean:
        return losses.mean();
    case Reduction::sum:
        return losses.sum();
    default:
        return losses;
    }
}

} // namespace audyn::criterion::detail

namespace audyn::criterion {

AUDYN_INLINE CrossEntropyLoss::CrossEntropyLoss(const CrossEntropyLossOptions& options)
    : PairLoss(options.reduction()),
      ignore_index_(options.ignore_index()),
      label_smoothing_(options.label_smoothing()),
      labels_("CrossEntropyLoss", options.ignore_index()) {
    if (!(label_smoothing_ >= 0.0 && label_smoothing_ <= 1.0)) {
        throw UsageError("CrossEntropyLoss's label_smoothing must lie in [0, 1], got " +
                         std::to_string(label_smoothing_));
    }
    if (options.weight().defined()) {
        module_ = std::make_shared<Buffers>(options.weight());
    }
}

AUDYN_INLINE at::Tensor CrossEntropyLoss::loss(const at::Tensor& input, const at::Tensor& target) {
    const std::optional<at::Tensor> weight = module_ ? std::optional(module_->weight) : std::nullopt;
    return labels_.call(input, target, [&] {
        return at::cross_entropy_loss(input, target, weight, detail::reduction_code(reduction()), ignore_index_,
                                      label_smoothing_);
    });
}

AUDYN_INLINE CrossEntropyLoss::Buffers::Buffers(const at::Tensor& weights)
    : torch::nn::Module("CrossEntropyLoss"), weight(register_buffer("weight", weights)) {}

AUDYN_INLINE at::Tensor MSELoss::loss(const at::Tensor& input, const at::Tensor& target) {
    check_shapes(input, target);
    return at::mse_loss(input, target, detail::reduction_code(reduction()));
}

AUDYN_INLINE at::Tensor L1Loss::loss(const at::Tensor& input, const at::Tensor& target) {
    check_shapes(input, target);
    return at::l1_loss(input, target, detail::reduction_code(reduction()));
}

} // namespace audyn::criterion
