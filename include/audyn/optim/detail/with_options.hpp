#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/option_visitors.hpp>
#include <audyn/optim/detail/options.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace audyn::optim::detail {

/// An optimizer of the kind `Base` whose groups have `Options`, which have a `visit()`; see option_visitors.hpp.
template <class Base, class Options>
class WithOptions : public Base {
public:
    /// The options of a group as they are now.
    [[nodiscard]] Options options(std::size_t group) const {
        Options current = options_[group];
        const ParamGroup& own = this->groups()[group];
        current.lr(own.lr);
        if constexpr (requires { current.betas(); }) {
            current.betas({*own.momentum, current.betas().second});
        } else if constexpr (requires { current.momentum(); }) {
            current.momentum(*own.momentum);
        }
        return current;
    }

protected:
    template <class... Arguments>
    explicit WithOptions(const std::vector<OptionsGroup<Options>>& groups, Arguments&&... arguments)
        : Base(param_groups(groups), std::forward<Arguments>(arguments)...) {
        for (const OptionsGroup<Options>& group : groups) {
            options_.push_back(group.options);
        }
    }

    [[nodiscard]] StateDict group_options(std::size_t group) const override {
        StateDict result;
        const Options current = options(group);
        Options::visit(current, OptionWriter{result});
        return result;
    }

    void load_group_options(std::size_t group, const StateDict& saved) override {
        Options& own = options_[group];
        Options::visit(own, OptionReader{saved});
        ParamGroup& current = this->groups()[group];
        current.lr = own.lr();
        if constexpr (requires { own.betas(); }) {
            current.momentum = own.betas().first;
        } else if constexpr (requires { own.momentum(); }) {
            current.momentum = own.momentum();
        }
    }

private:
    /// lr, momentum and the first beta are read from the groups, where schedulers change them.
    std::vector<Options> options_;
};

/// One group of `parameters`.
template <class Options>
std::vector<OptionsGroup<Options>> one_group(const NamedParameters& parameters, const Options& options) {
    return {options_group(parameters, options)};
}
template <class Options>
std::vector<OptionsGroup<Options>> one_group(std::vector<at::Tensor> parameters, const Options& options) {
    return {{{}, std::move(parameters), options}};
}

} // namespace audyn::optim::detail
