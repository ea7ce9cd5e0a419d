#pragma once

#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

/// The line search of L-BFGS.
namespace audyn::optim::detail {

/// A Python float, or a float32 tensor of one element: a calculation that a tensor takes part in is done in float32. A
/// search decides by small differences, and so it takes Python's path.
struct Number {
    double value = 0.0;
    bool is_single = false;

    /// Of a tensor with one element; waits for its device.
    static AUDYN_INLINE Number of(const at::Tensor& tensor);
};

AUDYN_INLINE Number operator+(Number a, Number b);
AUDYN_INLINE Number operator-(Number a, Number b);
AUDYN_INLINE Number operator*(Number a, Number b);
AUDYN_INLINE Number operator/(Number a, Number b);
AUDYN_INLINE Number operator-(Number a);
AUDYN_INLINE bool operator<(Number a, Number b);
AUDYN_INLINE bool operator<=(Number a, Number b);
inline bool operator>(Number a, Number b) {
    return b < a;
}
inline bool operator>=(Number a, Number b) {
    return b <= a;
}
AUDYN_INLINE Number absolute(Number a);
/// Python's: the first one when neither is greater.
AUDYN_INLINE Number greater_of(Number a, Number b);
AUDYN_INLINE Number lesser_of(Number a, Number b);

/// The objective at a step size along the direction.
struct LinePoint {
    Number t;
    Number loss;
    at::Tensor grad;
    /// The gradient's component along the direction, times its length.
    Number slope;
};

/// Where the cubic through two points and their slopes is least; within the points, or within `bounds`.
AUDYN_INLINE Number cubic_minimum(const LinePoint& a, const LinePoint& b,
                                  const std::optional<std::pair<Number, Number>>& bounds = std::nullopt);

/// Looks for a step size that fulfils the strong Wolfe conditions; Python's `_strong_wolfe`.
class StrongWolfe {
public:
    /// Computes the objective at a step size.
    using Objective = std::function<LinePoint(Number t)>;

    struct Limits {
        /// Length of a bracket, times the greatest element of the direction, that is small enough.
        Number tolerance_change;
        Number direction_max;
        int64_t max_iterations;
    };

    StrongWolfe(Objective objective, LinePoint start, const Limits& limits);

    /// The best point found, from a first guess on.
    LinePoint search(Number t);

    /// How often the objective was computed.
    [[nodiscard]] int64_t evaluations() const { return evaluations_; }

private:
    LinePoint evaluate(Number t);
    [[nodiscard]] bool is_too_high(const LinePoint& point) const;
    [[nodiscard]] bool is_flat(const LinePoint& point) const;
    void find_bracket(Number t);
    void narrow_bracket();
    [[nodiscard]] Number trial();
    void replace(const LinePoint& point);
    void order();
    [[nodiscard]] LinePoint& low() { return bracket_[low_]; }
    [[nodiscard]] LinePoint& high() { return bracket_[1 - low_]; }

    Objective objective_;
    LinePoint start_;
    Limits limits_;
    std::array<LinePoint, 2> bracket_;
    std::size_t low_ = 0;
    bool is_done_ = false;
    bool lacks_progress_ = false;
    int64_t iteration_ = 0;
    int64_t evaluations_ = 0;
};

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/line_search.ipp>
#endif
