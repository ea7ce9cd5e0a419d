#pragma once

#include <audyn/adapter/optimizer_factory.hpp>
#include <audyn/adapter/optimizers.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/adadelta.hpp>
#include <audyn/optim/adafactor.hpp>
#include <audyn/optim/adagrad.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamax.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/asgd.hpp>
#include <audyn/optim/lbfgs.hpp>
#include <audyn/optim/muon.hpp>
#include <audyn/optim/nadam.hpp>
#include <audyn/optim/radam.hpp>
#include <audyn/optim/rmsprop.hpp>
#include <audyn/optim/rprop.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/optim/sparse_adam.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter::detail {

/// An argument of an optimizer's target: how its options take it, and its default.
template <class Options, class T>
struct OptionArgument {
    std::string name;
    T fallback;
    std::function<void(Options&, const T&)> set;
};

/// By its setter, with the default that the options have.
template <class Options, class T>
OptionArgument<Options, T> option(std::string name, Options& (Options::*set)(T), T (Options::*get)() const) {
    return {std::move(name), (Options().*get)(), [set](Options& options, const T& value) { (options.*set)(value); }};
}
template <class Options, class T>
OptionArgument<Options, T> option(std::string name, Options& (Options::*set)(T), T fallback) {
    return {std::move(name), std::move(fallback), [set](Options& options, const T& value) { (options.*set)(value); }};
}

/// One that Python has and that means nothing here.
template <class Options, class T = Unsupported>
OptionArgument<Options, T> unused(std::string name) {
    return {std::move(name), T(), [](Options&, const T&) {}};
}

/// Adds a target with the arguments in Python's order.
template <class Optimizer, class Options, class... T>
void add_optimizer(Targets& targets, const std::string& name, const OptionArgument<Options, T>&... arguments) {
    targets.add_function<OptimizerFactory>(name, Signature<T...>((Arg{arguments.name} = arguments.fallback)...),
                                           [arguments...](const T&... values) {
                                               Options options;
                                               (arguments.set(options, values), ...);
                                               options.check();
                                               return OptimizerFactory::of<Optimizer>(options);
                                           });
}

AUDYN_INLINE void add_sgd(Targets& targets) {
    using O = optim::SGDOptions;
    add_optimizer<optim::SGD, O>(
        targets, "torch.optim.SGD", option("lr", &O::lr, &O::lr), option("momentum", &O::momentum, &O::momentum),
        option("dampening", &O::dampening, &O::dampening), option("weight_decay", &O::weight_decay, &O::weight_decay),
        option("nesterov", &O::nesterov, &O::nesterov), option("maximize", &O::maximize, &O::maximize),
        unused<O>("foreach"), unused<O>("differentiable"), unused<O, std::optional<bool>>("fused"));
}

/// Adam and AdamW: they differ in the default of weight_decay, and in an argument.
template <class Optimizer, class O, class... More>
void add_adam(Targets& targets, const std::string& name, const More&... more) {
    add_optimizer<Optimizer, O>(targets, name, option("lr", &O::lr, &O::lr), option("betas", &O::betas, &O::betas),
                                option("eps", &O::eps, &O::eps),
                                option("weight_decay", &O::weight_decay, &O::weight_decay),
                                option("amsgrad", &O::amsgrad, &O::amsgrad), unused<O>("foreach"),
                                option("maximize", &O::maximize, &O::maximize), unused<O>("capturable"),
                                unused<O>("differentiable"), unused<O, std::optional<bool>>("fused"), more...);
}

AUDYN_INLINE void add_adagrad(Targets& targets) {
    using O = optim::AdagradOptions;
    add_optimizer<optim::Adagrad, O>(
        targets, "torch.optim.Adagrad", option("lr", &O::lr, &O::lr), option("lr_decay", &O::lr_decay, &O::lr_decay),
        option("weight_decay", &O::weight_decay, &O::weight_decay),
        option("initial_accumulator_value", &O::initial_accumulator_value, &O::initial_accumulator_value),
        option("eps", &O::eps, &O::eps), unused<O>("foreach"), option("maximize", &O::maximize, &O::maximize),
        unused<O>("differentiable"), unused<O, std::optional<bool>>("fused"));
}

AUDYN_INLINE void add_rmsprop(Targets& targets) {
    using O = optim::RMSpropOptions;
    add_optimizer<optim::RMSprop, O>(
        targets, "torch.optim.RMSprop", option("lr", &O::lr, &O::lr), option("alpha", &O::alpha, &O::alpha),
        option("eps", &O::eps, &O::eps), option("weight_decay", &O::weight_decay, &O::weight_decay),
        option("momentum", &O::momentum, &O::momentum), option("centered", &O::centered, &O::centered),
        unused<O>("capturable"), unused<O>("foreach"), option("maximize", &O::maximize, &O::maximize),
        unused<O>("differentiable"));
}

AUDYN_INLINE void add_nadam(Targets& targets) {
    using O = optim::NAdamOptions;
    add_optimizer<optim::NAdam, O>(
        targets, "torch.optim.NAdam", option("lr", &O::lr, &O::lr), option("betas", &O::betas, &O::betas),
        option("eps", &O::eps, &O::eps), option("weight_decay", &O::weight_decay, &O::weight_decay),
        option("momentum_decay", &O::momentum_decay, &O::momentum_decay),
        option("decoupled_weight_decay", &O::decoupled_weight_decay, &O::decoupled_weight_decay), unused<O>("foreach"),
        option("maximize", &O::maximize, &O::maximize), unused<O>("capturable"), unused<O>("differentiable"));
}

AUDYN_INLINE void add_radam(Targets& targets) {
    using O = optim::RAdamOptions;
    add_optimizer<optim::RAdam, O>(
        targets, "torch.optim.RAdam", option("lr", &O::lr, &O::lr), option("betas", &O::betas, &O::betas),
        option("eps", &O::eps, &O::eps), option("weight_decay", &O::weight_decay, &O::weight_decay),
        option("decoupled_weight_decay", &O::decoupled_weight_decay, &O::decoupled_weight_decay), unused<O>("foreach"),
        option("maximize", &O::maximize, &O::maximize), unused<O>("capturable"), unused<O>("differentiable"));
}

AUDYN_INLINE void add_adamax(Targets& targets) {
    using O = optim::AdamaxOptions;
    add_optimizer<optim::Adamax, O>(targets, "torch.optim.Adamax", option("lr", &O::lr, &O::lr),
                                    option("betas", &O::betas, &O::betas), option("eps", &O::eps, &O::eps),
                                    option("weight_decay", &O::weight_decay, &O::weight_decay), unused<O>("foreach"),
                                    option("maximize", &O::maximize, &O::maximize), unused<O>("differentiable"),
                                    unused<O>("capturable"));
}

AUDYN_INLINE void add_adadelta(Targets& targets) {
    using O = optim::AdadeltaOptions;
    add_optimizer<optim::Adadelta, O>(targets, "torch.optim.Adadelta", option("lr", &O::lr, &O::lr),
                                      option("rho", &O::rho, &O::rho), option("eps", &O::eps, &O::eps),
                                      option("weight_decay", &O::weight_decay, &O::weight_decay), unused<O>("foreach"),
                                      unused<O>("capturable"), option("maximize", &O::maximize, &O::maximize),
                                      unused<O>("differentiable"));
}

AUDYN_INLINE void add_asgd(Targets& targets) {
    using O = optim::ASGDOptions;
    add_optimizer<optim::ASGD, O>(
        targets, "torch.optim.ASGD", option("lr", &O::lr, &O::lr), option("lambd", &O::lambd, &O::lambd),
        option("alpha", &O::alpha, &O::alpha), option("t0", &O::t0, &O::t0),
        option("weight_decay", &O::weight_decay, &O::weight_decay), unused<O>("foreach"),
        option("maximize", &O::maximize, &O::maximize), unused<O>("differentiable"), unused<O>("capturable"));
}

AUDYN_INLINE void add_rprop(Targets& targets) {
    using O = optim::RpropOptions;
    add_optimizer<optim::Rprop, O>(
        targets, "torch.optim.Rprop", option("lr", &O::lr, &O::lr), option("etas", &O::etas, &O::etas),
        option("step_sizes", &O::step_sizes, &O::step_sizes), unused<O>("capturable"), unused<O>("foreach"),
        option("maximize", &O::maximize, &O::maximize), unused<O>("differentiable"));
}

AUDYN_INLINE void add_adafactor(Targets& targets) {
    using O = optim::AdafactorOptions;
    using Eps = std::vector<std::optional<double>>;
    const OptionArgument<O, Eps> eps{"eps", {std::nullopt, 1e-3}, [](O& options, const Eps& value) {
                                         if (value.size() != 2 || !value[1]) {
                                             throw UsageError("eps must be [number or null, number]");
                                         }
                                         options.eps({value[0], *value[1]});
                                     }};
    add_optimizer<optim::Adafactor, O>(targets, "torch.optim.Adafactor", option("lr", &O::lr, &O::lr),
                                       option("beta2_decay", &O::beta2_decay, &O::beta2_decay), eps,
                                       option("d", &O::d, &O::d),
                                       option("weight_decay", &O::weight_decay, &O::weight_decay), unused<O>("foreach"),
                                       option("maximize", &O::maximize, &O::maximize));
}

AUDYN_INLINE void add_muon(Targets& targets) {
    using O = optim::MuonOptions;
    using Coefficients = std::vector<double>;
    const auto defaults = O().ns_coefficients();
    const OptionArgument<O, Coefficients> coefficients{
        "ns_coefficients", Coefficients(defaults.begin(), defaults.end()), [](O& options, const Coefficients& value) {
            if (value.size() != 3) {
                throw UsageError("ns_coefficients must be three numbers, got " + std::to_string(value.size()));
            }
            options.ns_coefficients({value[0], value[1], value[2]});
        }};
    add_optimizer<optim::Muon, O>(targets, "torch.optim.Muon", option("lr", &O::lr, &O::lr),
                                  option("weight_decay", &O::weight_decay, &O::weight_decay),
                                  option("momentum", &O::momentum, &O::momentum),
                                  option("nesterov", &O::nesterov, &O::nesterov), coefficients,
                                  option("eps", &O::eps, &O::eps), option("ns_steps", &O::ns_steps, &O::ns_steps),
                                  option("adjust_lr_fn", &O::adjust_lr_fn, std::optional<std::string>()));
}

AUDYN_INLINE void add_sparse_adam(Targets& targets) {
    using O = optim::SparseAdamOptions;
    add_optimizer<optim::SparseAdam, O>(targets, "torch.optim.SparseAdam", option("lr", &O::lr, &O::lr),
                                        option("betas", &O::betas, &O::betas), option("eps", &O::eps, &O::eps),
                                        option("maximize", &O::maximize, &O::maximize));
}

AUDYN_INLINE void add_lbfgs(Targets& targets) {
    using O = optim::LBFGSOptions;
    add_optimizer<optim::LBFGS, O>(targets, "torch.optim.LBFGS", option("lr", &O::lr, &O::lr),
                                   option("max_iter", &O::max_iter, &O::max_iter),
                                   option("max_eval", &O::max_eval, std::optional<int64_t>()),
                                   option("tolerance_grad", &O::tolerance_grad, &O::tolerance_grad),
                                   option("tolerance_change", &O::tolerance_change, &O::tolerance_change),
                                   option("history_size", &O::history_size, &O::history_size),
                                   option("line_search_fn", &O::line_search_fn, std::optional<std::string>()));
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_optimizers(Targets& targets) {
    using detail::option;
    using AdamOptions = optim::AdamOptions;
    detail::add_adam<optim::Adam, AdamOptions>(
        targets, "torch.optim.Adam",
        option("decoupled_weight_decay", &AdamOptions::decoupled_weight_decay, &AdamOptions::decoupled_weight_decay));
    detail::add_adam<optim::AdamW, optim::AdamWOptions>(targets, "torch.optim.AdamW");
    detail::add_sgd(targets);
    detail::add_adagrad(targets);
    detail::add_rmsprop(targets);
    detail::add_nadam(targets);
    detail::add_radam(targets);
    detail::add_adamax(targets);
    detail::add_adadelta(targets);
    detail::add_asgd(targets);
    detail::add_rprop(targets);
    detail::add_adafactor(targets);
    detail::add_muon(targets);
    detail::add_sparse_adam(targets);
    detail::add_lbfgs(targets);
}

} // namespace audyn::adapter
