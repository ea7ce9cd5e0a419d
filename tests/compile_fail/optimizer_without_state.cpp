// expect: audyn: the Optimizer type has no member state_dict() const
// expect: audyn: the Optimizer type has no member load_state_dict(const StateDict&)
#include <audyn/optim/concepts.hpp>
#include <audyn/optim/optimizer.hpp>

#include <vector>

struct NoState {
    void step();
    at::Tensor step(const audyn::optim::Closure& closure);
    void zero_grad(bool set_to_none);
    const std::vector<at::Tensor>& parameters() const;
    std::vector<audyn::optim::ParamGroup>& groups();
};

static_assert(audyn::optim::check_optimizer<NoState>());
