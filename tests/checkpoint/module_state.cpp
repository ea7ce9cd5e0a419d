#include "../temporary_folder.hpp"

#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ATen.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using audyn::StateDict;
using audyn::StateError;
using audyn::checkpoint::load_module_state;
using audyn::checkpoint::module_state;

struct Net : torch::nn::Module {
    Net() : torch::nn::Module("Net") {
        linear = register_module("linear", torch::nn::Linear(2, 3));
        norm = register_module("norm", torch::nn::BatchNorm1d(3));
        head = register_module("head", torch::nn::Linear(torch::nn::LinearOptions(3, 1).bias(false)));
        offset = register_buffer("offset", torch::zeros({1}));
        scale = register_parameter("scale", torch::ones({1}));
    }
    torch::nn::Linear linear{nullptr};
    torch::nn::BatchNorm1d norm{nullptr};
    torch::nn::Linear head{nullptr};
    at::Tensor offset;
    at::Tensor scale;
};

std::vector<std::string> names_of(const StateDict& state) {
    std::vector<std::string> names;
    for (const auto& [key, value] : state) {
        names.push_back(key.string());
    }
    return names;
}

} // namespace

TEST_CASE("a module's state has Python's names in Python's order") {
    const Net net;
    const StateDict state = module_state(net);
    // list(net.state_dict()) of the same network in Python
    CHECK(names_of(state) == std::vector<std::string>{"scale", "offset", "linear.weight", "linear.bias", "norm.weight",
                                                      "norm.bias", "norm.running_mean", "norm.running_var",
                                                      "norm.num_batches_tracked", "head.weight"});
    CHECK(state.at("linear.weight").as_tensor().is_alias_of(net.linear->weight));
    CHECK_FALSE(state.at("linear.weight").as_tensor().requires_grad());
}

TEST_CASE("a module takes another's state") {
    Net from;
    Net to;
    from.norm(torch::randn({5, 3}));
    {
        const at::NoGradGuard no_grad;
        from.linear->weight.fill_(2.0);
        from.offset.fill_(5.0);
    }
    const at::Tensor weight = to.linear->weight;
    load_module_state(to, module_state(from));
    CHECK(to.linear->weight.equal(from.linear->weight));
    CHECK(to.norm->running_mean.equal(from.norm->running_mean));
    CHECK(to.norm->num_batches_tracked.item<int64_t>() == 1);
    CHECK(to.offset.item<float>() == 5.0F);
    CHECK(weight.is_same(to.linear->weight)); // in place: the optimizer still holds it
    CHECK(weight.requires_grad());
    CHECK_FALSE(weight.is_alias_of(from.linear->weight));
}

TEST_CASE("a state of another dtype is converted") {
    Net net;
    StateDict state = module_state(net);
    state.set("linear.bias", torch::full({3}, 0.5, at::kHalf));
    load_module_state(net, state);
    CHECK(net.linear->bias.equal(torch::full({3}, 0.5)));
}

TEST_CASE("all mismatches are listed together, and nothing is copied") {
    Net net;
    StateDict state;
    for (const auto& [key, value] : module_state(net)) {
        state.set(key, value.as_tensor().clone() + 1);
    }
    state.erase("linear.bias");
    state.erase("offset");
    state.set("extra.weight", torch::ones({1}));
    state.set("head.weight", torch::ones({1, 4}));
    state.set("norm.bias", "text");
    const at::Tensor before = net.linear->weight.detach().clone();
    const std::string message = message_of<StateError>([&] { load_module_state(net, state); });
    CHECK(message == "the state does not fit the model Net:\n"
                     "  missing in the state: offset, linear.bias\n"
                     "  unknown to the model: extra.weight\n"
                     "  of another shape: norm.bias (the model has a tensor, the state string), "
                     "head.weight (the model has [1, 3], the state [1, 4])");
    CHECK(net.linear->weight.equal(before));
}

TEST_CASE("not strict, names may differ but shapes may not") {
    Net net;
    StateDict state{{"linear.bias", torch::full({3}, 9.0)}, {"extra", torch::ones({1})}};
    const auto incompatible = load_module_state(net, state, /*strict=*/false);
    CHECK(incompatible.missing.size() == 9);
    CHECK(incompatible.unexpected == std::vector<std::string>{"extra"});
    CHECK(net.linear->bias.equal(torch::full({3}, 9.0)));
    state.set("scale", torch::ones({2}));
    const std::string message = message_of<StateError>([&] { load_module_state(net, state, /*strict=*/false); });
    CHECK(message.find("scale (the model has [1], the state [2])") != message.npos);
    CHECK(message.find("missing") == message.npos);
}

TEST_CASE("patterns choose which names are loaded") {
    Net net;
    const StateDict state{{"linear.weight", torch::full({3, 2}, 2.0)},
                          {"linear.bias", torch::full({3}, 2.0)},
                          {"head.weight", torch::full({5, 3}, 2.0)}, // another number of classes
                          {"head.extra", torch::ones({1})}};
    const auto incompatible = load_module_state(net, state, {.include = {"linear.*", "head.*"}, .exclude = {"head.*"}});
    CHECK(incompatible.missing.empty());
    CHECK(incompatible.unexpected.empty());
    CHECK(net.linear->weight.equal(torch::full({3, 2}, 2.0)));
    CHECK(net.linear->bias.equal(torch::full({3}, 2.0)));
    CHECK(net.head->weight.sizes() == at::IntArrayRef{1, 3});

    // What is chosen must fit, on both sides.
    const auto error_of = [&](const audyn::checkpoint::LoadModuleOptions& options) {
        return message_of<StateError>([&] { load_module_state(net, state, options); });
    };
    CHECK(error_of({.include = {"linear.*", "scale"}}) == "the state does not fit the model Net:\n"
                                                          "  missing in the state: scale");
    CHECK(error_of({.include = {"linear.weight", "head.extra"}}) == "the state does not fit the model Net:\n"
                                                                    "  unknown to the model: head.extra");
    CHECK(error_of({.strict = false, .include = {"head.*"}}).find("[5, 3]") != std::string::npos);
    CHECK(error_of({.include = {"encoder.*"}}) ==
          "the pattern 'encoder.*' fits no parameter or buffer of the model or the state");
    CHECK(error_of({.strict = false, .exclude = {"haed.*"}}).find("'haed.*'") != std::string::npos);
}
