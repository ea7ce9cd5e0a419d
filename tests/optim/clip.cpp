#include <audyn/core/error.hpp>
#include <audyn/optim/clip.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
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

/// The same gradients on other parameters: one unit each but for the second, which has a row of zeros.
std::vector<at::Tensor> adaptive_parameters() {
    std::vector<at::Tensor> result = parameters();
    result[0].copy_(at::tensor({0.5F, -1.0F, 2.0F}));
    result[1].copy_(at::tensor({30.0F, 40.0F, 0.0F, 0.0F}).view({2, 2}));
    result[2].fill_(1.0F);
    result[3].copy_(at::tensor({60.0, 80.0}, at::kDouble));
    return result;
}

/// The first two, and the others.
std::vector<ParamGroup> two_groups(const std::vector<at::Tensor>& parameters) {
    std::vector<ParamGroup> groups(2);
    groups[0].params = {parameters[0], parameters[1]};
    groups[1].params = {parameters[2], parameters[3]};
    return groups;
}

void check_close(const at::Tensor& tensor, const std::vector<double>& expected) {
    const at::Tensor flat = tensor.flatten();
    REQUIRE(flat.numel() == static_cast<int64_t>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto value = flat[static_cast<int64_t>(i)].item<double>();
        CAPTURE(value);
        CHECK(std::abs(value - expected[i]) <= 1e-6 * std::abs(expected[i]));
    }
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

TEST_CASE("sparse gradients are refused, whatever clips") {
    const at::Tensor dense = at::ones({2}).requires_grad_();
    const at::Tensor rows = at::ones({3, 2}).requires_grad_();
    dense.mutable_grad() = at::ones({2});
    rows.mutable_grad() = at::ones({3, 2}).to_sparse();
    const char* message = "sparse gradients cannot be clipped, but parameter 1 of the shape [3, 2] has one";
    CHECK_THROWS_WITH_AS(clip_grad_norm_({dense, rows}, 1.0), doctest::Contains(message), audyn::UsageError);
    CHECK_THROWS_WITH_AS(clip_grad_value_({dense, rows}, 0.5), doctest::Contains(message), audyn::UsageError);
    CHECK_THROWS_WITH_AS(clip_grad_adaptive_({dense, rows}, 0.1), doctest::Contains(message), audyn::UsageError);
    CHECK(at::equal(dense.grad(), at::ones({2})));
}

TEST_CASE("clip_grad_value_ clamps every element") {
    const std::vector<at::Tensor> clipped = parameters();
    clip_grad_value_(clipped, 2.5);
    CHECK(at::equal(clipped[0].grad(), at::tensor({2.5F, -2.5F, 0.5F})));
    CHECK(at::equal(clipped[3].grad(), at::tensor({2.5, -2.5}, at::kDouble)));
}

TEST_CASE("each group is clipped by itself") {
    const std::vector<at::Tensor> clipped = parameters();
    const std::vector<ParamGroup> groups = two_groups(clipped);
    const std::vector<at::Tensor> norms = clip_group_grad_norm_(groups, {1.0, 2.0});
    CHECK(norms.at(0).item<double>() == doctest::Approx(6.269968032836914).epsilon(1e-6));
    CHECK(norms.at(1).item<double>() == doctest::Approx(9.219544457292887).epsilon(1e-12));
    check_close(clipped[0].grad(), {0.4784712791442871, -0.6379616856575012, 0.07974521070718765});
    check_close(clipped[1].grad(), {0.1594904214143753, 0.3189808428287506, -0.4784712791442871, 0.039872605353593826});
    check_close(clipped[3].grad(), {1.301582605735482, -1.5185130400247289});
    CHECK_THROWS_WITH_AS(clip_group_grad_norm_(groups, {1.0, 2.0, 3.0}),
                         "clipping needs one max_norm, or one for each of the 2 parameter groups; got 3",
                         audyn::UsageError);
}

TEST_CASE("adaptive clipping scales each unit by its own norm") {
    for (const double clip_factor : {0.01, 0.1}) {
        CAPTURE(clip_factor);
        const std::vector<at::Tensor> clipped = adaptive_parameters();
        const at::Tensor norm = clip_grad_adaptive_(clipped, clip_factor);
        CHECK(norm.item<double>() == doctest::Approx(11.149551478977623).epsilon(1e-6));
        CHECK_FALSE(clipped[2].grad().defined());
        if (clip_factor == 0.01) {
            check_close(clipped[0].grad(), {0.013679498806595802, -0.018239332363009453, 0.0022799165453761816});
            check_close(clipped[1].grad(),
                        {0.22360679507255554, 0.4472135901451111, -9.965457138605416e-06, 8.304547804982576e-07});
            check_close(clipped[3].grad(), {0.6507913734559685, -0.7592566023652966});
        } else {
            check_close(clipped[0].grad(), {0.13679499924182892, -0.18239332735538483, 0.022799165919423103});
            check_close(clipped[1].grad(), {1.0, 2.0, -9.965457138605416e-05, 8.304547918669414e-06});
            check_close(clipped[3].grad(), {6.0, -7.0});
        }
    }
    CHECK(clip_grad_adaptive_({at::zeros({3})}).item<float>() == 0.0F);
    const std::vector<at::Tensor> infinite = adaptive_parameters();
    infinite[0].mutable_grad()[1] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS(clip_grad_adaptive_(infinite, 0.01, 1e-3, 2.0, /*error_if_nonfinite=*/true), audyn::TrainingError);
    CHECK(clip_grad_adaptive_(infinite).isinf().item<bool>());
}

TEST_CASE("adaptive clipping takes a kernel by its outputs, and parameters of several types") {
    const at::Tensor kernel = at::ones({2, 3, 5});
    kernel.mutable_grad() = at::ones({2, 3, 5});
    kernel.mutable_grad()[1].mul_(1e-3);
    const at::Tensor complex = at::ones({4}, at::kComplexDouble);
    complex.mutable_grad() = at::full({4}, 3.0, at::kComplexDouble);
    const at::Tensor norm = clip_grad_adaptive_({kernel, complex}, 0.1);
    CHECK(norm.item<double>() == doctest::Approx(std::sqrt(15.0 + 15e-6 + 36.0)));
    CHECK(at::allclose(kernel.grad()[0], at::full({3, 5}, 0.1)));
    CHECK(at::equal(kernel.grad()[1], at::full({3, 5}, 1e-3)));
    CHECK(at::allclose(complex.grad(), at::full({4}, 0.1, at::kComplexDouble)));
}

TEST_CASE("a clipper does what its mode says, and returns the norm of before") {
    const auto norm_of = [](const GradClipper& clipper) {
        const std::vector<at::Tensor> clipped = adaptive_parameters();
        const at::Tensor norm = clipper.clip(two_groups(clipped));
        return std::pair(norm.defined() ? norm.item<double>() : 0.0, clipped[3].grad()[1].item<double>());
    };
    const auto check = [&](const GradClipperOptions& options, double norm, double last) {
        const auto [found_norm, found_last] = norm_of(GradClipper(options));
        CHECK(found_norm == doctest::Approx(norm).epsilon(1e-6));
        CHECK(found_last == doctest::Approx(last).epsilon(1e-6));
    };
    const double norm = 11.149551478977623;
    check(GradClipperOptions(ClipMode::value).clip_value(2.5), 0.0, -2.5);
    check(GradClipperOptions(ClipMode::norm).max_norm(1.0), norm, -0.6278278893434006);
    check(GradClipperOptions(ClipMode::norm).max_norm(1.0).norm_type(1.0), 26.75, -0.26168223320814077);
    check(GradClipperOptions(ClipMode::group_norm).max_norm(std::vector{1.0, 2.0}), norm, -1.5185130400247289);
    check(GradClipperOptions(ClipMode::adaptive), norm, -0.7592566023652966);
    for (const auto& options :
         {GradClipperOptions(ClipMode::norm).max_norm(1.0), GradClipperOptions(ClipMode::group_norm).max_norm(1.0),
          GradClipperOptions(ClipMode::adaptive)}) {
        CAPTURE(clip_modes.name(options.mode()));
        const std::vector<at::Tensor> infinite = adaptive_parameters();
        infinite[3].mutable_grad()[1] = std::numeric_limits<double>::infinity();
        CHECK_THROWS_AS(GradClipper(GradClipperOptions(options).error_if_nonfinite(true)).clip(two_groups(infinite)),
                        audyn::TrainingError);
        CHECK(GradClipper(options).clip(two_groups(infinite)).isinf().item<bool>());
    }
    const auto error = [](const GradClipperOptions& options, const char* message) {
        CHECK_THROWS_WITH_AS((void)GradClipper(options), message, audyn::UsageError);
    };
    error(GradClipperOptions(ClipMode::value), "clipping by mode 'value' needs clip_value, above 0");
    error(GradClipperOptions(ClipMode::norm), "clipping by mode 'norm' needs max_norm");
    error(GradClipperOptions(ClipMode::norm).max_norm(std::vector{1.0, 2.0}),
          "clipping by mode 'norm' needs one max_norm; for one of each group set mode to 'group_norm'");
    error(GradClipperOptions(ClipMode::adaptive).eps(0.0), "clipping by mode 'adaptive' needs an eps above 0");
    CHECK_THROWS_WITH_AS((void)clip_modes.mode("agc"),
                         "mode must be 'value', 'norm', 'group_norm' or 'adaptive', got 'agc'", audyn::UsageError);
}
