#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/muon.hpp>

#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/norm.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cmath>

namespace audyn::optim {

AUDYN_INLINE void MuonOptions::check() const {
    detail::check_option("lr", lr_, lr_ >= 0.0, "at least 0");
    detail::check_option("momentum", momentum_, momentum_ >= 0.0, "at least 0");
    detail::check_option("weight_decay", weight_decay_, weight_decay_ >= 0.0, "at least 0");
    detail::check_option("ns_steps", static_cast<double>(ns_steps_), ns_steps_ >= 0 && ns_steps_ < 100,
                         "at least 0 and less than 100");
    if (adjust_lr_fn_ && *adjust_lr_fn_ != "original" && *adjust_lr_fn_ != "match_rms_adamw") {
        throw UsageError("the optimizer's adjust_lr_fn must be 'original' or 'match_rms_adamw', got '" +
                         *adjust_lr_fn_ + "'");
    }
}

AUDYN_INLINE Muon::Muon(const std::vector<OptionsGroup<MuonOptions>>& groups)
    : WithOptions(groups, std::vector<detail::StateField>{{.name = "momentum_buffer"}}) {
    for (std::size_t i = 0; i < parameters().size(); ++i) {
        if (parameters()[i].dim() != 2) {
            throw UsageError(c10::str("Muon takes matrices, but '", parameter_name(i), "' has the shape ",
                                      parameters()[i].sizes(), "; give it to another optimizer"));
        }
    }
}

namespace detail {

/// U V^T of a matrix U S V^T, roughly, by Newton-Schulz iteration in bfloat16.
AUDYN_INLINE at::Tensor orthogonalized(const at::Tensor& matrix, const MuonOptions& options) {
    const auto [a, b, c] = options.ns_coefficients();
    const bool is_tall = matrix.size(0) > matrix.size(1);
    at::Tensor x = matrix.to(at::kBFloat16, /*non_blocking=*/false, /*copy=*/true);
    if (is_tall) {
        x = x.t();
    }
    x.div_(at::norm(x, 2).clamp_min_(options.eps()));
    for (int64_t step = 0; step < options.ns_steps(); ++step) {
        const at::Tensor gram = at::mm(x, x.t());
        x = at::addmm(x, at::addmm(gram, gram, gram, b, c), x, a, 1);
    }
    return is_tall ? x.t() : x;
}

AUDYN_INLINE double adjusted_lr(const at::Tensor& matrix, const MuonOptions& options) {
    const auto rows = static_cast<double>(matrix.size(0));
    const auto columns = static_cast<double>(matrix.size(1));
    return options.adjust_lr_fn() == "match_rms_adamw" ? options.lr() * (0.2 * std::sqrt(std::max(rows, columns)))
                                                       : options.lr() * std::sqrt(std::max(1.0, rows / columns));
}

} // namespace detail

AUDYN_INLINE void Muon::update(detail::TensorLists& lists) {
    const MuonOptions options = this->options(lists.group);
    const std::vector<at::Tensor>& buffers = lists.state[0];
    at::_foreach_lerp_(buffers, lists.grads, 1 - options.momentum());
    for (std::size_t i = 0; i < lists.params.size(); ++i) {
        const at::Tensor direction =
            options.nesterov() ? at::lerp(lists.grads[i], buffers[i], options.momentum()) : buffers[i];
        const at::Tensor change = detail::orthogonalized(direction, options);
        lists.params[i].mul_(1 - options.lr() * options.weight_decay());
        lists.params[i].add_(change, -detail::adjusted_lr(lists.params[i], options));
    }
}

} // namespace audyn::optim
