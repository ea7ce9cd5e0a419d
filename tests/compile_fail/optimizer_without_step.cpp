// expect: audyn: the Optimizer type has no member step()
#include <audyn/optim/concepts.hpp>
#include <audyn/optim/optimizer.hpp>

#include <vector>

struct NoStep {
    at::Tensor step(const audyn::optim::Closure& closure);
    void zero_grad(bool set_to_none);
    const std::vector<at::Tensor>& parameters() const;
    std::vector<audyn::optim::ParamGroup>& groups();
    audyn::StateDict state_dict() const;
    void load_state_dict(const audyn::StateDict& state);
};

static_assert(audyn::optim::check_optimizer<NoStep>());
