#pragma once

#include <audyn/data/batch.hpp>
#include <audyn/trainer/forward_call.hpp>

#include <torch/nn/module.h>

#include <concepts>
#include <memory>
#include <type_traits>

namespace audyn::trainer {

/// How to reach the module of a model: a holder made by TORCH_MODULE, or a std::shared_ptr.
template <class Model>
struct ModelTraits;

template <class Holder>
requires requires {
    typename Holder::ContainedType;
}
struct ModelTraits<Holder> {
    using Module = typename Holder::ContainedType;
    static std::shared_ptr<Module> pointer(const Holder& model) { return model.ptr(); }
};

template <class Pointee>
struct ModelTraits<std::shared_ptr<Pointee>> {
    using Module = Pointee;
    static std::shared_ptr<Module> pointer(const std::shared_ptr<Pointee>& model) { return model; }
};

/// A module holder, or a shared pointer to a module.
template <class Model>
concept ModelHolder = requires {
    typename ModelTraits<Model>::Module;
};

/// A module with a forward: one that is neither overloaded nor a template, or one that takes a tensor.
template <class Module>
concept HasForward = requires {
    &Module::forward;
}
|| requires(Module& module, at::Tensor tensor) {
    module.forward(tensor);
};

/// A step is called as `step(context, batch)` and returns the loss, a tensor.
template <class Step, class Context>
concept TrainingStep = requires(Step& step, Context& context, const data::Batch& batch) {
    { step(context, batch) } -> std::convertible_to<at::Tensor>;
};

/// Says what `Model` lacks; `static_assert(check_model<Model>())`.
template <class Model>
consteval bool check_model() {
    static_assert(ModelHolder<Model>, "audyn: Model must be a module holder (TORCH_MODULE) or a std::shared_ptr to a "
                                      "torch::nn::Module; did you give the Impl class itself?");
    using Module = typename ModelTraits<Model>::Module;
    static_assert(std::derived_from<Module, torch::nn::Module>,
                  "audyn: Model must hold a class derived from torch::nn::Module");
    static_assert(HasForward<Module>, "audyn: Model has no member forward()");
    return true;
}

} // namespace audyn::trainer
