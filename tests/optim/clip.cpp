#include <audyn/core/error.hpp>
#include <audyn/optim/clip.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace audyn::optim;

namespace {

/// Two types, and one parameter without a gradient, as in tests/oracle/clip.py.
std::vector<at::Tensor> parameters() {
    std::vector<at::Tensor> result{at::zeros({3}), at::zeros({2, 2}), at::zeros({1}), at::zeros({2}, at::kDouble)};
    result[0].mutable_grad() = at::tensor({3.0F, -4.0F, 0.5F});
    result[1].mutable_grad() = at::tensor({1.0F, 2.0F, -3.0F, 0.25F}).view({2, 2});
    result[3].mutable_grad() = at::tensor({6.0, -7.0}, at::kDouble);
    return result;
}

} // namespace

TEST_CASE("clip_grad_norm_ is Python's") {
    struct Expected {
        double norm_type;
        double norm;
        double first;
        double last;
    };
    const double infinity = std::numeric_limits<double>::infinity();
    for (const Expected& expected : {Expected{1.0, 26.75, 0.11214952915906906, -0.26168223320814077},
                                     Expected{2.0, 11.149551478977623, 0.269069105386734, -0.6278278893434006},
                                     Expected{3.5, 8.333261408381105, 0.3600030541419983, -0.8400071492960323},
                                     Expected{infinity, 7.0, 0.42857134342193604, -0.9999998571428774}}) {
        CAPTURE(expected.norm_type);
        const std::vector<at::Tensor> clipped = parameters();
        const at::Tensor norm = clip_grad_norm_(clipped, 1.0, expected.norm_type);
        CHECK(norm.item<double>() == doctest::Approx(expected.norm).epsilon(1e-6));
        CHECK(clipped[0].grad()[0].item<double>() == doctest::Approx(expected.first).epsilon(1e-6));
        CHECK(clipped[3].grad()[1].item<double>() == doctest::Approx(expected.last).epsilon(1e-6));
        CHECK_FALSE(clipped[2].grad().defined());

        const std::vector<at::Tensor> kept = parameters();
        CHECK(clip_grad_norm_(kept, 1e4, expected.norm_type).item<double>() ==
              doctest::Approx(expected.norm).epsilon(1e-6));
        CHECK(at::equal(kept[0].grad(), parameters()[0].grad()));
    }
}

TEST_CASE("a norm that is not finite is an error when asked") {
    const std::vector<at::Tensor> infinite = parameters();
    infinite[0].mutable_grad()[1] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS(clip_grad_norm_(infinite, 1.0, 2.0, /*error_if_nonfinite=*/true), audyn::TrainingError);
    CHECK(clip_grad_norm_(infinite, 1.0).isinf().item<bool>());
    CHECK(infinite[0].grad()[0].item<float>() == 0.0F);
    const std::vector<at::Tensor> undefined = parameters();
    undefined[0].mutable_grad()[1] = std::numeric_limits<float>::quiet_NaN();
    CHECK(clip_grad_norm_(undefined, 1.0).isnan().item<bool>());
    CHECK(undefined[0].grad()[0].isnan().item<bool>());
}

TEST_CASE("without gradients the norm is zero") {
    CHECK(clip_grad_norm_({at::zeros({3})}, 1.0).item<float>() == 0.0F);
    CHECK(clip_grad_norm_({}, 1.0, 2.0, true).item<float>() == 0.0F);
    clip_grad_value_({at::zeros({3})}, 1.0);
}

TEST_CASE("clip_grad_value_ clamps every element") {
    const std::vector<at::Tensor> clipped = parameters();
    clip_grad_value_(clipped, 2.5);
    CHECK(at::equal(clipped[0].grad(), at::tensor({2.5F, -2.5F, 0.5F})));
    CHECK(at::equal(clipped[3].grad(), at::tensor({2.5, -2.5}, at::kDouble)));
}
