#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/communication_hook_factory.hpp>
#include <audyn/distributed/process_group.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/distributed/c10d/comm.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace audyn::distributed {

/// What a hook gives back: completed with the averaged gradients of the bucket, a tensor or a list of one.
using HookFuture = c10::intrusive_ptr<c10::ivalue::Future>;

/// How the gradients of one bucket are averaged over the ranks, in place of the Reducer's own all-reduce. One for each
/// wrapped model. Called during backward, for the buckets in one order on all ranks.
class CommunicationHook {
public:
    CommunicationHook() = default;
    CommunicationHook(const CommunicationHook&) = delete;
    CommunicationHook& operator=(const CommunicationHook&) = delete;
    virtual ~CommunicationHook() = default;

    virtual HookFuture run(ProcessGroup& group, c10d::GradBucket& bucket) = 0;

    /// What this rank needs to go on after a resume.
    [[nodiscard]] virtual StateDict state_dict() const { return {}; }
    /// \throws StateError
    virtual void load_state_dict(const StateDict&) {}
};

/// A hook from a callable `HookFuture(ProcessGroup&, c10d::GradBucket&)` without state of its own.
template <class Function>
[[nodiscard]] CommunicationHookFactory communication_hook(Function function) {
    class Hook final : public CommunicationHook {
    public:
        explicit Hook(Function callable) : callable_(std::move(callable)) {}
        HookFuture run(ProcessGroup& group, c10d::GradBucket& bucket) override { return callable_(group, bucket); }

    private:
        Function callable_;
    };
    return [function] { return std::make_shared<Hook>(function); };
}

namespace detail {

/// The tensor in the result of a collective or of a hook.
inline at::Tensor tensor_of(const c10::IValue& value) {
    return value.isTensor() ? value.toTensor() : value.toTensorVector().at(0);
}

/// Sends gradients as `dtype`, divided by the world size before the sum so that it does not overflow; Python's
/// fp16_compress_hook and bf16_compress_hook.
class CompressionHook final : public CommunicationHook {
public:
    explicit CompressionHook(c10::ScalarType dtype) : dtype_(dtype) {}

    AUDYN_INLINE HookFuture run(ProcessGroup& group, c10d::GradBucket& bucket) override;

private:
    c10::ScalarType dtype_;
};

} // namespace detail

/// Gradients travel as float16: half the bytes.
[[nodiscard]] inline CommunicationHookFactory fp16_compression() {
    return [] { return std::make_shared<detail::CompressionHook>(c10::ScalarType::Half); };
}

/// Gradients travel as bfloat16: half the bytes, the range of float32.
[[nodiscard]] inline CommunicationHookFactory bf16_compression() {
    return [] { return std::make_shared<detail::CompressionHook>(c10::ScalarType::BFloat16); };
}

/// Options of `power_sgd`, with Python's names and defaults (`PowerSGDState`).
struct PowerSGDOptions {
    int64_t matrix_approximation_rank = 1;
    /// Iterations with an ordinary all-reduce before.
    int64_t start_powerSGD_iter = 1000;
    double min_compression_rate = 2.0;
    bool use_error_feedback = true;
    bool warm_start = true;
    double orthogonalization_epsilon = 0.0;
    uint32_t random_seed = 0;
};

namespace detail {

/// PowerSGD (Vogels, Karimireddy, Jaggi 2019): each matrix of gradients travels as two narrow ones, and what is lost is
/// added to the next iteration's. Python's powerSGD_hook, with the same numbers. It waits for each of its all-reduces
/// where it is called, so that all ranks queue them in one order.
class PowerSGDHook final : public CommunicationHook {
public:
    explicit PowerSGDHook(const PowerSGDOptions& options);

    AUDYN_INLINE HookFuture run(ProcessGroup& group, c10d::GradBucket& bucket) override;

    [[nodiscard]] AUDYN_INLINE StateDict state_dict() const override;

    AUDYN_INLINE void load_state_dict(const StateDict& state) override;

private:
    /// Of one bucket.
    struct Memory {
        at::Tensor error;
        at::Tensor p;
        at::Tensor q;
    };

    /// A matrix of the bucket, (1, rows, columns), with its two narrow ones.
    struct Factors {
        at::Tensor matrix;
        at::Tensor p;
        at::Tensor q;
    };

    void compress(ProcessGroup& group, c10d::GradBucket& bucket, const at::Tensor& buffer);

    [[nodiscard]] int64_t rank_of(const at::Tensor& matrix) const;

    /// Python works shape by shape, in the order of each shape's first matrix.
    [[nodiscard]] std::vector<Factors> factors_of(std::vector<at::Tensor> matrices, const Memory& memory) const;

    void prepare_q(const std::vector<Factors>& factors, bool is_fresh, c10::ScalarType dtype);

    /// As numpy's RandomState draws `randint(1_000_000_000)`.
    uint64_t draw_seed();

    /// Makes the columns of `matrix`, (1, rows, rank), orthonormal in place.
    void orthogonalize(const at::Tensor& matrix) const;

    static at::Tensor all_reduce(ProcessGroup& group, const at::Tensor& tensor);

    PowerSGDOptions options_;
    std::mt19937 random_;
    int64_t draws_ = 0;
    int64_t iteration_ = 0;
    std::map<int64_t, Memory> memories_;
};

} // namespace detail

/// \throws UsageError when options contradict each other, once a model is wrapped.
[[nodiscard]] inline CommunicationHookFactory power_sgd(const PowerSGDOptions& options = {}) {
    return [options] { return std::make_shared<detail::PowerSGDHook>(options); };
}

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/communication_hooks.ipp>
#endif
