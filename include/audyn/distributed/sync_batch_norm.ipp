#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/sync_batch_norm.hpp>

namespace audyn::distributed::detail {

AUDYN_INLINE at::Tensor SyncBatchNormFunction::forward(Context* context, const at::Tensor& input,
                                                       const at::Tensor& weight, const at::Tensor& bias,
                                                       const at::Tensor& mean, const at::Tensor& invstd,
                                                       const at::Tensor& total,
                                                       const c10::intrusive_ptr<c10d::ProcessGroup>& group) {
    context->save_for_backward({input, weight, mean, invstd, total});
    context->saved_data["group"] = c10::IValue::make_capsule(group);
    at::Tensor factor = invstd;
    if (weight.defined()) {
        factor = factor * weight.to(factor.scalar_type());
    }
    at::Tensor output = (input - over_channels(mean, input)) * over_channels(factor, input);
    if (bias.defined()) {
        output = output + over_channels(bias.to(factor.scalar_type()), input);
    }
    return output.to(input.scalar_type());
}

AUDYN_INLINE torch::autograd::variable_list
SyncBatchNormFunction::backward(Context* context, const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& input = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor& mean = saved[2];
    const at::Tensor& invstd = saved[3];
    const at::Tensor& total = saved[4];
    const auto dims = other_dims(input);
    const at::Tensor gradient = gradients[0].to(mean.scalar_type());
    const at::Tensor centred = input - over_channels(mean, input);
    const at::Tensor sum = gradient.sum(dims);
    const at::Tensor sum_centred = (gradient * centred).sum(dims);
    torch::autograd::variable_list result(7);
    if (context->needs_input_grad(0)) {
        std::vector<at::Tensor> sums{at::stack({sum, sum_centred})};
        auto group = context->saved_data["group"].toCapsule();
        static_cast<c10d::ProcessGroup&>(*group).allreduce(sums)->wait();
        const at::Tensor means = sums[0] / total;
        const at::Tensor slope = means[1] * invstd.square();
        at::Tensor factor = invstd;
        if (weight.defined()) {
            factor = factor * weight.to(factor.scalar_type());
        }
        result[0] = ((gradient - over_channels(means[0], input) - centred * over_channels(slope, input)) *
                     over_channels(factor, input))
                        .to(input.scalar_type());
    }
    // These are this rank's: whoever averages gradients averages them too.
    if (weight.defined()) {
        result[1] = (sum_centred * invstd).to(weight.scalar_type());
    }
    if (context->needs_input_grad(2)) {
        result[2] = sum.to(weight.defined() ? weight.scalar_type() : input.scalar_type());
    }
    return result;
}

AUDYN_INLINE std::vector<int64_t> SyncBatchNormFunction::other_dims(const at::Tensor& input) {
    std::vector<int64_t> dims{0};
    for (int64_t dim = 2; dim < input.dim(); ++dim) {
        dims.push_back(dim);
    }
    return dims;
}

AUDYN_INLINE at::Tensor SyncBatchNormFunction::over_channels(const at::Tensor& values, const at::Tensor& input) {
    std::vector<int64_t> shape(static_cast<std::size_t>(input.dim()), 1);
    shape[1] = -1;
    return values.view(shape);
}

} // namespace audyn::distributed::detail

namespace audyn::distributed {

AUDYN_INLINE void SyncBatchNormImpl::pretty_print(std::ostream& stream) const {
    stream << "audyn::SyncBatchNorm(" << options.num_features() << ", eps=" << options.eps() << ")";
}

AUDYN_INLINE at::Tensor SyncBatchNormImpl::forward(const at::Tensor& input) {
    if (input.dim() < 2 || input.size(1) != options.num_features()) {
        throw UsageError("SyncBatchNorm: the input must be (N, " + std::to_string(options.num_features()) + ", ...)");
    }
    const bool uses_batch = is_training() || !running_mean.defined();
    double factor = options.momentum().value_or(0.0);
    if (is_training() && options.track_running_stats()) {
        num_batches_tracked.add_(1);
        if (!options.momentum()) {
            factor = 1.0 / num_batches_tracked.item<double>();
        }
    }
    const std::shared_ptr<ProcessGroup>& group = process_group();
    if (!is_training() || !group || group->world_size() == 1) {
        const bool tracks = !is_training() || options.track_running_stats();
        return at::batch_norm(input, weight, bias, tracks ? running_mean : at::Tensor(),
                              tracks ? running_var : at::Tensor(), uses_batch, factor, options.eps(), true);
    }
    return synchronized(*group, input, factor);
}

AUDYN_INLINE void SyncBatchNormImpl::make() {
    const int64_t channels = options.num_features();
    const bool affine = options.affine();
    weight = register_parameter("weight", affine ? at::ones({channels}) : at::Tensor(), affine);
    bias = register_parameter("bias", affine ? at::zeros({channels}) : at::Tensor(), affine);
    const bool tracks = options.track_running_stats();
    running_mean = register_buffer("running_mean", tracks ? at::zeros({channels}) : at::Tensor());
    running_var = register_buffer("running_var", tracks ? at::ones({channels}) : at::Tensor());
    num_batches_tracked = register_buffer("num_batches_tracked", tracks ? at::zeros({}, at::kLong) : at::Tensor());
}

AUDYN_INLINE at::Tensor SyncBatchNormImpl::synchronized(ProcessGroup& group, const at::Tensor& input, double factor) {
    using Function = detail::SyncBatchNormFunction;
    const auto type = input.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    at::Tensor mean;
    at::Tensor invstd;
    at::Tensor total;
    {
        const at::NoGradGuard no_grad;
        const auto options_of_sums = input.options().dtype(input.device().is_mps() ? at::kFloat : at::kDouble);
        const int64_t count = input.numel() / input.size(1);
        at::Tensor own = at::zeros({2, input.size(1)}, options_of_sums);
        if (count > 0) { // A rank may have an empty batch.
            const auto dims = Function::other_dims(input);
            const at::Tensor values = input.to(type);
            const at::Tensor own_mean = values.mean(dims);
            own[0].copy_(own_mean);
            own[1].copy_((values - Function::over_channels(own_mean, input)).square().sum(dims));
        }
        own = at::cat({own.view(-1), at::full({1}, count, options_of_sums)});
        const at::Tensor all = at::stack(group.all_gather(own)); // (ranks, 2 C + 1)
        const at::Tensor means = all.narrow(1, 0, input.size(1));
        const at::Tensor squares = all.narrow(1, input.size(1), input.size(1));
        const at::Tensor counts = all.narrow(1, 2 * input.size(1), 1);
        total = counts.sum();
        const at::Tensor total_mean = (means * counts).sum(0) / total;
        const at::Tensor total_square = (squares + counts * (means - total_mean).square()).sum(0);
        mean = total_mean.to(type);
        invstd = (total_square / total + options.eps()).rsqrt().to(type);
        if (options.track_running_stats()) {
            running_mean.lerp_(total_mean.to(running_mean.scalar_type()), factor);
            running_var.lerp_((total_square / (total - 1)).to(running_var.scalar_type()), factor);
        }
        total = total.to(type);
    }
    return Function::apply(input, weight, bias, mean, invstd, total, group.c10d());
}

AUDYN_INLINE int64_t convert_sync_batch_norm(torch::nn::Module& module, const std::string& prefix) {
    const auto converted = [](const torch::nn::Module& child) -> std::shared_ptr<SyncBatchNormImpl> {
        if (const auto* one = dynamic_cast<const torch::nn::BatchNorm1dImpl*>(&child)) {
            return std::make_shared<SyncBatchNormImpl>(*one);
        }
        if (const auto* two = dynamic_cast<const torch::nn::BatchNorm2dImpl*>(&child)) {
            return std::make_shared<SyncBatchNormImpl>(*two);
        }
        if (const auto* three = dynamic_cast<const torch::nn::BatchNorm3dImpl*>(&child)) {
            return std::make_shared<SyncBatchNormImpl>(*three);
        }
        return nullptr;
    };
    int64_t count = 0;
    auto* sequential = dynamic_cast<torch::nn::SequentialImpl*>(&module);
    std::size_t index = 0;
    for (const auto& item : module.named_children()) {
        const std::string name = prefix.empty() ? item.key() : prefix + "." + item.key();
        if (const auto norm = converted(*item.value())) {
            if (sequential == nullptr) {
                throw UsageError("the batch norm '" + name +
                                 "' is a member of its class, where a conversion cannot reach it; declare it as "
                                 "audyn::SyncBatchNorm, which without other ranks is an ordinary batch norm");
            }
            (sequential->begin() + static_cast<std::ptrdiff_t>(index))->operator=(torch::nn::AnyModule(norm));
            module.replace_module(item.key(), norm);
            ++count;
        } else {
            count += convert_sync_batch_norm(*item.value(), name);
        }
        ++index;
    }
    return count;
}

} // namespace audyn::distributed
