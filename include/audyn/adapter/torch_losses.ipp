#pragma once

#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/torch_losses.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/names.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/criterion/gaussian_nll.hpp>
#include <audyn/criterion/losses.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <torch/enum.h>
#include <torch/nn/modules/loss.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::adapter::detail {

using ClassWeights = std::optional<std::vector<double>>;

inline at::Tensor weights_tensor(const ClassWeights& weights) {
    return weights ? at::tensor(*weights, at::kFloat) : at::Tensor();
}

/// Sets the reduction by Python's name. \throws UsageError for one that the loss does not have, or that is no number.
template <class Options>
Options with_reduction(Options options, const std::string& name) {
    using Reduction = std::decay_t<decltype(options.reduction())>;
    if constexpr (std::is_constructible_v<Reduction, torch::enumtype::kBatchMean>) {
        if (name == "batchmean") {
            return options.reduction(torch::kBatchMean);
        }
        if (name != "mean" && name != "sum") {
            throw UsageError("a loss for training needs the reduction 'mean', 'sum' or 'batchmean', got '" + name +
                             "'");
        }
    }
    return reduction(name) == criterion::Reduction::mean ? options.reduction(torch::kMean)
                                                         : options.reduction(torch::kSum);
}

/// Adds `torch.nn.NAME`, whose arguments are `arguments` and the reduction; `make` gives the options for values of the
/// first ones.
template <class Loss, class... Values, std::size_t count, class Make, class... Args>
void add_loss(Targets& targets, const std::string& name, const Names<count>& inputs, const Make& make,
              Args&&... arguments) {
    targets.add_function<LossPointer>(
        "torch.nn." + name,
        constructor<Values..., std::string, Unsupported, Unsupported>(
            std::forward<Args>(arguments)..., arg("reduction") = "mean", arg("size_average") = Unsupported(),
            arg("reduce") = Unsupported()),
        [inputs, make](const Values&... values, const std::string& reduction, Unsupported, Unsupported) -> LossPointer {
            return criterion::make(Loss(with_reduction(make(values...), reduction)), inputs);
        });
}

/// A loss of (input, target) without options of its own.
template <class Loss, class Options>
void add_plain_loss(Targets& targets, const std::string& name) {
    add_loss<Loss>(targets, name, names("input", "target"), [] { return Options(); });
}

AUDYN_INLINE void add_elementwise_losses(Targets& targets) {
    const auto pair = names("input", "target");
    add_loss<torch::nn::SmoothL1Loss, double>(
        targets, "SmoothL1Loss", pair, [](double beta) { return torch::nn::SmoothL1LossOptions().beta(beta); },
        arg("beta") = 1.0);
    add_loss<torch::nn::HuberLoss, double>(
        targets, "HuberLoss", pair, [](double delta) { return torch::nn::HuberLossOptions().delta(delta); },
        arg("delta") = 1.0);
    add_loss<torch::nn::BCELoss, ClassWeights>(
        targets, "BCELoss", pair,
        [](const ClassWeights& weight) { return torch::nn::BCELossOptions().weight(weights_tensor(weight)); },
        arg("weight") = ClassWeights());
    add_loss<torch::nn::BCEWithLogitsLoss, ClassWeights, ClassWeights>(
        targets, "BCEWithLogitsLoss", pair,
        [](const ClassWeights& weight, const ClassWeights& pos_weight) {
            return torch::nn::BCEWithLogitsLossOptions()
                .weight(weights_tensor(weight))
                .pos_weight(weights_tensor(pos_weight));
        },
        arg("weight") = ClassWeights(), arg("pos_weight") = ClassWeights());
    add_loss<torch::nn::KLDivLoss, bool>(
        targets, "KLDivLoss", pair,
        [](bool log_target) { return torch::nn::KLDivLossOptions().log_target(log_target); },
        arg("log_target") = false);
    add_loss<torch::nn::PoissonNLLLoss, bool, bool, double>(
        targets, "PoissonNLLLoss", names("log_input", "target"),
        [](bool log_input, bool full, double eps) {
            return torch::nn::PoissonNLLLossOptions().log_input(log_input).full(full).eps(eps);
        },
        arg("log_input") = true, arg("full") = false, arg("eps") = 1e-8);
    add_plain_loss<torch::nn::SoftMarginLoss, torch::nn::SoftMarginLossOptions>(targets, "SoftMarginLoss");
    add_loss<torch::nn::HingeEmbeddingLoss, double>(
        targets, "HingeEmbeddingLoss", pair,
        [](double margin) { return torch::nn::HingeEmbeddingLossOptions().margin(margin); }, arg("margin") = 1.0);
    targets.add_function<LossPointer>(
        "torch.nn.GaussianNLLLoss",
        constructor<bool, double, std::string>(arg("full") = false, arg("eps") = 1e-6, arg("reduction") = "mean"),
        [](bool full, double eps, const std::string& name) -> LossPointer {
            return std::make_shared<criterion::GaussianNLLLoss>(
                criterion::GaussianNLLLossOptions().full(full).eps(eps).reduction(reduction(name)));
        });
}

AUDYN_INLINE void add_class_losses(Targets& targets) {
    const auto pair = names("input", "target");
    targets.add_function<LossPointer>(
        "torch.nn.CrossEntropyLoss",
        constructor<ClassWeights, int64_t, std::string, double, Unsupported, Unsupported>(
            arg("weight") = ClassWeights(), arg("ignore_index") = -100, arg("reduction") = "mean",
            arg("label_smoothing") = 0.0, arg("size_average") = Unsupported(), arg("reduce") = Unsupported()),
        [](const ClassWeights& weight, int64_t ignore_index, const std::string& name, double label_smoothing,
           Unsupported, Unsupported) -> LossPointer {
            return std::make_shared<criterion::CrossEntropyLoss>(criterion::CrossEntropyLossOptions()
                                                                     .weight(weights_tensor(weight))
                                                                     .ignore_index(ignore_index)
                                                                     .reduction(reduction(name))
                                                                     .label_smoothing(label_smoothing));
        });
    add_loss<torch::nn::NLLLoss, ClassWeights, int64_t>(
        targets, "NLLLoss", pair,
        [](const ClassWeights& weight, int64_t ignore_index) {
            return torch::nn::NLLLossOptions().weight(weights_tensor(weight)).ignore_index(ignore_index);
        },
        arg("weight") = ClassWeights(), arg("ignore_index") = -100);
    add_loss<torch::nn::MultiMarginLoss, int64_t, double, ClassWeights>(
        targets, "MultiMarginLoss", pair,
        [](int64_t p, double margin, const ClassWeights& weight) {
            return torch::nn::MultiMarginLossOptions().p(p).margin(margin).weight(weights_tensor(weight));
        },
        arg("p") = 1, arg("margin") = 1.0, arg("weight") = ClassWeights());
    add_plain_loss<torch::nn::MultiLabelMarginLoss, torch::nn::MultiLabelMarginLossOptions>(targets,
                                                                                            "MultiLabelMarginLoss");
    add_loss<torch::nn::MultiLabelSoftMarginLoss, ClassWeights>(
        targets, "MultiLabelSoftMarginLoss", pair,
        [](const ClassWeights& weight) {
            return torch::nn::MultiLabelSoftMarginLossOptions().weight(weights_tensor(weight));
        },
        arg("weight") = ClassWeights());
    add_loss<torch::nn::CTCLoss, int64_t, bool>(
        targets, "CTCLoss", names("log_probs", "targets", "input_lengths", "target_lengths"),
        [](int64_t blank, bool zero_infinity) {
            return torch::nn::CTCLossOptions().blank(blank).zero_infinity(zero_infinity);
        },
        arg("blank") = 0, arg("zero_infinity") = false);
}

/// What a program's target gives for `distance_function`.
using Distance = std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>;

AUDYN_INLINE double positive_margin(double margin) {
    if (!(margin > 0.0)) {
        throw UsageError("margin must be above 0, got " + std::to_string(margin));
    }
    return margin;
}

AUDYN_INLINE void add_embedding_losses(Targets& targets) {
    add_loss<torch::nn::CosineEmbeddingLoss, double>(
        targets, "CosineEmbeddingLoss", names("input1", "input2", "target"),
        [](double margin) { return torch::nn::CosineEmbeddingLossOptions().margin(margin); }, arg("margin") = 0.0);
    add_loss<torch::nn::MarginRankingLoss, double>(
        targets, "MarginRankingLoss", names("input1", "input2", "target"),
        [](double margin) { return torch::nn::MarginRankingLossOptions().margin(margin); }, arg("margin") = 0.0);
    const auto triplet = names("anchor", "positive", "negative");
    add_loss<torch::nn::TripletMarginLoss, double, double, double, bool>(
        targets, "TripletMarginLoss", triplet,
        [](double margin, double p, double eps, bool swap) {
            return torch::nn::TripletMarginLossOptions().margin(positive_margin(margin)).p(p).eps(eps).swap(swap);
        },
        arg("margin") = 1.0, arg("p") = 2.0, arg("eps") = 1e-6, arg("swap") = false);
    add_loss<torch::nn::TripletMarginWithDistanceLoss, std::optional<Distance>, double, bool>(
        targets, "TripletMarginWithDistanceLoss", triplet,
        [](const std::optional<Distance>& distance_function, double margin, bool swap) {
            return torch::nn::TripletMarginWithDistanceLossOptions()
                .distance_function(distance_function)
                .margin(positive_margin(margin))
                .swap(swap);
        },
        arg("distance_function") = std::optional<Distance>(), arg("margin") = 1.0, arg("swap") = false);
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_torch_losses(Targets& targets) {
    detail::add_elementwise_losses(targets);
    detail::add_class_losses(targets);
    detail::add_embedding_losses(targets);
}

} // namespace audyn::adapter
