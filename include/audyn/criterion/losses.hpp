#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/criterion/input_checks.hpp>

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

/// Losses under the names of `torch.nn`, with Python's defaults and values.
namespace audyn::criterion {

/// What becomes of the losses of a batch's elements.
enum class Reduction { none, mean, sum };

namespace detail {

/// libtorch's number for it.
[[nodiscard]] AUDYN_INLINE int64_t reduction_code(Reduction reduction);

/// The losses of elements as the reduction wants them.
[[nodiscard]] AUDYN_INLINE at::Tensor reduce(const at::Tensor& losses, Reduction reduction);

/// float16 and bfloat16 as float32: what squares and adds up needs more than these hold.
[[nodiscard]] AUDYN_INLINE at::Tensor at_least_float(const at::Tensor& tensor);

/// A loss of (input, target).
class PairLoss : public Criterion {
public:
    [[nodiscard]] std::span<const std::string> arguments() const final { return names_; }
    [[nodiscard]] at::Tensor forward(std::span<const at::Tensor> arguments) final;

protected:
    explicit PairLoss(Reduction reduction) : reduction_(reduction) {}
    [[nodiscard]] virtual at::Tensor loss(const at::Tensor& input, const at::Tensor& target) = 0;
    [[nodiscard]] Reduction reduction() const { return reduction_; }

private:
    std::array<std::string, 2> names_{"input", "target"};
    Reduction reduction_;
};

/// A loss of two tensors of one shape; warns, once, of others.
class ElementwiseLoss : public PairLoss {
protected:
    ElementwiseLoss(std::string name, Reduction reduction) : PairLoss(reduction), warning_(std::move(name)) {}

    void check_shapes(const at::Tensor& input, const at::Tensor& target) { warning_.check(input, target); }

private:
    BroadcastWarning warning_;
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
/// probabilities. Classes out of range are a DataError that names one of them; on CUDA only those of the first batch,
/// later ones end the process by an assertion on the device.
class CrossEntropyLoss final : public detail::PairLoss {
public:
    explicit CrossEntropyLoss(const CrossEntropyLossOptions& options = {});

    /// Holds the buffer `weight` when there is one.
    [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return module_; }

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;

private:
    struct Buffers : torch::nn::Module {
        explicit Buffers(const at::Tensor& weights);
        at::Tensor weight;
    };

    int64_t ignore_index_;
    double label_smoothing_;
    detail::LabelCheck labels_;
    std::shared_ptr<Buffers> module_;
};

/// `torch.nn.MSELoss`: mean of squared differences.
class MSELoss final : public detail::ElementwiseLoss {
public:
    explicit MSELoss(Reduction reduction = Reduction::mean) : ElementwiseLoss("MSELoss", reduction) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;
};

/// `torch.nn.L1Loss`: mean of absolute differences.
class L1Loss final : public detail::ElementwiseLoss {
public:
    explicit L1Loss(Reduction reduction = Reduction::mean) : ElementwiseLoss("L1Loss", reduction) {}

protected:
    [[nodiscard]] AUDYN_INLINE at::Tensor loss(const at::Tensor& input, const at::Tensor& target) override;
};

} // namespace audyn::criterion

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/losses.ipp>
#endif
