#include "../temporary_folder.hpp"

#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/modules/causal_conv.hpp>
#include <audyn/modules/circular_pad.hpp>
#include <audyn/modules/rms_norm.hpp>
#include <audyn/modules/weight_norm.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/any.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::modules;
using audyn::StateDict;
using torch::nn::Conv1dOptions;
using torch::nn::Conv2dOptions;
using torch::nn::LinearOptions;

namespace {

/// The modules of tests/oracle/modules.py.
const std::map<std::string, std::function<torch::nn::AnyModule()>>& builders() {
    using torch::nn::AnyModule;
    static const std::map<std::string, std::function<AnyModule()>> all{
        {"RMSNorm", [] { return AnyModule(RMSNorm(6)); }},
        {"RMSNorm, eps",
         [] {
             return AnyModule(RMSNorm(RMSNormOptions({3, 4}).eps(1e-3)));
         }},
        {"RMSNorm, no weight", [] { return AnyModule(RMSNorm(RMSNormOptions(6).elementwise_affine(false))); }},
        {"WeightNorm, Linear", [] { return AnyModule(WeightNorm<torch::nn::Linear>(LinearOptions(5, 4))); }},
        {"WeightNorm, Linear, one norm",
         [] { return AnyModule(WeightNorm<torch::nn::Linear>(LinearOptions(5, 4).bias(false), -1)); }},
        {"WeightNorm, Conv1d",
         [] { return AnyModule(WeightNorm<torch::nn::Conv1d>(Conv1dOptions(4, 6, 3).padding(1).groups(2))); }},
        {"WeightNorm, Conv2d, dim 1",
         [] {
             return AnyModule(WeightNorm<torch::nn::Conv2d>(Conv2dOptions(3, 4, {2, 3}), 1));
         }},
        {"WeightNorm, ConvTranspose1d",
         [] {
             return AnyModule(
                 WeightNorm<torch::nn::ConvTranspose1d>(torch::nn::ConvTranspose1dOptions(4, 3, 4).stride(2)));
         }},
        {"WeightNorm, CausalConv1d", [] { return AnyModule(WeightNorm<CausalConv1d>(Conv1dOptions(2, 3, 3))); }},
        {"CausalConv1d", [] { return AnyModule(CausalConv1d(Conv1dOptions(2, 3, 3).dilation(2))); }},
        {"CausalConv1d, stride",
         [] { return AnyModule(CausalConv1d(Conv1dOptions(4, 4, 4).stride(3).groups(2).bias(false))); }},
        {"CircularPad1d",
         [] {
             return AnyModule(CircularPad1d(torch::ExpandingArray<2>({2, 1})));
         }},
        {"CircularPad2d",
         [] {
             return AnyModule(CircularPad2d(torch::ExpandingArray<4>({1, 2, 3, 0})));
         }},
        {"CircularPad3d", [] { return AnyModule(CircularPad3d(1)); }},
        {"Conv1d, circular",
         [] { return AnyModule(torch::nn::Conv1d(Conv1dOptions(2, 3, 5).padding(2).padding_mode(torch::kCircular))); }},
        {"Conv2d, circular", [] {
             return AnyModule(
                 torch::nn::Conv2d(Conv2dOptions(1, 2, {3, 5}).padding({1, 2}).padding_mode(torch::kCircular)));
         }}};
    return all;
}

at::Tensor tensor_of(const nlohmann::json& item, const char* key = "values") {
    return at::tensor(item[key].get<std::vector<float>>(), at::kFloat).view(item["shape"].get<std::vector<int64_t>>());
}

StateDict state_of(const nlohmann::json& items) {
    StateDict state;
    for (const auto& [name, item] : items.items()) {
        state.set(name, tensor_of(item));
    }
    return state;
}

/// The largest difference, relative to the largest expected value.
double difference(const at::Tensor& value, const at::Tensor& expected) {
    REQUIRE(value.sizes() == expected.sizes());
    return (value - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

} // namespace

// tests/oracle/modules.py
TEST_CASE("modules that libtorch lacks have Python's names, values and gradients") {
    const auto cases = nlohmann::json::parse(read_file(AUDYN_TEST_DATA_DIR "/modules/data/modules.json"));
    REQUIRE(cases.size() == builders().size());
    for (const auto& one : cases) {
        CAPTURE(one["name"].get<std::string>());
        torch::nn::AnyModule any = builders().at(one["name"])();
        torch::nn::Module& module = *any.ptr();
        audyn::checkpoint::load_module_state(module, state_of(one["state"]));
        const at::Tensor input = tensor_of(one["input"]).requires_grad_();
        const at::Tensor output = any.forward(input);
        CHECK(difference(output, tensor_of(one["output"])) <= 1e-6);
        // The weights of the oracle's loss are its values(shape, 30).
        const at::Tensor place = (at::arange(output.numel()) * 7919 + 30 * 104729).remainder(2003) + 1;
        (output * (place.to(at::kDouble) / 2004 * 2 - 1).to(at::kFloat).view(output.sizes())).sum().backward();
        CHECK(difference(input.grad(), tensor_of(one["input"], "gradient")) <= 1e-6);
        for (const auto& parameter : module.named_parameters()) {
            CAPTURE(parameter.key());
            CHECK(difference(parameter.value().grad(), tensor_of(one["state"][parameter.key()], "gradient")) <= 1e-6);
        }
        if (one.contains("removed")) {
            CHECK(remove_weight_norm(module) == 1);
            CHECK(remove_weight_norm(module) == 0);
            const StateDict removed = audyn::checkpoint::module_state(module);
            CHECK(removed.size() == one["removed"].size());
            for (const auto& [name, item] : one["removed"].items()) {
                CHECK(difference(removed.at(name).as_tensor(), tensor_of(item)) <= 1e-6);
            }
            CHECK(difference(any.forward(input), tensor_of(one["output"])) <= 1e-6);
        }
    }
}

TEST_CASE("weight normalisation starts from the weight, moves with its module and clones") {
    at::manual_seed(3);
    torch::nn::Conv1d bare(Conv1dOptions(2, 3, 3));
    at::manual_seed(3);
    WeightNorm<torch::nn::Conv1d> normalized(Conv1dOptions(2, 3, 3));
    const at::Tensor input = at::linspace(-1, 1, 20).view({1, 2, 10});
    CHECK(at::allclose(normalized(input), bare(input), 1e-6, 1e-7));
    CHECK_FALSE(normalized->weight.requires_grad());

    normalized->to(at::kDouble);
    CHECK((normalized(input.to(at::kDouble)).scalar_type() == at::kDouble));
    normalized->to(at::kFloat);

    torch::nn::Sequential network(normalized, torch::nn::Linear(8, 2));
    const auto copy = std::dynamic_pointer_cast<torch::nn::SequentialImpl>(network->clone());
    const at::Tensor before = network->forward(input).detach();
    for (at::Tensor& parameter : network->parameters()) {
        parameter.data().mul_(2);
    }
    CHECK(at::equal(copy->forward(input), before));
    CHECK(copy->named_parameters().contains("0.parametrizations.weight.original0"));

    CHECK(remove_weight_norm(*network) == 1);
    const auto plain = std::dynamic_pointer_cast<torch::nn::SequentialImpl>(network->clone());
    CHECK(at::equal(plain->forward(input), network->forward(input)));
    CHECK(plain->named_parameters().contains("0.weight"));
}

TEST_CASE("weight normalisation is removed with the value of the moment, used or not") {
    WeightNorm<torch::nn::Linear> linear(LinearOptions(3, 2));
    const at::Tensor before = linear->weight.clone();
    linear->named_parameters()["parametrizations.weight.original0"].data().mul_(2);
    linear->remove_weight_norm();
    CHECK(at::allclose(linear->weight, 2 * before));
    CHECK(linear->weight.requires_grad());
}

TEST_CASE("a clone has the buffers, the mode and the frozen parameters of its original") {
    WeightNorm<torch::nn::BatchNorm1d> normalized(torch::nn::BatchNormOptions(3));
    (void)normalized(at::linspace(0, 1, 12).view({4, 3}));
    normalized->eval();
    normalized->bias.set_requires_grad(false);
    const auto copy = normalized->clone();
    CHECK_FALSE(copy->is_training());
    CHECK(at::equal(copy->named_buffers()["running_mean"], normalized->running_mean));
    CHECK_FALSE(copy->named_parameters()["bias"].requires_grad());
    CHECK(copy->named_parameters()["parametrizations.weight.original1"].requires_grad());
}

TEST_CASE("a causal convolution looks at no later moment, and clones as itself") {
    CausalConv1d convolution(Conv1dOptions(1, 1, 3).dilation(2));
    at::Tensor input = at::ones({1, 1, 12});
    const at::Tensor before = convolution(input);
    input.slice(2, 7).fill_(9.0F);
    const at::Tensor after = std::dynamic_pointer_cast<CausalConv1dImpl>(convolution->clone())->forward(input);
    CHECK(before.size(2) == 12);
    CHECK(at::equal(before.slice(2, 0, 7), after.slice(2, 0, 7)));
    CHECK_FALSE(at::equal(before, after));
    CHECK_THROWS_AS(CausalConv1d(Conv1dOptions(1, 1, 3).padding(1)), audyn::UsageError);
    CHECK_THROWS_AS(CausalConv1d(Conv1dOptions(1, 1, 3).padding_mode(torch::kCircular)), audyn::UsageError);
}
