#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/anneal_strategy.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/scheduler.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace audyn::optim {

/// Goes from the rate to `swa_lr`, that of stochastic weight averaging, in `anneal_epochs` steps, and stays there;
/// `torch.optim.swa_utils.SWALR`.
class SWALR final : public LRScheduler {
public:
    SWALR(Optimizer& optimizer, double swa_lr, int64_t anneal_epochs = 10,
          AnnealStrategy anneal_strategy = AnnealStrategy::cos);
    /// One rate for all groups, or one for each. \throws UsageError otherwise.
    SWALR(Optimizer& optimizer, const std::vector<double>& swa_lr, int64_t anneal_epochs = 10,
          AnnealStrategy anneal_strategy = AnnealStrategy::cos);

protected:
    [[nodiscard]] AUDYN_INLINE double compute_lr(std::size_t group) override;
    [[nodiscard]] AUDYN_INLINE StateDict options() const override;
    AUDYN_INLINE void load_options(const StateDict& state) override;

private:
    /// The part of the way that is done after `step`.
    [[nodiscard]] double alpha(int64_t step) const;

    int64_t anneal_epochs_;
    AnnealStrategy anneal_strategy_;
};

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/swa_lr.ipp>
#endif
