// expect: audyn: the AmpPolicy type has no member autocast() const
// expect: audyn: the AmpPolicy type has no member unscale(Optimizer&)
#include <audyn/amp/concepts.hpp>
#include <audyn/optim/optimizer.hpp>

struct NoAutocast {
    static constexpr bool enabled = true;
    static constexpr bool scales_loss = false;
    explicit NoAutocast(c10::Device device);
    at::Tensor scale(const at::Tensor& loss);
    void step(audyn::optim::Optimizer& optimizer);
    void update();
    audyn::StateDict state_dict() const;
    void load_state_dict(const audyn::StateDict& state);
};

static_assert(audyn::amp::check_amp_policy<NoAutocast>());
