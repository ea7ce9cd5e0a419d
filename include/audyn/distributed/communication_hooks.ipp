#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/communication_hooks.hpp>
#include <audyn/distributed/detail/replica.hpp>

namespace audyn::distributed::detail {

AUDYN_INLINE HookFuture CompressionHook::run(ProcessGroup& group, c10d::GradBucket& bucket) {
    const at::Tensor buffer = bucket.getBuffer();
    std::vector<at::Tensor> compressed{buffer.to(dtype_).div_(group.world_size())};
    return group.c10d()
        ->allreduce(compressed)
        ->getFuture()
        ->then(
            [buffer](c10::ivalue::Future& sum) -> c10::IValue {
                const at::NoGradGuard no_grad;
                buffer.copy_(tensor_of(sum.value()));
                return buffer;
            },
            c10::TensorType::get());
}

AUDYN_INLINE PowerSGDHook::PowerSGDHook(const PowerSGDOptions& options)
    : options_(options), random_(options.random_seed) {
    if (options_.matrix_approximation_rank < 1) {
        throw UsageError("PowerSGD: matrix_approximation_rank must be at least 1");
    }
    if ((options_.use_error_feedback || options_.warm_start) && options_.start_powerSGD_iter <= 1) {
        throw UsageError("PowerSGD: start_powerSGD_iter must be above 1 with use_error_feedback or warm_start, since "
                         "buckets are rebuilt after the first iteration");
    }
}

AUDYN_INLINE HookFuture PowerSGDHook::run(ProcessGroup& group, c10d::GradBucket& bucket) {
    const at::NoGradGuard no_grad;
    const at::Tensor buffer = bucket.getBuffer();
    const bool is_last = bucket.isLast();
    if (iteration_ < options_.start_powerSGD_iter) {
        iteration_ += is_last ? 1 : 0;
        buffer.div_(group.world_size());
        std::vector<at::Tensor> tensors{buffer};
        return group.c10d()->allreduce(tensors)->getFuture();
    }
    compress(group, bucket, buffer);
    iteration_ += is_last ? 1 : 0;
    auto done = c10::make_intrusive<c10::ivalue::Future>(c10::TensorType::get(),
                                                         buffer.is_cpu() ? std::vector<c10::Device>{}
                                                                         : std::vector<c10::Device>{buffer.device()});
    done->markCompleted(buffer);
    return done;
}

AUDYN_INLINE StateDict PowerSGDHook::state_dict() const {
    state::List buckets;
    for (const auto& [index, memory] : memories_) {
        StateDict saved{{"index", index}, {"p", memory.p}, {"q", memory.q}};
        if (memory.error.defined()) {
            saved.set("error", memory.error);
        }
        buckets.emplace_back(std::move(saved));
    }
    return {{"iteration", iteration_}, {"draws", draws_}, {"buckets", std::move(buckets)}};
}

AUDYN_INLINE void PowerSGDHook::load_state_dict(const StateDict& state) {
    iteration_ = state.at("iteration").as_int();
    draws_ = state.at("draws").as_int();
    random_.seed(options_.random_seed);
    random_.discard(static_cast<unsigned long long>(draws_));
    memories_.clear();
    for (const state::Value& item : state.at("buckets").as_list()) {
        const StateDict& saved = item.as_dict();
        Memory& memory = memories_[saved.at("index").as_int()];
        memory.p = saved.at("p").as_tensor().clone();
        memory.q = saved.at("q").as_tensor().clone();
        if (const state::Value* error = saved.find("error")) {
            memory.error = error->as_tensor().clone();
        }
    }
}

AUDYN_INLINE void PowerSGDHook::compress(ProcessGroup& group, c10d::GradBucket& bucket, const at::Tensor& buffer) {
    Memory& memory = memories_[static_cast<int64_t>(bucket.getIndex())];
    at::Tensor uncompressed_buffer;
    if (options_.use_error_feedback) {
        if (memory.error.defined()) {
            buffer.add_(memory.error.to(buffer.device()));
        }
        uncompressed_buffer = buffer.clone();
    }
    std::vector<at::Tensor> matrices;
    std::vector<at::Tensor> others;
    std::vector<at::Tensor> flat_others;
    int64_t p_size = 0;
    int64_t q_size = 0;
    for (const at::Tensor& gradient : bucket.getGradients()) {
        const at::Tensor matrix = gradient.dim() == 0 ? gradient.view({1, 1}) : gradient.view({gradient.size(0), -1});
        const int64_t rank = rank_of(matrix);
        const int64_t compressed = (matrix.size(0) + matrix.size(1)) * rank;
        if (static_cast<double>(compressed) * options_.min_compression_rate < static_cast<double>(matrix.numel())) {
            matrices.push_back(matrix);
            p_size += matrix.size(0) * rank;
            q_size += matrix.size(1) * rank;
        } else {
            others.push_back(gradient);
            flat_others.push_back(gradient.view(-1));
        }
    }
    const bool is_fresh = !options_.warm_start || !memory.p.defined();
    if (is_fresh) {
        memory.p = at::empty({p_size}, buffer.options());
        memory.q = at::empty({q_size}, buffer.options());
    }
    memory.p = memory.p.to(buffer.device());
    memory.q = memory.q.to(buffer.device());
    const std::vector<Factors> factors = factors_of(matrices, memory);
    prepare_q(factors, is_fresh, buffer.scalar_type());
    for (const Factors& item : factors) {
        at::Tensor p = item.p;
        at::bmm_out(p, item.matrix, item.q);
    }
    if (!others.empty()) {
        const at::Tensor sum = all_reduce(group, at::cat(flat_others)).div_(group.world_size());
        int64_t begin = 0;
        for (const at::Tensor& gradient : others) {
            gradient.copy_(sum.narrow(0, begin, gradient.numel()).view_as(gradient));
            begin += gradient.numel();
        }
    }
    if (!factors.empty()) {
        all_reduce(group, memory.p); // Not divided: it is made orthonormal.
        for (const Factors& item : factors) {
            orthogonalize(item.p);
            at::Tensor q = item.q;
            at::bmm_out(q, item.matrix.transpose(1, 2), item.p);
        }
        all_reduce(group, memory.q).div_(group.world_size());
        for (const Factors& item : factors) {
            at::Tensor matrix = item.matrix;
            at::bmm_out(matrix, item.p, item.q.transpose(1, 2));
        }
    }
    if (options_.use_error_feedback) {
        memory.error = uncompressed_buffer - buffer;
    }
}

AUDYN_INLINE int64_t PowerSGDHook::rank_of(const at::Tensor& matrix) const {
    return std::min({matrix.size(0), matrix.size(1), options_.matrix_approximation_rank});
}

AUDYN_INLINE auto PowerSGDHook::factors_of(std::vector<at::Tensor> matrices, const Memory& memory) const
    -> std::vector<Factors> {
    std::vector<Factors> factors;
    int64_t p_begin = 0;
    int64_t q_begin = 0;
    const auto take = [&](const at::Tensor& matrix) {
        const int64_t rank = rank_of(matrix);
        const int64_t rows = matrix.size(0);
        const int64_t columns = matrix.size(1);
        factors.push_back({matrix.unsqueeze(0), memory.p.narrow(0, p_begin, rows * rank).view({1, rows, rank}),
                           memory.q.narrow(0, q_begin, columns * rank).view({1, columns, rank})});
        p_begin += rows * rank;
        q_begin += columns * rank;
    };
    while (!matrices.empty()) {
        const auto shape = matrices.front().sizes().vec();
        const auto rest = std::stable_partition(matrices.begin(), matrices.end(),
                                                [&](const at::Tensor& matrix) { return matrix.sizes() == shape; });
        std::for_each(matrices.begin(), rest, take);
        matrices.erase(matrices.begin(), rest);
    }
    return factors;
}

AUDYN_INLINE void PowerSGDHook::prepare_q(const std::vector<Factors>& factors, bool is_fresh, c10::ScalarType dtype) {
    at::Generator generator;
    if (is_fresh) {
        generator = at::detail::createCPUGenerator(draw_seed());
    }
    for (const Factors& item : factors) {
        if (is_fresh) {
            item.q.copy_(at::randn(item.q.sizes(), generator, at::TensorOptions(dtype)));
        }
        orthogonalize(item.q);
    }
}

AUDYN_INLINE uint64_t PowerSGDHook::draw_seed() {
    constexpr uint32_t mask = (uint32_t{1} << 30) - 1;
    uint32_t value = 0;
    do {
        value = static_cast<uint32_t>(random_()) & mask;
        ++draws_;
    } while (value > 999'999'999);
    return value;
}

AUDYN_INLINE void PowerSGDHook::orthogonalize(const at::Tensor& matrix) const {
    const int64_t columns = matrix.size(2);
    const bool is_half =
        matrix.scalar_type() == c10::ScalarType::Half || matrix.scalar_type() == c10::ScalarType::BFloat16;
    if (columns > 2 && !is_half) {
        matrix.copy_(std::get<0>(at::linalg_qr(matrix)));
        return;
    }
    for (int64_t i = 0; i < columns; ++i) { // Gram and Schmidt
        const at::Tensor column = matrix.narrow(2, i, 1);
        at::Tensor length = at::norm(column, 2, {1}, true);
        if (options_.orthogonalization_epsilon != 0.0) {
            length = length + options_.orthogonalization_epsilon;
        }
        column.div_(length);
        if (i + 1 < columns) {
            const at::Tensor rest = matrix.narrow(2, i + 1, columns - i - 1);
            rest.sub_((column * rest).sum({1}, true) * column);
        }
    }
}

AUDYN_INLINE at::Tensor PowerSGDHook::all_reduce(ProcessGroup& group, const at::Tensor& tensor) {
    std::vector<at::Tensor> tensors{tensor};
    group.c10d()->allreduce(tensors)->wait();
    return tensor;
}

} // namespace audyn::distributed::detail
