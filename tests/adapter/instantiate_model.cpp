#include "../temporary_folder.hpp"

#include <audyn/adapter/instantiate_model.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <type_traits>

namespace {

using audyn::CheckpointError;
using audyn::ConfigError;
using audyn::StateDict;

struct NetImpl : torch::nn::Module {
    NetImpl(int64_t channels, bool bias, at::ScalarType dtype)
        : linear(register_module("linear", torch::nn::Linear(torch::nn::LinearOptions(channels, 2).bias(bias)))) {
        to(dtype);
    }
    at::Tensor forward(const at::Tensor& x) { return linear(x); }
    static auto constructor_arguments() {
        return audyn::constructor<int64_t, bool, at::ScalarType>(audyn::arg("channels"), audyn::arg("bias") = true,
                                                                 audyn::arg("dtype") = at::kFloat);
    }
    torch::nn::Linear linear;
};
TORCH_MODULE(Net);

struct PlainImpl : torch::nn::Module {
    PlainImpl() : linear(register_module("linear", torch::nn::Linear(1, 1))) {}
    at::Tensor forward(const at::Tensor& x) { return linear(x); }
    torch::nn::Linear linear;
};
TORCH_MODULE(Plain);

audyn::Targets targets() {
    audyn::Targets all;
    all.add<Net>("my.Net", NetImpl::constructor_arguments());
    all.add<Plain>("Plain");
    return all;
}

/// A checkpoint as the trainer writes one.
StateDict checkpoint_of(const Net& net, const StateDict& model_config) {
    return {{"model", audyn::checkpoint::module_state(*net)},
            {"iteration_idx", 3},
            {"resolved_config", StateDict{{"train", StateDict{{"steps", 1}}}, {"model", model_config}}}};
}

} // namespace

TEST_CASE("a network is rebuilt from its checkpoint's own configuration") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "last.pth";
    const Net net(5, false, at::kDouble);
    audyn::checkpoint::save(path, checkpoint_of(net, {{"_target_", "my.Net"},
                                                      {"channels", 5},
                                                      {"bias", false},
                                                      {"dtype", "torch.float64"},
                                                      {"checkpoint", "elsewhere.pth"}}));
    for (const Net& built : {audyn::instantiate_model<Net>(path, targets()), audyn::instantiate_model<Net>(path)}) {
        CHECK(built->linear->weight.equal(net->linear->weight));
        CHECK((built->linear->weight.scalar_type() == at::kDouble));
        CHECK_FALSE(built->linear->weight.is_alias_of(net->linear->weight));
        CHECK_FALSE(built->linear->bias.defined());
    }
}

TEST_CASE("each side of a GAN is rebuilt from its checkpoint") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "last.pth";
    const Net generator(5, false, at::kFloat);
    const Plain discriminator;
    const StateDict config{{"generator", StateDict{{"_target_", "my.Net"}, {"channels", 5}, {"bias", false}}},
                           {"discriminator", StateDict{{"_target_", "Plain"}}}};
    StateDict state = checkpoint_of(generator, config);
    state.set("model", StateDict{{"generator", audyn::checkpoint::module_state(*generator)},
                                 {"discriminator", audyn::checkpoint::module_state(*discriminator)}});
    audyn::checkpoint::save(path, state);
    CHECK(audyn::instantiate_gan_generator<Net>(path, targets())->linear->weight.equal(generator->linear->weight));
    CHECK(audyn::instantiate_gan_generator<Net>(path)->linear->weight.equal(generator->linear->weight));
    for (const Plain& built : {audyn::instantiate_gan_discriminator<Plain>(path, targets()),
                               audyn::instantiate_gan_discriminator<Plain>(path)}) {
        CHECK(built->linear->weight.equal(discriminator->linear->weight));
    }
    state.set("model", audyn::checkpoint::module_state(*generator));
    audyn::checkpoint::save(path, state);
    CHECK(message_of<CheckpointError>([&] { static_cast<void>(audyn::instantiate_gan_generator<Net>(path)); }) ==
          "the checkpoint " + path.string() + " holds no state of a 'generator'");
}

TEST_CASE("a network without arguments needs no targets") {
    const TemporaryFolder folder;
    const Plain net;
    audyn::checkpoint::save(folder / "a.pth",
                            StateDict{{"model", audyn::checkpoint::module_state(*net)},
                                      {"resolved_config", StateDict{{"model", StateDict{{"_target_", "any.Name"}}}}}});
    CHECK(audyn::instantiate_model<Plain>(folder / "a.pth")->linear->weight.equal(net->linear->weight));
}

TEST_CASE("what keeps a checkpoint from being rebuilt is named, with the file") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a.pth";
    const auto error_of = [&]<class Expected>(std::type_identity<Expected>, const StateDict& state) {
        audyn::checkpoint::save(path, state);
        const std::string message =
            message_of<Expected>([&] { static_cast<void>(audyn::instantiate_model<Net>(path, targets())); });
        CHECK(message.find(path.string()) != std::string::npos);
        return message;
    };
    const std::type_identity<CheckpointError> checkpoint_error;
    const std::type_identity<ConfigError> config_error;
    const Net net(5, true, at::kFloat);
    const StateDict good{{"_target_", "my.Net"}, {"channels", 5}};
    const auto mentions = [](const std::string& message, const std::string& words) {
        CAPTURE(message);
        CHECK(message.find(words) != std::string::npos);
    };
    mentions(error_of(checkpoint_error, StateDict{{"model", StateDict{}}}), "does not say how its model is built");
    StateDict state = checkpoint_of(net, good);
    state.erase("model");
    mentions(error_of(checkpoint_error, state), "holds no state of a 'model'");
    mentions(error_of(checkpoint_error, checkpoint_of(net, {{"_target_", "my.Net"}, {"channels", 4}})),
             "linear.weight (the model has [2, 4], the state [2, 5])");
    mentions(error_of(config_error, checkpoint_of(net, {{"_target_", "my.Nett"}})), "my.Net");
    mentions(error_of(config_error, checkpoint_of(net, {{"_target_", "Plain"}})), "Plain");
    mentions(error_of(config_error, checkpoint_of(net, {{"_target_", "my.Net"}})), "'channels' (int)");
    mentions(error_of(config_error, checkpoint_of(net, {{"_target_", "my.Net"}, {"channels", "five"}})), "channels");
}

TEST_CASE("text of a checkpoint's configuration is not interpolated again") {
    const audyn::config::Value value =
        audyn::adapter::to_config(StateDict{{"name", "${seed}"}, {"list", audyn::state::List{1, nullptr, 0.5}}}, {});
    const audyn::Config config(value);
    CHECK(config.get<std::string>("name") == "${seed}");
    CHECK(config["list"][1].is_null());
    CHECK(config["list"][2].as<double>() == 0.5);
    CHECK_THROWS_AS(static_cast<void>(audyn::adapter::to_config(at::ones({1}), {})), audyn::StateError);
}
