#include "../temporary_folder.hpp"

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ops/equal.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace {

struct NetImpl : torch::nn::Module {
    torch::nn::Linear encoder = register_module("encoder", torch::nn::Linear(3, 2));
    torch::nn::Linear head = register_module("head", torch::nn::Linear(2, 1));
};
TORCH_MODULE(Net);

audyn::Config node(const std::string& text) {
    return audyn::config::config_from_yaml("model: {checkpoint: " + text + "}", "test.yaml")["model"]["checkpoint"];
}

} // namespace

TEST_CASE("model.checkpoint starts from the parameters of a file, all of them or those that are named") {
    const TemporaryFolder folder;
    const std::string path = (folder / "net.pth").string();
    const Net saved;
    audyn::checkpoint::save(path, audyn::StateDict{{"model", audyn::checkpoint::module_state(*saved)}});
    const auto started = [&](const std::string& text) {
        Net net;
        audyn::adapter::warm_start(*net, node(text));
        return std::pair(at::equal(net->encoder->weight, saved->encoder->weight),
                         at::equal(net->head->weight, saved->head->weight));
    };
    CHECK(started(path) == std::pair(true, true));
    CHECK(started("{path: " + path + ", include: ['encoder.*']}") == std::pair(true, false));
    CHECK(started("{path: " + path + ", exclude: ['encoder.*']}") == std::pair(false, true));

    const auto check_error = [&](const std::string& text, const char* words) {
        Net net;
        CHECK_THROWS_WITH_AS(audyn::adapter::warm_start(*net, node(text)), doctest::Contains(words),
                             audyn::ConfigError);
    };
    check_error("{path: " + path + ", inclde: ['encoder.*']}", "'include'");
    check_error("{path: " + path + ", include: ['encode']}", "encode");
    check_error((folder / "nowhere.pth").string(), "nowhere.pth");

    audyn::StateDict half = audyn::checkpoint::module_state(*saved);
    half.erase("head.bias");
    audyn::checkpoint::save(path, half);
    check_error(path, "head.bias");
    CHECK(started("{path: " + path + ", strict: false}") == std::pair(true, true));
}
