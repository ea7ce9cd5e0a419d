#pragma once

#include <audyn/core/error.hpp>
#include <audyn/criterion/criterion.hpp>

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/l1_loss.h>
#include <ATen/ops/mse_loss.h>
#include <c10/util/Exception.h>
#include <torch/nn/module.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

/// Losses under the names of `torch.nn`, with Python's defaults and values.
namespace audyn::criterion {

/// What becomes of the losses of a batch's elements.
enum class Reduction { none, mean, sum };

namespace detail {

[[nodiscard]] inline int64_t reduction_code(Reduction reduction) {
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

/// A loss of (input, target).
class PairLoss : public Criterion {
public:
    [[nodiscard]] std::span<const std::string> arguments() const final { return names_; }
    [[nodiscard]] at::Tensor forward(std::span<const at::Tensor> arguments) final {
        if (arguments.size() != names_.size()) {
            throw UsageError("a loss of input and target got " + std::to_string(arguments.size()) + " tensors");
        }
        return loss(arguments[0], arguments[1]);
    }

protected:
    explicit PairLoss(Reduction reduction) : reduction_(reduction_code(reduction)) {}
    [[nodiscard]] virtual at::Tensor loss(const at::Tensor& input, const at::Tensor& target) = 0;
    [[nodiscard]] int64_t reduction() const { return reduction_; }

private:
    std::array<std::string, 2> names_{"input", "target"};
    int64_t reduction_;
};

/// A loss of two tensors of one shape.
class ElementwiseLoss : public PairLoss {
protected:
    using PairLoss::PairLoss;

    /// Warns, once, when the shapes differ: libtorch would broadcast them, which is hardly ever meant.
    void check_shapes(const char* name, const at::Tensor& input, const at::Tensor& target) {
        if (!warned_ && input.sizes() != target.sizes()) {
            warned_ = true;
            TORCH_WARN(name, ": the target's shape ", target.sizes(), " differs from the input's, ", input.sizes(),
                       "; they are broadcast, which is probably not what you want");
        }
    }

private:
    bool warned_ = false;
};

} // namespace detail

/// Options of CrossEntropyLoss with Python's names and defaults.
class CrossEntropyLossOptions {
public:
    /// A float tensor with one weight for each class.
    CrossEntropyLossOptions& weight(at::Tensor value) { return weight_ = std::move(value), *this; }
    /// Targets of this class do not count.
    CrossEntropyLossOptions& ignore_index(int64_t value) { return ignore_index_ = value, *this; }
    CrossEntropyLossOptions& reduction(Reduction value) { return reduction_ = value, *this; }
    /// In [0, 1].
    CrossEntropyLossOptions& label_smoothing(double value) { return label_smoothing_ = value, *this; }

    [[nodiscard]] const at::Tensor& weight() const { return weight_; }
    [[nodiscard]] int64_t ignore_index() const { return ignore_index_; }
    [[nodiscard]] Reduction reduction() const { return reduction_; }
    [[nodiscard]] double label_smoothing() const { return label_smoothing_; }

private:
    at::Tensor weight_;
    int64_t ignore_index_ = -100;
    Reduction reduction_ = Reduction::mean;
    double label_smoothing_ = 0.0;
};

/// `torch.nn.CrossEntropyLoss`: input (N, C, ...) of logits, target (N, ...) of int64 classes or (N, C, ...) of
/// probabilities.
class CrossEntropyLoss final : public detail::PairLoss {
public:
    explicit CrossEntropyLoss(const CrossEntropyLossOptions& options = {})
        : PairLoss(options.reduction()),
          ignore_index_(options.ignore_index()),
          label_smoothing_(options.label_smoothing()) {
        if (!(label_smoothing_ >= 0.0 && label_smoothing_ <= 1.0)) {
            throw UsageError("CrossEntropyLoss's label_smoothing must lie in [0, 1], got " +
                             std::to_string(label_smoothing_));
        }
        if (options.weight().defined()) {
            module_ = std::make_shared<Buffers>(options.weight());
        }
    }

    /// Holds the buffer `weight` when there is one.
    [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return module_; }

protected:
    [[nodiscard]] at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override {
        const std::optional<at::Tensor> weight = module_ ? std::optional(module_->weight) : std::nullopt;
        return at::cross_entropy_loss(input, target, weight, reduction(), ignore_index_, label_smoothing_);
    }

private:
    struct Buffers : torch::nn::Module {
        explicit Buffers(const at::Tensor& weights)
            : torch::nn::Module("CrossEntropyLoss"), weight(register_buffer("weight", weights)) {}
        at::Tensor weight;
    };

    int64_t ignore_index_;
    double label_smoothing_;
    std::shared_ptr<Buffers> module_;
};

/// `torch.nn.MSELoss`: mean of squared differences.
class MSELoss final : public detail::ElementwiseLoss {
public:
    explicit MSELoss(Reduction reduction = Reduction::mean) : ElementwiseLoss(reduction) {}

protected:
    [[nodiscard]] at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override {
        check_shapes("MSELoss", input, target);
        return at::mse_loss(input, target, reduction());
    }
};

/// `torch.nn.L1Loss`: mean of absolute differences.
class L1Loss final : public detail::ElementwiseLoss {
public:
    explicit L1Loss(Reduction reduction = Reduction::mean) : ElementwiseLoss(reduction) {}

protected:
    [[nodiscard]] at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override {
        check_shapes("L1Loss", input, target);
        return at::l1_loss(input, target, reduction());
    }
};

} // namespace audyn::criterion
