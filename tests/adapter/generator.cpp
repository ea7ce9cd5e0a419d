#include "../temporary_folder.hpp"

#include <audyn/adapter/generator.hpp>
#include <audyn/adapter/main.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/config/builtin.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/core/error.hpp>
#include <audyn/data/dataset.hpp>
#include <audyn/modules/weight_norm.hpp>

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using audyn::ConfigError;
using audyn::StateDict;
using NormedLinear = audyn::modules::WeightNorm<torch::nn::Linear>;

struct EncoderImpl : torch::nn::Module {
    explicit EncoderImpl(int64_t size)
        : linear(register_module("linear", NormedLinear(torch::nn::LinearOptions(2, size)))) {}
    at::Tensor forward(const at::Tensor& x) { return linear->forward(x); }
    static constexpr auto forward_arguments = audyn::names("x");
    NormedLinear linear;
};
TORCH_MODULE(Encoder);

struct DecoderImpl : torch::nn::Module {
    DecoderImpl() : linear(register_module("linear", torch::nn::Linear(3, 1))) {}
    at::Tensor forward(const at::Tensor& features) { return linear(features); }
    static constexpr auto forward_arguments = audyn::names("features");
    torch::nn::Linear linear;
};
TORCH_MODULE(Decoder);

struct CascadeImpl : torch::nn::Module {
    CascadeImpl(Encoder encoder_, Decoder decoder_, double gain_)
        : encoder(register_module("encoder", std::move(encoder_))),
          decoder(register_module("decoder", std::move(decoder_))),
          gain(gain_) {}
    at::Tensor forward(const at::Tensor& x) { return gain * decoder->forward(encoder->forward(x)); }
    static constexpr auto forward_arguments = audyn::names("x");
    Encoder encoder;
    Decoder decoder;
    double gain;
};
TORCH_MODULE(Cascade);

class Points : public audyn::Dataset {
public:
    [[nodiscard]] int64_t size() const override { return 5; }
    audyn::Sample get(int64_t index, audyn::data::Random&) const override {
        return {{"x", at::full({2}, static_cast<double>(index), at::kFloat)},
                {"name", "point" + std::to_string(index)},
                {"speaker", "speaker" + std::to_string(index % 2)}};
    }
};

using Generator = audyn::AutoGenerator<Encoder, Decoder, Cascade>;

std::shared_ptr<audyn::Targets> targets() {
    auto all = std::make_shared<audyn::Targets>();
    audyn::adapter::detail::add_toolkit_targets(*all);
    all->add<Encoder>("Encoder", audyn::constructor<int64_t>(audyn::arg("size")));
    all->add<Decoder>("Decoder");
    all->add<Cascade>("Cascade", audyn::constructor<Encoder, Decoder, double>(
                                     audyn::arg("encoder"), audyn::arg("decoder"), audyn::arg("gain")));
    all->add<Points>("Points");
    all->add_function<audyn::trainer::OutputTransform>(
        "Times", audyn::constructor<double>(audyn::arg("factor")), [](double factor) {
            return audyn::trainer::OutputTransform([factor](const at::Tensor& value) { return factor * value; });
        });
    return all;
}

/// Checkpoints of an encoder, with an average of its parameters, and of a GAN whose generator is a decoder.
struct Trained {
    Trained() {
        const StateDict config{{"_target_", "Encoder"}, {"size", 3}};
        audyn::checkpoint::save(encoder_path(), {{"model", audyn::checkpoint::module_state(*encoder)},
                                                 {"moving_average_model", audyn::checkpoint::module_state(*average)},
                                                 {"resolved_config", StateDict{{"model", config}}}});
        const StateDict gan{{"generator", StateDict{{"_target_", "Decoder"}}},
                            {"discriminator", StateDict{{"_target_", "Encoder"}, {"size", 1}}}};
        audyn::checkpoint::save(decoder_path(),
                                {{"model", StateDict{{"generator", audyn::checkpoint::module_state(*decoder)}}},
                                 {"resolved_config", StateDict{{"model", gan}}}});
    }
    [[nodiscard]] std::filesystem::path encoder_path() const { return folder / "encoder.pth"; }
    [[nodiscard]] std::filesystem::path decoder_path() const { return folder / "decoder.pth"; }

    /// What `test` says of all of these tests.
    [[nodiscard]] audyn::Config config(const std::vector<std::string>& more = {}) const {
        const auto all = targets();
        std::vector<std::string> overrides{
            "test.checkpoint=" + encoder_path().string(),
            "test.dataset.test={_target_: Points}",
            "test.dataloader.test.batch_size=2",
            "test.key_mapping.inference={input: {x: x}, output: y, identifier: {name: name, speaker: speaker}}",
            "test.output.inference_dir=" + (folder / "made").string(),
            "test.output.torch_dump.key_mapping.inference.output={y: \"{name}.pth\"}"};
        overrides.insert(overrides.end(), more.begin(), more.end());
        audyn::Config composed =
            audyn::config::compose(audyn::config::builtin_search_path(), "config", overrides, all->resolvers());
        composed.attach(all);
        return composed;
    }

    [[nodiscard]] at::Tensor made(const std::string& name) const {
        return audyn::checkpoint::load_value(folder / "made" / name).as_tensor();
    }

    TemporaryFolder folder;
    mutable Encoder encoder{3}; // a constant holder has a constant module
    mutable Encoder average{3};
    mutable Decoder decoder;
};

at::Tensor point(int64_t index) {
    return at::full({2}, static_cast<double>(index), at::kFloat);
}

} // namespace

TEST_CASE("an inference is by the average of the parameters or by the parameters themselves") {
    const Trained trained;
    CHECK(Generator::build_from_config(trained.config()).run() == 5);
    CHECK(at::allclose(trained.made("point4.pth"), trained.average->forward(point(4))));
    CHECK(Generator::build_from_config(trained.config({"test.moving_average=false"})).run() == 5);
    CHECK(at::allclose(trained.made("point4.pth"), trained.encoder->forward(point(4))));
}

TEST_CASE("each file's value is transformed on its own") {
    const Trained trained;
    const std::string dump = "test.output.torch_dump.";
    CHECK(Generator::build_from_config(
              trained.config({"+" + dump + "key_mapping.inference.reference={x: \"in/{name}.pth\", name: null}",
                              "+" + dump + "transforms.inference.reference={x: {_target_: Times, factor: 3}}"}))
              .run() == 5);
    CHECK(at::equal(trained.made("in/point4.pth"), 3 * point(4)));
    CHECK(at::allclose(trained.made("point4.pth"), trained.average->forward(point(4))));
    Generator::build_from_config(
        trained.config({"+" + dump + "transforms.inference.output={y: {_target_: Times, factor: 2}}"}))
        .run();
    CHECK(at::allclose(trained.made("point4.pth"), 2 * trained.average->forward(point(4))));
}

TEST_CASE("an inference removes weight normalisation where that is asked for") {
    const Trained trained;
    auto kept = Generator::build_from_config(trained.config());
    CHECK(kept.generator().module().named_parameters().contains("linear.parametrizations.weight.original0"));
    auto removed = Generator::build_from_config(trained.config({"test.remove_weight_norm=true"}));
    CHECK_FALSE(removed.generator().module().named_parameters().contains("linear.parametrizations.weight.original0"));
    removed.run();
    CHECK(at::allclose(trained.made("point3.pth"), trained.average->forward(point(3))));
}

TEST_CASE("a model of several trained parts is built and filled from the checkpoint of each") {
    const Trained trained;
    const std::string checkpoints = "test.checkpoint={encoder: " + trained.encoder_path().string() +
                                    ", decoder: " + trained.decoder_path().string() + "}";
    const std::string generator = "test.generator._target_=audyn.utils.driver.CascadeTextToWaveGenerator";
    CHECK(Generator::build_from_config(
              trained.config({checkpoints, generator, "+model._target_=Cascade", "+model.gain=2.5"}))
              .run() == 5);
    CHECK(at::allclose(trained.made("point2.pth"), 2.5 * trained.decoder->forward(trained.average->forward(point(2)))));

    const auto error = [&](const std::vector<std::string>& overrides) {
        return message_of<ConfigError>(
            [&] { static_cast<void>(Generator::build_from_config(trained.config(overrides))); });
    };
    CHECK(error({checkpoints}).find("model._target_") != std::string::npos);
    const std::string half = "test.checkpoint={encoder: " + trained.encoder_path().string() + "}";
    CHECK(error({half, "+model._target_=Cascade", "+model.gain=1"}).find("'decoder'") != std::string::npos);
    const std::string other = "test.checkpoint={encoder: " + trained.encoder_path().string() + ", decoder: none.pth}";
    const std::string message = error({other, "+model._target_=Cascade", "+model.gain=1"});
    CAPTURE(message);
    CHECK(message.find("'test.checkpoint.decoder'") != std::string::npos);
}

TEST_CASE("what an earlier inference left half written is removed, in folders below too") {
    const Trained trained;
    const std::string path = "test.output.torch_dump.key_mapping.inference.output={y: \"{speaker}/{name}.pth\"}";
    const std::filesystem::path leftover = trained.folder / "made/speaker1/point1.pth.123456789-0.tmp";
    std::filesystem::create_directories(leftover.parent_path());
    write_file(leftover, "half");
    Generator::build_from_config(trained.config({path})).run();
    CHECK_FALSE(std::filesystem::exists(leftover));
    CHECK(at::allclose(trained.made("speaker1/point3.pth"), trained.average->forward(point(3))));
}

TEST_CASE("mistakes in an inference's configuration are told with key and place") {
    const Trained trained;
    write_file(trained.folder / "file", "no folder");
    const std::string mapping = "test.key_mapping.inference.";
    const std::string dump = "test.output.torch_dump.key_mapping.inference.";
    struct Case {
        std::vector<std::string> overrides;
        std::vector<std::string> words;
    };
    const std::vector<Case> cases{
        {{"test.checkpoint=null"}, {"'test.checkpoint'", "must name a checkpoint"}},
        {{"test.checkpoint=none.pth"}, {"'test.checkpoint'", "none.pth"}},
        {{"test.checkpoint=" + (trained.folder / "last.pth").string()},
         {"'test.checkpoint'", "has: decoder.pth, encoder.pth"}},
        {{"test.dataloader.test.batch_size=0"}, {"'test.dataloader.test'", "batch_size must be at least 1"}},
        {{mapping + "identifier=null"}, {"'test.output'", "'name'", "identifier"}},
        {{mapping + "identifier.name=null"}, {"'test.output'", "'name'", "those are: speaker"}},
        {{dump + "output={y: all.pth}"}, {"'test.output'", "all.pth", "those are: name, speaker"}},
        {{dump + "output=null"}, {"'test.output'", "nothing would be written"}},
        {{dump + "reference={x: \"{name}.pth\"}"}, {"'test.output'", "same file name '{name}.pth'"}},
        {{"test.dataset.test=null"}, {"'test.dataset'", "test.dataset.test"}},
        {{"test.dataset.test._target_=Pints"}, {"'test.dataset.test._target_'", "Points"}},
        {{"test.generator._target_=BaseGenerator"}, {"'test.generator._target_'", "audyn.utils.driver.BaseGenerator"}},
        {{"test.output.inference_dir=" + (trained.folder / "file").string()}, {"'test.output.inference_dir'"}},
        {{"test.output.inference_dir=" + (trained.folder / "file/made").string()}, {"'test.output.inference_dir'"}},
        {{mapping + "identifier={name: speaker}"}, {"'test.key_mapping.inference'", "speaker0.pth"}},
        {{mapping + "identifier={name: nam}"}, {"'test.key_mapping.inference'", "'nam'", "x, name, speaker"}},
        {{"+" + mapping + "input.y=x"}, {"'test.key_mapping.inference'", "'y'", "it has: x"}},
        {{mapping + "output=z"}, {"'test.key_mapping.inference'", "'y'", "the model are: z"}}};
    for (const Case& one : cases) {
        const std::string message =
            message_of<audyn::Error>([&] { Generator::build_from_config(trained.config(one.overrides)).run(); });
        CAPTURE(message);
        for (const std::string& word : one.words) {
            CAPTURE(word);
            CHECK(message.find(word) != std::string::npos);
        }
    }
}
