#include <audyn/amp/concepts.hpp>
#include <audyn/amp/policy.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/sgd.hpp>

#include <ATen/ATen.h>
#include <torch/cuda.h>

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>
#include <vector>

using namespace audyn::amp;

static_assert(check_amp_policy<Disabled>());
static_assert(check_amp_policy<BFloat16>());
static_assert(check_amp_policy<Float16>());
static_assert(std::is_empty_v<Disabled>);
static_assert(!Disabled::enabled && BFloat16::enabled && Float16::enabled);
static_assert(!Disabled::scales_loss && !BFloat16::scales_loss && Float16::scales_loss);

namespace {

/// One iteration of p -= (p + 3)'s gradient, and the type of a matrix product in its forward pass.
template <class Policy>
std::pair<float, at::ScalarType> iterate(Policy& amp) {
    const at::Tensor parameter = at::zeros({2, 2}).requires_grad_();
    audyn::optim::SGD optimizer(std::vector{parameter}, audyn::optim::SGDOptions().lr(1.0));
    at::Tensor loss;
    at::ScalarType type{};
    {
        [[maybe_unused]] const auto autocast = amp.autocast();
        const at::Tensor product = at::mm(parameter, at::eye(2));
        type = product.scalar_type();
        loss = product.to(at::kFloat).sum();
    }
    amp.scale(loss).backward();
    amp.unscale(optimizer);
    amp.step(optimizer);
    amp.update();
    return {parameter[0][0].item<float>(), type};
}

} // namespace

TEST_CASE_TEMPLATE("a policy steps in its type", Policy, Disabled, BFloat16, Float16) {
    Policy amp(at::Device(at::kCPU));
    if (Policy::scales_loss) {
        CHECK(iterate(amp).first == 0.0F); // The first scale, 65536, is an infinity in float16.
    }
    const auto [value, type] = iterate(amp);
    CHECK(value == -1.0F);
    const at::ScalarType expected = std::is_same_v<Policy, Disabled>   ? at::kFloat
                                    : std::is_same_v<Policy, BFloat16> ? at::kBFloat16
                                                                       : at::kHalf;
    CHECK((type == expected));
    amp.load_state_dict(amp.state_dict());
}

TEST_CASE("only float16 has a state, the scaler's") {
    CHECK(Disabled(at::kCPU).state_dict().empty());
    CHECK(BFloat16(at::kCPU).state_dict().empty());
    Float16 amp(at::kCPU, GradScalerOptions().init_scale(4.0));
    CHECK(amp.state_dict().at("scale").as_float() == 4.0);
    CHECK(amp.scaler().get_scale() == 4.0);
    CHECK_THROWS_AS(amp.load_state_dict({}), audyn::StateError);
}

TEST_CASE("a device that is not there is an error at once") {
    if (!torch::cuda::is_available()) {
        CHECK_THROWS_AS(BFloat16{at::Device(at::kCUDA)}, audyn::UsageError);
        CHECK_THROWS_AS(Float16{at::Device(at::kCUDA)}, audyn::UsageError);
    }
}
