#include "gan.hpp"

#include <audyn/criterion/adversarial.hpp>

#include <doctest/doctest.h>

#include <tuple>

namespace {

/// A sample, and what it was made of.
struct LayeredImpl : torch::nn::Module {
    LayeredImpl()
        : first(register_module("first", torch::nn::Linear(4, 6))),
          second(register_module("second", torch::nn::Linear(6, 8))) {
        gan::set_parameters(*this, 0.0);
    }
    std::tuple<std::vector<at::Tensor>, at::Tensor> forward(const at::Tensor& noise) {
        const at::Tensor hidden = first(noise);
        return {{hidden, hidden.tanh()}, second(hidden.tanh())};
    }
    static constexpr auto forward_arguments = audyn::names("noise");
    torch::nn::Linear first, second;
};
TORCH_MODULE(Layered);

/// Discriminators of several scales, as HiFi-GAN's: scores, and the features of each.
struct ScalesImpl : torch::nn::Module {
    ScalesImpl()
        : first(register_module("first", torch::nn::Linear(8, 3))),
          second(register_module("second", torch::nn::Linear(4, 3))) {
        gan::set_parameters(*this, 7.0);
    }
    std::tuple<std::vector<at::Tensor>, std::vector<std::vector<at::Tensor>>> forward(const at::Tensor& sample) {
        const at::Tensor one = first(sample);
        const at::Tensor other = second(sample.slice(1, 0, 4));
        return {{one.sum(1), other.sum(1)}, {{one, one.tanh()}, {other}}};
    }
    static constexpr auto forward_arguments = audyn::names("sample");
    torch::nn::Linear first, second;
};
TORCH_MODULE(Scales);

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// The names of outputs of the generator, and of the discriminator on fake and real samples.
struct OutputNames {
    audyn::OutputNames generator, fake, real;
};

/// The parameters of both models after some steps.
std::vector<at::Tensor> train(const OutputNames& names, const Pairs& fake, const Pairs& real, const Pairs& features) {
    using namespace audyn::criterion;
    audyn::GANOptions options;
    options.key_mapping.generator.output = names.generator;
    options.key_mapping.fake = {{{"sample", "fake"}}, names.fake};
    options.key_mapping.real.output = names.real;
    const Layered generator;
    const Scales discriminator;
    audyn::GANTrainer<Layered, Scales, audyn::optim::Adam, audyn::optim::Adam> trainer(
        {generator, discriminator}, {gan::adam(generator, 1e-2), gan::adam(discriminator, 1e-2)},
        {{{"adversarial", std::make_shared<LeastSquaresLoss>(1.0), 1.0, fake},
          {"features", std::make_shared<FeatureMatchingLoss>(), 2.0, features}},
         {{"of_fake", std::make_shared<LeastSquaresLoss>(0.0), 1.0, fake},
          {"of_real", std::make_shared<LeastSquaresLoss>(1.0), 1.0, real}}},
        audyn::TrainerOptions().progress_bar(false).max_iterations(12), options);
    audyn::DataLoader loader = gan::loader();
    trainer.fit(loader);
    std::vector<at::Tensor> parameters = generator->parameters();
    for (const at::Tensor& parameter : discriminator->parameters()) {
        parameters.push_back(parameter);
    }
    return parameters;
}

} // namespace

TEST_CASE("lists of a GAN train under one name as under a name each") {
    const OutputNames each{
        {{"hidden", "bent"}, "fake"}, {{"f0", "f1"}, {{"a0", "a1"}, {"b"}}}, {{"r0", "r1"}, {{"c0", "c1"}, {"d"}}}};
    const std::vector<at::Tensor> expected =
        train(each, {{"input", "f0"}, {"input", "f1"}}, {{"input", "r0"}, {"input", "r1"}},
              {{"input", "a0"}, {"input", "a1"}, {"input", "b"}, {"target", "c0"}, {"target", "c1"}, {"target", "d"}});
    const OutputNames lists{{"layers", "fake"}, {"fake_scores", "fake_features"}, {"real_scores", "real_features"}};
    const std::vector<at::Tensor> trained = train(lists, {{"input", "fake_scores"}}, {{"input", "real_scores"}},
                                                  {{"input", "fake_features"}, {"target", "real_features"}});
    REQUIRE(trained.size() == expected.size());
    for (std::size_t i = 0; i < trained.size(); ++i) {
        CHECK(at::equal(trained[i], expected[i]));
    }
    CHECK_FALSE(at::equal(trained[0], Layered()->parameters()[0]));
    CHECK_THROWS_WITH_AS(train(lists, {{"input", "fake_scores"}}, {{"input", "real_scores"}},
                               {{"input", "fake_features"}, {"target", "real_scores"}}),
                         doctest::Contains("its argument 'target' is a list of 2 tensors, those before it have 3"),
                         audyn::UsageError);
}
