#pragma once

#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace audyn::criterion::detail {

/// Warns, once, when what an elementwise loss compares has two shapes: libtorch would broadcast them, which is hardly
/// ever meant.
class BroadcastWarning {
public:
    explicit BroadcastWarning(std::string name) : name_(std::move(name)) {}

    void check(const at::Tensor& input, const at::Tensor& target);

private:
    std::string name_;
    bool is_given_ = false;
};

/// Warns, once, that KLDivLoss's reduction "mean" is not the divergence.
class MeanDivergenceWarning {
public:
    void give();

private:
    bool is_given_ = false;
};

/// Explains class labels that a loss of logits or logarithms (N, C, ...) cannot take.
///
/// On the CPU libtorch itself looks at every label, so that `call` costs nothing until it fails. A CUDA kernel ends the
/// process's use of the device by an assertion instead, which names neither label nor loss: there the labels of the
/// first batch are read before the loss, which waits for the device that once, and later batches are not looked at.
class LabelCheck {
public:
    LabelCheck(std::string name, int64_t ignore_index) : name_(std::move(name)), ignore_index_(ignore_index) {}

    /// The loss that `compute` gives. \throws DataError that names a label out of range, the number of classes and the
    /// loss
    template <class Compute>
    at::Tensor call(const at::Tensor& input, const at::Tensor& target, const Compute& compute) {
        if (!input.device().is_cpu() && !is_first_checked_) {
            is_first_checked_ = true;
            require_in_range(input, target);
        }
        try {
            return compute();
        } catch (const std::exception&) {
            if (input.device().is_cpu()) {
                require_in_range(input, target);
            }
            throw;
        }
    }

private:
    void require_in_range(const at::Tensor& input, const at::Tensor& target) const;

    std::string name_;
    int64_t ignore_index_;
    bool is_first_checked_ = false;
};

/// \throws UsageError when the shapes differ
AUDYN_INLINE void require_same_shape(const char* name, const at::Tensor& input, const at::Tensor& target);

/// `MSELoss` for the class `torch::nn::MSELossImpl`; other names as they are.
[[nodiscard]] AUDYN_INLINE std::string loss_name(const std::string& class_name);

/// Whether the loss of this name compares (input, target) element by element, and libtorch would broadcast them.
[[nodiscard]] AUDYN_INLINE bool is_elementwise(const std::string& name);

} // namespace audyn::criterion::detail

#ifndef AUDYN_COMPILED
#    include <audyn/criterion/input_checks.ipp>
#endif
