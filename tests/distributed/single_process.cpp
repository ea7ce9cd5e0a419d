#include <audyn/distributed/concepts.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/single_process.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <doctest/doctest.h>

#include <chrono>
#include <type_traits>

using audyn::distributed::SingleProcess;

TEST_CASE("a single process is rank 0 of 1") {
    static_assert(audyn::distributed::check_dist_policy<SingleProcess>());
    static_assert(!SingleProcess::enabled && std::is_empty_v<SingleProcess>);
    const SingleProcess policy;
    CHECK(policy.rank() == 0);
    CHECK(policy.world_size() == 1);
    CHECK(policy.local_rank() == 0);
    CHECK(policy.is_main_process());
    CHECK(audyn::distributed::Environment().is_main_process());
}

TEST_CASE("a single process wraps a model into itself") {
    SingleProcess policy;
    torch::nn::Linear model(2, 2);
    auto wrapped = policy.wrap(model);
    static_assert(std::is_same_v<decltype(wrapped), torch::nn::Linear>);
    CHECK(wrapped.ptr() == model.ptr());
}

TEST_CASE("collectives of a single process change nothing") {
    SingleProcess policy;
    at::Tensor tensor = torch::tensor({1.0, 2.0});
    policy.all_reduce_sum(tensor);
    policy.broadcast(tensor, 0);
    policy.barrier(std::chrono::seconds(1));
    CHECK(tensor.equal(torch::tensor({1.0, 2.0})));
    const auto gathered = policy.all_gather(tensor);
    REQUIRE(gathered.size() == 1);
    CHECK(gathered[0].equal(tensor));
}
