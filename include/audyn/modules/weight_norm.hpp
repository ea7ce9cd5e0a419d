#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/modules/copy_state.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace audyn::modules {

/// What every module with weight normalisation can do.
class WeightNormalized {
public:
    virtual ~WeightNormalized() = default;
    /// False once it was removed.
    [[nodiscard]] virtual bool has_weight_norm() const = 0;
    /// Makes the weight a plain parameter with the value that it has; `torch.nn.utils.remove_parametrizations`. An
    /// optimizer made before does not know it.
    virtual void remove_weight_norm() = 0;

protected:
    WeightNormalized() = default;
    WeightNormalized(const WeightNormalized&) = default;
    WeightNormalized& operator=(const WeightNormalized&) = default;
};

/// Removes it from `module` and all modules below it; returns from how many.
AUDYN_INLINE int64_t remove_weight_norm(torch::nn::Module& module);

namespace detail {

/// The submodule `parametrizations` of Python: its `weight` holds the norm as `original0` and the direction as
/// `original1`.
class WeightNormParametrization {
public:
    /// Takes `weight` apart.
    WeightNormParametrization(const at::Tensor& weight, int64_t dim);
    [[nodiscard]] const std::shared_ptr<torch::nn::Module>& module() const { return module_; }

    /// Of the submodule as it is registered now: a clone of the whole may have replaced it.
    [[nodiscard]] static AUDYN_INLINE at::Tensor weight(const torch::nn::Module& parametrizations, int64_t dim);

private:
    std::shared_ptr<torch::nn::Module> module_;
};

} // namespace detail

/// `Base` with `weight = g * v / |v|`.
template <class Base>
class WeightNormImpl : public Base, public WeightNormalized {
public:
    /// As `Base(base_options)`, with a norm for each position along `dim` of the weight; -1: one norm.
    template <class Options>
    explicit WeightNormImpl(const Options& base_options, int64_t dim = 0)
        : Base(base_options),
          dim_(dim),
          make_like_this_([base_options, dim] { return std::make_shared<WeightNormImpl>(base_options, dim); }) {
        const detail::WeightNormParametrization parts(this->weight, dim_);
        this->parameters_.erase("weight");
        this->register_module("parametrizations", parts.module());
        this->weight = this->weight.detach();
    }

    at::Tensor forward(const at::Tensor& input) {
        if (!has_weight_norm()) {
            return Base::forward(input);
        }
        this->weight = normalized_weight();
        at::Tensor output = Base::forward(input);
        this->weight = this->weight.detach(); // lets go of the graph
        return output;
    }

    [[nodiscard]] bool has_weight_norm() const override { return !this->children().empty(); }

    void remove_weight_norm() override {
        if (!has_weight_norm()) {
            return;
        }
        const at::Tensor value = normalized_weight().detach();
        this->unregister_module("parametrizations");
        this->weight = this->register_parameter("weight", value);
    }

    [[nodiscard]] std::shared_ptr<torch::nn::Module>
    clone(const std::optional<at::Device>& device = std::nullopt) const override {
        const std::shared_ptr<WeightNormImpl> copy = make_like_this_();
        if (!has_weight_norm()) {
            copy->remove_weight_norm();
        }
        detail::copy_state(*this, *copy, device);
        return copy;
    }

private:
    [[nodiscard]] at::Tensor normalized_weight() const {
        return detail::WeightNormParametrization::weight(*this->children().front(), dim_);
    }

    int64_t dim_;
    std::function<std::shared_ptr<WeightNormImpl>()> make_like_this_;
};

/// `torch.nn.utils.parametrizations.weight_norm` of a module of libtorch that has no submodules, a linear map or a
/// convolution: `WeightNorm<torch::nn::Conv1d>(torch::nn::Conv1dOptions(1, 8, 3))`. The state dictionary has Python's
/// names, `parametrizations.weight.original0` (norms) and `original1` (directions).
template <class Holder>
class WeightNorm : public torch::nn::ModuleHolder<WeightNormImpl<typename Holder::ContainedType>> {
public:
    using torch::nn::ModuleHolder<WeightNormImpl<typename Holder::ContainedType>>::ModuleHolder;
};

} // namespace audyn::modules

#ifndef AUDYN_COMPILED
#    include <audyn/modules/weight_norm.ipp>
#endif
