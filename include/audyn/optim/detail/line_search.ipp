#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/line_search.hpp>

#include <cmath>

namespace audyn::optim::detail {

AUDYN_INLINE Number Number::of(const at::Tensor& tensor) {
    return {tensor.item<double>(), tensor.scalar_type() != at::kDouble};
}

/// `operation` of both, in float32 if either is.
template <class Operation>
auto calculate(Number a, Number b, const Operation& operation) {
    return a.is_single || b.is_single ? operation(static_cast<float>(a.value), static_cast<float>(b.value))
                                      : operation(a.value, b.value);
}

AUDYN_INLINE Number operator+(Number a, Number b) {
    return {calculate(a, b, [](auto x, auto y) -> double { return x + y; }), a.is_single || b.is_single};
}

AUDYN_INLINE Number operator-(Number a, Number b) {
    return {calculate(a, b, [](auto x, auto y) -> double { return x - y; }), a.is_single || b.is_single};
}

AUDYN_INLINE Number operator*(Number a, Number b) {
    return {calculate(a, b, [](auto x, auto y) -> double { return x * y; }), a.is_single || b.is_single};
}

AUDYN_INLINE Number operator/(Number a, Number b) {
    return {calculate(a, b, [](auto x, auto y) -> double { return x / y; }), a.is_single || b.is_single};
}

AUDYN_INLINE Number operator-(Number a) {
    return {-a.value, a.is_single};
}

AUDYN_INLINE bool operator<(Number a, Number b) {
    return calculate(a, b, [](auto x, auto y) { return x < y; });
}

AUDYN_INLINE bool operator<=(Number a, Number b) {
    return calculate(a, b, [](auto x, auto y) { return x <= y; });
}

AUDYN_INLINE Number absolute(Number a) {
    return {std::abs(a.value), a.is_single};
}

AUDYN_INLINE Number greater_of(Number a, Number b) {
    return b > a ? b : a;
}

AUDYN_INLINE Number lesser_of(Number a, Number b) {
    return b < a ? b : a;
}

AUDYN_INLINE Number cubic_minimum(const LinePoint& a, const LinePoint& b,
                                  const std::optional<std::pair<Number, Number>>& bounds) {
    const bool is_ordered = a.t <= b.t;
    const auto [least, greatest] = bounds ? *bounds : is_ordered ? std::pair(a.t, b.t) : std::pair(b.t, a.t);
    const Number d1 = a.slope + b.slope - Number{3.0} * (a.loss - b.loss) / (a.t - b.t);
    const Number square = d1 * d1 - a.slope * b.slope;
    if (!(square >= Number{0.0})) {
        return (least + greatest) / Number{2.0};
    }
    const Number d2 =
        square.is_single ? Number{std::sqrt(static_cast<float>(square.value)), true} : Number{std::sqrt(square.value)};
    const LinePoint& near = is_ordered ? a : b;
    const LinePoint& far = is_ordered ? b : a;
    const Number position =
        far.t - (far.t - near.t) * ((far.slope + d2 - d1) / (far.slope - near.slope + Number{2.0} * d2));
    return lesser_of(greater_of(position, least), greatest);
}

AUDYN_INLINE StrongWolfe::StrongWolfe(Objective objective, LinePoint start, const Limits& limits)
    : objective_(std::move(objective)), start_(std::move(start)), limits_(limits) {}

AUDYN_INLINE LinePoint StrongWolfe::search(Number t) {
    find_bracket(t);
    order();
    narrow_bracket();
    return low();
}

AUDYN_INLINE LinePoint StrongWolfe::evaluate(Number t) {
    ++evaluations_;
    return objective_(t);
}

AUDYN_INLINE bool StrongWolfe::is_too_high(const LinePoint& point) const {
    return point.loss > start_.loss + Number{1e-4} * point.t * start_.slope;
}

AUDYN_INLINE bool StrongWolfe::is_flat(const LinePoint& point) const {
    return absolute(point.slope) <= Number{-0.9} * start_.slope;
}

/// Goes on until two points have one between them that fulfils the conditions, or one itself does.
AUDYN_INLINE void StrongWolfe::find_bracket(Number t) {
    LinePoint previous = start_;
    LinePoint current = evaluate(t);
    for (; iteration_ < limits_.max_iterations; ++iteration_) {
        if (is_too_high(current) || (iteration_ > 1 && current.loss >= previous.loss)) {
            bracket_ = {previous, current};
            return;
        }
        if (is_flat(current)) {
            bracket_ = {current, current};
            is_done_ = true;
            return;
        }
        if (current.slope >= Number{0.0}) {
            bracket_ = {previous, current};
            return;
        }
        const std::pair bounds(current.t + Number{0.01} * (current.t - previous.t), current.t * Number{10.0});
        const Number next = cubic_minimum(previous, current, bounds);
        previous = current;
        current = evaluate(next);
    }
    bracket_ = {start_, current};
}

AUDYN_INLINE void StrongWolfe::order() {
    low_ = bracket_[0].loss <= bracket_[1].loss ? 0 : 1;
}

AUDYN_INLINE void StrongWolfe::narrow_bracket() {
    while (!is_done_ && iteration_ < limits_.max_iterations) {
        if (absolute(bracket_[1].t - bracket_[0].t) * limits_.direction_max < limits_.tolerance_change) {
            return;
        }
        const LinePoint point = evaluate(trial());
        ++iteration_;
        replace(point);
    }
}

/// The next step size: the cubic's minimum, but not twice in a row close to an end of the bracket.
AUDYN_INLINE Number StrongWolfe::trial() {
    const Number t = cubic_minimum(bracket_[0], bracket_[1]);
    const Number greatest = greater_of(bracket_[0].t, bracket_[1].t);
    const Number least = lesser_of(bracket_[0].t, bracket_[1].t);
    const Number margin = Number{0.1} * (greatest - least);
    if (!(lesser_of(greatest - t, t - least) < margin)) {
        lacks_progress_ = false;
        return t;
    }
    if (!lacks_progress_ && t < greatest && t > least) {
        lacks_progress_ = true;
        return t;
    }
    lacks_progress_ = false;
    return absolute(t - greatest) < absolute(t - least) ? greatest - margin : least + margin;
}

AUDYN_INLINE void StrongWolfe::replace(const LinePoint& point) {
    if (is_too_high(point) || point.loss >= low().loss) {
        high() = point;
        order();
        return;
    }
    if (is_flat(point)) {
        is_done_ = true;
    } else if (point.slope * (high().t - low().t) >= Number{0.0}) {
        high() = low();
    }
    low() = point;
}

} // namespace audyn::optim::detail
