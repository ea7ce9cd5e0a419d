#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/torch_layout.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <torch/optim/optimizer.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace audyn::optim {

/// Any of libtorch's C++ optimizers, and any written against its base class, as an Optimizer. State dictionaries exist
/// for libtorch's own (SGD, Adam, AdamW, Adagrad, RMSprop, LBFGS), in Python's layout. The learning rate belongs to
/// groups(); it is written into libtorch's options at each step.
class TorchOptimizer final : public Optimizer {
public:
    /// `names` gives names to the parameters that it knows all of. \throws UsageError when there is no optimizer.
    explicit TorchOptimizer(std::unique_ptr<torch::optim::Optimizer> optimizer,
                            const NamedParameters& names = NamedParameters());

    using Optimizer::step;
    AUDYN_INLINE void step() override;
    AUDYN_INLINE at::Tensor step(const Closure& closure) override;

    [[nodiscard]] AUDYN_INLINE const char* name() const override;
    [[nodiscard]] AUDYN_INLINE bool needs_closure() const override;

protected:
    [[nodiscard]] AUDYN_INLINE StateDict group_options(std::size_t group) const override;
    AUDYN_INLINE void load_group_options(std::size_t group, const StateDict& saved) override;
    AUDYN_INLINE void check_group_options(std::size_t group, const StateDict& saved,
                                          std::vector<std::string>& mismatches) const override;
    [[nodiscard]] AUDYN_INLINE StateDict parameter_state(std::size_t index) const override;
    AUDYN_INLINE void check_parameter_state(std::size_t index, const StateDict& state,
                                            std::vector<std::string>& mismatches) const override;
    AUDYN_INLINE void load_parameter_state(std::size_t index, const StateDict& state) override;

private:
    static std::vector<ParamGroup> groups_of(torch::optim::Optimizer* optimizer, const NamedParameters& names);
    [[nodiscard]] torch::optim::OptimizerOptions& options(std::size_t group) const;
    [[nodiscard]] const detail::TorchLayout& layout() const;
    void read_group(std::size_t group);
    void write_groups();

    std::unique_ptr<torch::optim::Optimizer> optimizer_;
    std::unique_ptr<detail::TorchLayout> layout_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/torch_optimizer.ipp>
#endif
