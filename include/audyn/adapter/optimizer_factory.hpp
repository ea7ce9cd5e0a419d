#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/config.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/parameter_groups.hpp>

#include <any>
#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::adapter {

/// What an optimizer's target builds: the parameters come from the model.
class OptimizerFactory {
public:
    using Product = std::unique_ptr<optim::Optimizer>;

    /// Of a function that makes an optimizer of one group.
    template <class Function>
    requires std::is_invocable_r_v<Product, const Function&, const optim::NamedParameters&> &&
        (!std::same_as<std::remove_cvref_t<Function>, OptimizerFactory>)OptimizerFactory(Function make)
        : make_(std::move(make)) {}

    /// Of one of the toolkit's, whose groups may have options of their own.
    template <class Optimizer, class Options>
    static OptimizerFactory of(const Options& options) {
        OptimizerFactory factory([options](const optim::NamedParameters& parameters) -> Product {
            return std::make_unique<Optimizer>(parameters, options);
        });
        factory.options_ = options;
        factory.make_groups_ = [](const std::vector<Group>& groups) -> Product {
            std::vector<optim::OptionsGroup<Options>> typed;
            for (const Group& group : groups) {
                typed.push_back({group.tensors.names, group.tensors.params, std::any_cast<Options>(group.options)});
            }
            return std::make_unique<Optimizer>(typed);
        };
        return factory;
    }

    /// An optimizer of all parameters in one group.
    [[nodiscard]] Product operator()(const optim::NamedParameters& parameters) const { return make_(parameters); }

    /// An optimizer whose groups have the options of their factories, which are of one target.
    /// \throws UsageError when that target's optimizer takes no groups.
    [[nodiscard]] static Product make(const std::vector<std::pair<optim::NamedTensors, OptimizerFactory>>& groups);

private:
    struct Group {
        optim::NamedTensors tensors;
        std::any options;
    };

    std::function<Product(const optim::NamedParameters&)> make_;
    std::any options_;
    std::function<Product(const std::vector<Group>&)> make_groups_;
};

template <>
inline constexpr bool is_part<OptimizerFactory> = true;
namespace detail {
template <>
inline constexpr bool is_function<OptimizerFactory> = true;
} // namespace detail

namespace detail {

/// `values` as a node in the place of `node`: with its key and environment.
[[nodiscard]] AUDYN_INLINE Config in_place_of(const Config& node, config::Value values);

} // namespace detail

/// Checks an optimizer's node, and each entry of its `param_groups`. \throws ConfigError that tells every mistake.
AUDYN_INLINE void check_optimizer(const Targets& targets, const Config& node);

/// Builds the optimizer that `node` describes. An entry of `param_groups` has `params`, a pattern of names or a list of
/// them, and arguments that differ for the parameters that fit: `[{params: ["*.bias", "*norm*"], weight_decay: 0}]`.
/// \throws ConfigError also for a pattern that fits nothing, and for a parameter that two groups match.
AUDYN_INLINE std::unique_ptr<optim::Optimizer> build_optimizer(const Targets& targets, const Config& node,
                                                               const optim::NamedParameters& parameters);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/optimizer_factory.ipp>
#endif
