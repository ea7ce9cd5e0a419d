#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/core/mode_names.hpp>
#include <audyn/optim/gradient_lists.hpp>
#include <audyn/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

namespace audyn::optim {

namespace detail {

/// Norm of what has `norms`, a scalar on the device of the first one.
AUDYN_INLINE at::Tensor joint_norm(const std::vector<at::Tensor>& norms, double norm_type);

/// Norm of all gradients together, a scalar on the device of the first one.
AUDYN_INLINE at::Tensor total_norm(const GradientLists& gradients, double norm_type);

/// \throws TrainingError when `norm` is infinite or NaN; `of` says of what it is. Waits for the device.
AUDYN_INLINE void require_finite_norm(const at::Tensor& norm, const char* of);

/// Norm of each unit of a parameter or of its gradient: of a matrix or a kernel one for each output, the first
/// dimension; of a vector or scalar one in all. Broadcasts against `tensor`.
AUDYN_INLINE at::Tensor unit_norm(const at::Tensor& tensor, double norm_type);

} // namespace detail

/// Norm of the gradients of `parameters` all together, a scalar on the device of the first one; 0 when there is none.
AUDYN_INLINE at::Tensor grad_norm(const std::vector<at::Tensor>& parameters, double norm_type = 2.0);

/// Scales the gradients of `parameters` in place so that the norm of them all together is at most `max_norm`, and
/// returns the norm of before as a scalar tensor on the device of the first gradient. Parameters without a gradient are
/// passed over. No host synchronisation unless `error_if_nonfinite`. Mirrors `torch.nn.utils.clip_grad_norm_`.
/// \throws TrainingError when `error_if_nonfinite` is set and the norm is infinite or NaN.
AUDYN_INLINE at::Tensor clip_grad_norm_(const std::vector<at::Tensor>& parameters, double max_norm,
                                        double norm_type = 2.0, bool error_if_nonfinite = false);

/// Clamps every element of the gradients to [-clip_value, clip_value]; `torch.nn.utils.clip_grad_value_`.
AUDYN_INLINE void clip_grad_value_(const std::vector<at::Tensor>& parameters, double clip_value);

/// `clip_grad_norm_` of each group by itself. `max_norms`: one for all groups, or one for each. Returns the norms of
/// before, one for each group. \throws UsageError for another number of `max_norms`; TrainingError as above
AUDYN_INLINE std::vector<at::Tensor> clip_group_grad_norm_(const std::vector<ParamGroup>& groups,
                                                           const std::vector<double>& max_norms, double norm_type = 2.0,
                                                           bool error_if_nonfinite = false);

/// Adaptive gradient clipping (Brock et al. 2021): scales the gradient of each unit of a parameter so that its norm is
/// at most `clip_factor` times that of the unit itself, or of `eps` where that is smaller. A unit is what makes one
/// output: a row of a matrix, a kernel's first dimension; a vector or scalar is one unit. Returns the norm of all
/// gradients of before. No host synchronisation unless `error_if_nonfinite`. The authors leave out the last layer:
/// give it a group of its own. \throws TrainingError as above
AUDYN_INLINE at::Tensor clip_grad_adaptive_(const std::vector<at::Tensor>& parameters, double clip_factor = 0.01,
                                            double eps = 1e-3, double norm_type = 2.0, bool error_if_nonfinite = false);

/// What GradClipper does: limits each element, the norm of all gradients, that of each group, or that of each unit.
enum class ClipMode { value, norm, group_norm, adaptive };

inline constexpr core::ModeNames<ClipMode, 4> clip_modes{"mode",
                                                         {{{"value", ClipMode::value},
                                                           {"norm", ClipMode::norm},
                                                           {"group_norm", ClipMode::group_norm},
                                                           {"adaptive", ClipMode::adaptive}}}};

/// Options of GradClipper. Each mode has its own; `error_if_nonfinite` and `norm_type` are of all that have a norm.
class GradClipperOptions {
public:
    explicit GradClipperOptions(ClipMode mode) : mode_(mode) {}

    /// Of mode value, which needs it.
    GradClipperOptions& clip_value(double value) { return clip_value_ = value, *this; }
    /// Of modes norm and group_norm, which need it; for each group only of group_norm.
    GradClipperOptions& max_norm(double value) { return max_norm_ = {value}, *this; }
    GradClipperOptions& max_norm(std::vector<double> values) { return max_norm_ = std::move(values), *this; }
    GradClipperOptions& norm_type(double value) { return norm_type_ = value, *this; }
    GradClipperOptions& error_if_nonfinite(bool value) { return error_if_nonfinite_ = value, *this; }
    /// Of mode adaptive.
    GradClipperOptions& clip_factor(double value) { return clip_factor_ = value, *this; }
    GradClipperOptions& eps(double value) { return eps_ = value, *this; }

    [[nodiscard]] ClipMode mode() const { return mode_; }
    [[nodiscard]] double clip_value() const { return clip_value_; }
    [[nodiscard]] const std::vector<double>& max_norm() const { return max_norm_; }
    [[nodiscard]] double norm_type() const { return norm_type_; }
    [[nodiscard]] bool error_if_nonfinite() const { return error_if_nonfinite_; }
    [[nodiscard]] double clip_factor() const { return clip_factor_; }
    [[nodiscard]] double eps() const { return eps_; }

    /// \throws UsageError for what is missing or out of range.
    void check() const;

private:
    ClipMode mode_;
    double clip_value_ = 0.0;
    std::vector<double> max_norm_;
    double norm_type_ = 2.0;
    bool error_if_nonfinite_ = false;
    double clip_factor_ = 0.01;
    double eps_ = 1e-3;
};

/// Clips gradients between the backward pass and the optimizer's step; Audyn's `audyn.utils.GradClipper`.
class GradClipper {
public:
    /// \throws UsageError for options that are missing or out of range.
    explicit GradClipper(GradClipperOptions options);

    /// Clips the gradients of an optimizer's groups. Returns the norm of all of them before, a scalar on their device;
    /// undefined in mode value, which has no use for it.
    at::Tensor clip(const std::vector<ParamGroup>& groups) const;

    [[nodiscard]] const GradClipperOptions& options() const { return options_; }

private:
    GradClipperOptions options_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/clip.ipp>
#endif
