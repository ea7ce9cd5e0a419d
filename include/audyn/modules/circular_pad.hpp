#pragma once

#include <audyn/core/inline.hpp>

#include <ATen/core/Tensor.h>
#include <torch/expanding_array.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstddef>
#include <cstdint>

namespace audyn::modules {

namespace detail {

[[nodiscard]] AUDYN_INLINE at::Tensor circular_pad(const at::Tensor& input, at::IntArrayRef padding);

} // namespace detail

/// What the modules of one, two and three dimensions share. `Derived` is the module.
template <std::size_t Dimensions, class Derived>
class CircularPadImpl : public torch::nn::Cloneable<Derived> {
public:
    /// One number for all sides, or (left, right, top, bottom, front, back), the last dimension first.
    explicit CircularPadImpl(torch::ExpandingArray<Dimensions * 2> padding) : padding_(padding) {}

    void reset() override {}

    /// (batch, channels, ...) or (channels, ...); no side longer than the input.
    at::Tensor forward(const at::Tensor& input) { return detail::circular_pad(input, *padding_); }

private:
    torch::ExpandingArray<Dimensions * 2> padding_;
};

/// `torch.nn.CircularPad1d`: as if the input were repeated on both sides.
class CircularPad1dImpl : public CircularPadImpl<1, CircularPad1dImpl> {
public:
    using CircularPadImpl<1, CircularPad1dImpl>::CircularPadImpl;
};
TORCH_MODULE(CircularPad1d);

/// `torch.nn.CircularPad2d`. Before a convolution without padding it is what `padding='same', padding_mode='circular'`
/// of a kernel of unequal sides is in Python: libtorch's Conv2d of torch::kSame takes these sides in the wrong order.
class CircularPad2dImpl : public CircularPadImpl<2, CircularPad2dImpl> {
public:
    using CircularPadImpl<2, CircularPad2dImpl>::CircularPadImpl;
};
TORCH_MODULE(CircularPad2d);

/// `torch.nn.CircularPad3d`.
class CircularPad3dImpl : public CircularPadImpl<3, CircularPad3dImpl> {
public:
    using CircularPadImpl<3, CircularPad3dImpl>::CircularPadImpl;
};
TORCH_MODULE(CircularPad3d);

} // namespace audyn::modules

#ifndef AUDYN_COMPILED
#    include <audyn/modules/circular_pad.ipp>
#endif
