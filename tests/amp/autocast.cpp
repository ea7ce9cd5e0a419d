#include <audyn/amp/autocast.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/cuda.h>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <thread>

using audyn::amp::AutocastGuard;

namespace {

/// The type in which a matrix product is computed now.
at::ScalarType product_type() {
    const at::Tensor matrix = at::ones({2, 2});
    return at::mm(matrix, matrix).scalar_type();
}

bool is_enabled() {
    return at::autocast::is_autocast_enabled(at::kCPU);
}

} // namespace

TEST_CASE("a guard casts in its scope, and only there") {
    CHECK((product_type() == at::kFloat));
    {
        const AutocastGuard guard(at::kCPU);
        CHECK(is_enabled());
        CHECK((product_type() == at::kBFloat16));
    }
    CHECK((product_type() == at::kFloat));
    {
        const AutocastGuard guard(at::kCPU, at::kHalf);
        CHECK((product_type() == at::kHalf));
    }
    CHECK_FALSE(is_enabled());
    CHECK((at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16));
}

TEST_CASE("guards nest, disabled ones too") {
    const AutocastGuard outer(at::kCPU, at::kHalf);
    {
        const AutocastGuard off(at::kCPU, std::nullopt, /*enabled=*/false);
        CHECK((product_type() == at::kFloat));
        {
            const AutocastGuard inner(at::kCPU, at::kBFloat16);
            CHECK((product_type() == at::kBFloat16));
        }
        CHECK((product_type() == at::kFloat));
    }
    CHECK((product_type() == at::kHalf));
}

TEST_CASE("an exception restores the state") {
    const auto fail = [] {
        const AutocastGuard outer(at::kCPU);
        const AutocastGuard inner(at::kCPU, at::kHalf, true, false);
        throw std::runtime_error("in the scope");
    };
    CHECK_THROWS_AS(fail(), std::runtime_error);
    CHECK_FALSE(is_enabled());
    CHECK(at::autocast::is_autocast_cache_enabled());
    CHECK(at::autocast::increment_nesting() == 1);
    CHECK(at::autocast::decrement_nesting() == 0);
}

TEST_CASE("the cache of cast weights lives until the outermost guard ends") {
    const at::Tensor weight = at::ones({2, 2}).requires_grad_();
    const at::Tensor input = at::ones({2, 2});
    const auto product = [&] { return at::mm(input, weight)[0][0].item<float>(); };
    const auto set_weight = [&](double value) {
        const at::NoGradGuard no_grad;
        weight.fill_(value);
    };
    {
        const AutocastGuard outer(at::kCPU);
        {
            const AutocastGuard inner(at::kCPU);
            CHECK(product() == 2.0F);
        }
        set_weight(2.0);
        CHECK(product() == 2.0F); // Cached.
        const AutocastGuard uncached(at::kCPU, std::nullopt, true, /*cache_enabled=*/false);
        CHECK_FALSE(at::autocast::is_autocast_cache_enabled());
        CHECK(product() == 4.0F);
    }
    const AutocastGuard next(at::kCPU);
    CHECK(product() == 4.0F);
}

TEST_CASE("the state is the thread's") {
    const AutocastGuard guard(at::kCPU);
    bool enabled_there = true;
    std::thread([&] { enabled_there = is_enabled(); }).join();
    CHECK_FALSE(enabled_there);
}

TEST_CASE("what does not work is an error that says what does") {
    CHECK_THROWS_WITH_AS(AutocastGuard(at::kCPU, at::kFloat),
                         "autocast does not work in float32; choose bfloat16 or float16", audyn::UsageError);
    CHECK_THROWS_AS(AutocastGuard(at::kCPU, at::kInt), audyn::UsageError);
    CHECK_NOTHROW(AutocastGuard(at::kCPU, at::kFloat, /*enabled=*/false));
    if (!torch::cuda::is_available()) {
        CHECK_THROWS_AS(AutocastGuard(at::kCUDA, at::kHalf), audyn::UsageError);
    }
    CHECK_FALSE(is_enabled());
    CHECK(at::autocast::increment_nesting() == 1);
    CHECK(at::autocast::decrement_nesting() == 0);
}
