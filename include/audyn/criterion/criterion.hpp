#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/names.hpp>
#include <audyn/criterion/input_checks.hpp>

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/broadcast_tensors.h>
#include <ATen/ops/kl_div.h>
#include <torch/enum.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::criterion {

/// Compares what a model says with what it should say. Losses are called through this once per iteration, so the call
/// is virtual.
class Criterion {
public:
    Criterion() = default;
    Criterion(const Criterion&) = delete;
    Criterion& operator=(const Criterion&) = delete;
    virtual ~Criterion() = default;

    /// Names of forward's arguments in order, Python's: "input", "target".
    [[nodiscard]] virtual std::span<const std::string> arguments() const = 0;

    /// The loss; one tensor for each of arguments(). Where takes_lists(), as many for each: all of the first argument,
    /// then all of the second.
    [[nodiscard]] virtual at::Tensor forward(std::span<const at::Tensor> arguments) = 0;

    /// Whether an argument may be a list of tensors, as the outputs of several discriminators.
    [[nodiscard]] virtual bool takes_lists() const { return false; }

    /// Parameters and buffers that must move to the device and be saved, or null.
    [[nodiscard]] virtual std::shared_ptr<torch::nn::Module> module() const { return nullptr; }
};

namespace detail {

/// A function of `Count` tensors as a criterion.
template <class Function, std::size_t Count>
class FunctionCriterion final : public Criterion {
public:
    FunctionCriterion(Function function, const Names<Count>& names, std::shared_ptr<torch::nn::Module> module)
        : function_(std::move(function)), names_(names.begin(), names.end()), module_(std::move(module)) {}

    [[nodiscard]] std::span<const std::string> arguments() const override { return names_; }

    [[nodiscard]] at::Tensor forward(std::span<const at::Tensor> arguments) override {
        if (arguments.size() != Count) {
            throw UsageError("a criterion of " + std::to_string(Count) + " arguments got " +
                             std::to_string(arguments.size()));
        }
        return [&]<std::size_t... index>(std::index_sequence<index...>) {
            return function_(arguments[index]...);
        }
        (std::make_index_sequence<Count>());
    }

    [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return module_; }

private:
    Function function_;
    std::vector<std::string> names_;
    std::shared_ptr<torch::nn::Module> module_;
};

} // namespace detail

/// A module holder, such as `torch::nn::CrossEntropyLoss`.
template <class T>
concept ModuleHolder = requires(const T& holder) {
    { holder.ptr() } -> std::convertible_to<std::shared_ptr<torch::nn::Module>>;
};

namespace detail {

/// Options of a loss of class labels.
template <class T>
concept HasIgnoreIndex = requires(const T& holder) {
    { holder->options.ignore_index() } -> std::convertible_to<int64_t>;
};

/// KLDivLoss.
template <class T>
concept HasLogTarget = requires(const T& holder) {
    { holder->options.log_target() } -> std::convertible_to<bool>;
};

/// A holder of a loss module as a function of tensors, with what libtorch leaves to the caller: labels out of range are
/// explained, and what libtorch would warn of at every step is warned of once.
template <class Loss>
class HolderCall {
public:
    explicit HolderCall(Loss loss)
        : loss_(std::move(loss)),
          name_(loss_name(loss_.ptr()->name())),
          is_elementwise_(detail::is_elementwise(name_)),
          warning_(name_),
          labels_(name_, ignore_index()) {}

    template <class... Tensors>
    at::Tensor operator()(const at::Tensor& input, const at::Tensor& target, const Tensors&... others) {
        if constexpr (HasIgnoreIndex<Loss>) {
            return labels_.call(input, target, [&] { return loss_->forward(input, target, others...); });
        } else {
            if (is_elementwise_ && input.sizes() != target.sizes()) {
                warning_.check(input, target);
                if constexpr (!HasLogTarget<Loss>) { // It divides by the batch size of the input as it is.
                    const std::vector<at::Tensor> both = at::broadcast_tensors({input, target});
                    return loss_->forward(both[0], both[1], others...);
                }
            }
            if constexpr (HasLogTarget<Loss>) {
                if (std::holds_alternative<torch::enumtype::kMean>(loss_->options.reduction())) {
                    mean_warning_.give();
                    return at::kl_div(input, target, at::Reduction::Mean, loss_->options.log_target());
                }
            }
            return loss_->forward(input, target, others...);
        }
    }
    at::Tensor operator()(const at::Tensor& input) { return loss_->forward(input); }

private:
    int64_t ignore_index() const {
        if constexpr (HasIgnoreIndex<Loss>) {
            return loss_->options.ignore_index();
        } else {
            return 0;
        }
    }

    Loss loss_;
    std::string name_;
    bool is_elementwise_;
    BroadcastWarning warning_;
    MeanDivergenceWarning mean_warning_;
    LabelCheck labels_;
};

} // namespace detail

/// Makes a criterion of a holder of a loss module, or of anything that can be called with tensors; `names` are those of
/// the arguments: `make(torch::nn::TripletMarginLoss(), names("anchor", "positive", "negative"))`. Losses of libtorch
/// that compare element by element warn, once, of shapes that they broadcast; those of class labels explain labels out
/// of range, on CUDA in the first batch only.
template <class Loss, std::size_t Count = 2>
[[nodiscard]] std::shared_ptr<Criterion> make(Loss loss, const Names<Count>& names = audyn::names("input", "target")) {
    if constexpr (ModuleHolder<Loss>) {
        const std::shared_ptr<torch::nn::Module> module = loss.ptr();
        return std::make_shared<detail::FunctionCriterion<detail::HolderCall<Loss>, Count>>(
            detail::HolderCall<Loss>(std::move(loss)), names, module);
    } else {
        return std::make_shared<detail::FunctionCriterion<Loss, Count>>(std::move(loss), names, nullptr);
    }
}

} // namespace audyn::criterion
