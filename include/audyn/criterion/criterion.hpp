#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/names.hpp>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
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

    /// The loss; one tensor for each of arguments().
    [[nodiscard]] virtual at::Tensor forward(std::span<const at::Tensor> arguments) = 0;

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

/// Makes a criterion of a holder of a loss module, or of anything that can be called with tensors; `names` are those of
/// the arguments: `make(torch::nn::TripletMarginLoss(), names("anchor", "positive", "negative"))`.
template <class Loss, std::size_t Count = 2>
[[nodiscard]] std::shared_ptr<Criterion> make(Loss loss, const Names<Count>& names = audyn::names("input", "target")) {
    if constexpr (ModuleHolder<Loss>) {
        const auto call = [loss](const auto&... arguments) mutable { return loss->forward(arguments...); };
        return std::make_shared<detail::FunctionCriterion<std::remove_const_t<decltype(call)>, Count>>(call, names,
                                                                                                       loss.ptr());
    } else {
        return std::make_shared<detail::FunctionCriterion<Loss, Count>>(std::move(loss), names, nullptr);
    }
}

} // namespace audyn::criterion
