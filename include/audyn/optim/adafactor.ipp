#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/adafactor.hpp>

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/norm.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace audyn::optim {

AUDYN_INLINE void AdafactorOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("beta2_decay", beta2_decay_, beta2_decay_ <= 0.0, "at most 0");
    detail::check_option("eps[0]", eps_.first.value_or(0.0), eps_.first.value_or(0.0) >= 0.0, "at least 0");
    detail::check_option("eps[1]", eps_.second, eps_.second >= 0.0, "at least 0");
    detail::check_option("d", d_, d_ >= 1.0, "at least 1");
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
}

AUDYN_INLINE Adafactor::Adafactor(const std::vector<OptionsGroup<AdafactorOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "step", .kind = detail::FieldKind::host_scalar},
                                                          {.name = "row_var"},
                                                          {.name = "col_var"},
                                                          {.name = "variance"}}) {}

AUDYN_INLINE std::optional<std::vector<int64_t>> Adafactor::state_shape(std::size_t field,
                                                                        const at::Tensor& parameter) const {
    const bool is_factored = parameter.dim() > 1;
    if (is_factored == (field == variance)) {
        return std::nullopt;
    }
    std::vector<int64_t> shape = parameter.sizes().vec();
    if (is_factored) {
        shape[shape.size() - (field == row_var ? 1 : 2)] = 1;
    }
    return shape;
}

namespace detail {

/// Root of the mean of the squares, a float32 scalar on the tensor's device.
AUDYN_INLINE at::Tensor root_mean_square(const at::Tensor& tensor) {
    const at::Tensor norm = at::norm(tensor, 2);
    const at::Tensor wide = norm.scalar_type() == at::kDouble ? norm : norm.to(at::kFloat);
    return wide.div(std::sqrt(static_cast<double>(tensor.numel())));
}

AUDYN_INLINE double machine_epsilon(at::ScalarType dtype) {
    switch (dtype) {
    case at::kDouble:
        return std::numeric_limits<double>::epsilon();
    case at::kHalf:
        return std::numeric_limits<at::Half>::epsilon();
    case at::kBFloat16:
        return std::numeric_limits<at::BFloat16>::epsilon();
    default:
        return std::numeric_limits<float>::epsilon();
    }
}

} // namespace detail

AUDYN_INLINE at::Tensor Adafactor::factored_variance(const detail::TensorLists& lists, std::size_t place,
                                                     const at::Tensor& grad, double weight, double eps) {
    const at::Tensor& rows = lists.state[row_var][place];
    const at::Tensor& columns = lists.state[col_var][place];
    const auto mean_square = [&](int64_t dim) {
        return at::norm(grad, 2, {dim}, /*keepdim=*/true).square_().div_(grad.size(dim));
    };
    rows.lerp_(mean_square(-1), weight);
    columns.lerp_(mean_square(-2), weight);
    return at::matmul(rows, columns).div_(rows.mean({-2}, /*keepdim=*/true).clamp_min_(eps));
}

AUDYN_INLINE void Adafactor::update(detail::TensorLists& lists) {
    const AdafactorOptions options = this->options(lists.group);
    const double eps = options.eps().first.value_or(detail::machine_epsilon(lists.params.front().scalar_type()));
    detail::count_steps(lists.state[state_step]);
    const std::vector<at::Tensor> grads = detail::decayed_gradients(lists, options.maximize(), 0.0);
    for (std::size_t i = 0; i < lists.params.size(); ++i) {
        const at::Tensor& parameter = lists.params[i];
        const double step = *lists.state[state_step][i].const_data_ptr<float>();
        const double weight = std::pow(step, options.beta2_decay());
        const double rate = std::min(options.lr(), 1 / std::sqrt(step));
        const at::Tensor step_size = detail::root_mean_square(parameter).clamp_min_(options.eps().second).mul_(-rate);
        if (options.weight_decay() != 0.0) {
            parameter.mul_(1 - options.lr() * options.weight_decay());
        }
        at::Tensor change;
        if (parameter.dim() > 1) {
            change = factored_variance(lists, i, grads[i], weight, eps);
        } else {
            const at::Tensor& own = lists.state[variance][i];
            own.lerp_(grads[i].mul(grads[i]), weight);
            change = own.clone();
        }
        change.clamp_min_(eps * eps).rsqrt_().mul_(grads[i]);
        const at::Tensor excess = detail::root_mean_square(change).div_(options.d()).clamp_min_(1.0);
        parameter.add_(change.mul_(step_size.div_(excess)));
    }
}

} // namespace audyn::optim
