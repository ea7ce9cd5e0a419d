#include "../temporary_folder.hpp"
#include "built_loss.hpp"

#include <audyn/core/error.hpp>
#include <audyn/criterion/pit.hpp>
#include <audyn/criterion/si_sdr.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace {

using built_loss::build;
using built_loss::LossPointer;

at::Tensor tensor_of(const nlohmann::json& shape, const nlohmann::json& values) {
    return at::tensor(values.get<std::vector<double>>(), at::kDouble).view(shape.get<std::vector<int64_t>>());
}

/// The largest difference, relative to the largest expected value.
double difference(const at::Tensor& value, const at::Tensor& expected) {
    return (value.to(at::kDouble) - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

/// Value and gradients in `dtype` are as the oracle's, which it computed in float64.
void check(const nlohmann::json& one, at::ScalarType dtype, double tolerance, double gradient_tolerance) {
    nlohmann::json node = one["options"];
    node["_target_"] = one["target"];
    CAPTURE(node.dump());
    CAPTURE(c10::toString(dtype));
    const LossPointer loss = build(node.dump());
    if (loss->module()) {
        loss->module()->to(dtype);
    }
    std::vector<at::Tensor> arguments;
    std::vector<nlohmann::json> recorded;
    for (const std::string& name : loss->arguments()) {
        for (const auto& item : one["inputs"].at(name)) {
            // The decimal digits stand for a float32.
            arguments.push_back(tensor_of(item["shape"], item["values"]).to(at::kFloat).to(dtype).requires_grad_());
            recorded.push_back(item);
        }
    }
    const at::Tensor value = loss->forward(arguments);
    const double expected = one["loss"].get<double>();
    CHECK(value.item<double>() == doctest::Approx(expected).epsilon(tolerance));
    value.backward();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        CAPTURE(i);
        REQUIRE(arguments[i].grad().defined() == !recorded[i]["gradient"].is_null());
        if (arguments[i].grad().defined()) {
            CHECK(difference(arguments[i].grad(), tensor_of(recorded[i]["shape"], recorded[i]["gradient"])) <=
                  gradient_tolerance);
        }
    }
}

at::Tensor signals() {
    return at::linspace(0, 40, 2 * 3 * 200).view({2, 3, 200}).sin();
}

} // namespace

// tests/oracle/criterion.py
TEST_CASE("losses of audio and of adversarial training have Python's values and gradients") {
    const auto cases = nlohmann::json::parse(read_file(AUDYN_TEST_DATA_DIR "/criterion/data/audyn_criteria.json"));
    CHECK(cases.size() == 26);
    for (const auto& one : cases) {
        check(one, at::kDouble, 1e-6, 1e-6);
        // Python's gradients in float32 are as far from these, where bins are nearly silent and a logarithm is steep.
        check(one, at::kFloat, 1e-5, 5e-3);
    }
}

TEST_CASE("what audio losses cannot take is refused") {
    CHECK_THROWS_WITH_AS(build("{_target_: auraloss.freq.STFTLoss, mag_distance: L3}"),
                         doctest::Contains("mag_distance must be 'L1' or 'L2', got 'L3'"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: auraloss.freq.STFTLoss, w_sc: 0, w_log_mag: 0}"),
                         doctest::Contains("all are 0"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: auraloss.freq.STFTLoss, fft_size: 512}"),
                         doctest::Contains("win_length 1024"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: auraloss.freq.MultiResolutionSTFTLoss, fft_sizes: [64]}"),
                         doctest::Contains("one number for each resolution"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(
        build("{_target_: audyn.criterion.distance.MultiScaleSpectralLoss, n_fft: [64, 32], weights: [1]}"),
        doctest::Contains("weights has 1 numbers, n_fft 2"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: audyn.criterion.melspectrogram.MelSpectrogramL1Loss, clamp_min: 0.1}"),
                         doctest::Contains("without take_log"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: audyn.criterion.melspectrogram.MelSpectrogramL1Loss, wkwargs: {a: 1}}"),
                         doctest::Contains("'wkwargs' has no meaning here"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: audyn.criterion.gan.DiscriminatorHingeLoss, minimize: true, margin: -1}"),
                         doctest::Contains("margin must not be negative"), audyn::ConfigError);
    CHECK_THROWS_WITH_AS(build("{_target_: parallel_wavegan.losses.GeneratorAdversarialLoss, loss_type: lsgan}"),
                         doctest::Contains("'mse', 'hinge' or 'bce'"), audyn::ConfigError);
}

TEST_CASE("audio losses of signals of two shapes are refused") {
    for (const char* const target : {"audyn.criterion.sdr.NegSISDR", "auraloss.freq.STFTLoss",
                                     "audyn.criterion.melspectrogram.MelSpectrogramL1Loss"}) {
        CAPTURE(target);
        const LossPointer loss = build(std::string("{_target_: ") + target + "}");
        CHECK_THROWS_WITH_AS((void)loss->forward(std::vector{at::ones({2, 2000}), at::ones({2, 1, 2000})}),
                             doctest::Contains("the target's shape [2, 1, 2000] differs from the input's, [2, 2000]"),
                             audyn::UsageError);
    }
}

TEST_CASE("audio losses take any leading dimensions and half precision") {
    const at::Tensor target = signals();
    const at::Tensor input = target + 0.1 * target.square();
    for (const char* const text :
         {"{_target_: auraloss.freq.STFTLoss, fft_size: 64, hop_size: 16, win_length: 64}",
          "{_target_: audyn.criterion.melspectrogram.MelSpectrogramL1Loss, n_fft: 64, n_mels: 8}",
          "{_target_: audyn.criterion.distance.MultiScaleSpectralLoss, n_fft: [64]}",
          "{_target_: audyn.criterion.sdr.NegSISDR}"}) {
        CAPTURE(text);
        const LossPointer loss = build(text);
        const double all = loss->forward(std::vector{input, target}).item<double>();
        CHECK(loss->forward(std::vector{input.view({6, 200}), target.view({6, 200})}).item<double>() ==
              doctest::Approx(all).epsilon(1e-6));
        const at::Tensor low_input = input.to(at::kBFloat16);
        const at::Tensor low_target = target.to(at::kBFloat16);
        const at::Tensor value = loss->forward(std::vector{low_input, low_target});
        CHECK(at::equal(value, loss->forward(std::vector{low_input.to(at::kFloat), low_target.to(at::kFloat)})));
    }
}

TEST_CASE("the windows of a loss are buffers that follow it") {
    const LossPointer loss = build("{_target_: auraloss.freq.MultiResolutionSTFTLoss}");
    REQUIRE(loss->module() != nullptr);
    CHECK(loss->module()->buffers().size() == 3);
    CHECK(loss->module()->named_buffers().contains("2.window"));
}

TEST_CASE("permutation invariant training finds the target of each estimate") {
    const at::Tensor losses = at::tensor({3.0F, 1.0F, 2.0F, 0.0F, 0.5F, 9.0F, 1.0F, 2.0F, 0.0F}).view({1, 3, 3});
    const auto [loss, permutation] = audyn::criterion::pit(losses);
    CHECK(loss.item<double>() == doctest::Approx(1.0 / 3)); // 1, 0, 0
    CHECK(at::equal(permutation, at::tensor({1, 0, 2}, at::kLong).view({1, 3})));
    CHECK_THROWS_WITH_AS((void)audyn::criterion::pit(at::zeros({1, 2, 3})), doctest::Contains("got [1, 2, 3]"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS((void)audyn::criterion::pit(at::zeros({1, 9, 9})), doctest::Contains("at most 8 sources"),
                         audyn::UsageError);

    // Two estimates of one source: each would choose the first target by itself.
    const at::Tensor targets = signals();
    const at::Tensor estimates = at::stack({targets[0][0], targets[0][0] + 0.1, targets[0][2]}).unsqueeze(0);
    const LossPointer all = build("{_target_: audyn.criterion.sdr.PITNegSISDR, num_sources: 3}");
    const auto si_sdr = [&](int64_t estimate, int64_t target) {
        return audyn::criterion::si_sdr(estimates[0][estimate], targets[0][target]).item<double>();
    };
    const double straight = si_sdr(0, 0) + si_sdr(1, 1) + si_sdr(2, 2);
    const double crossed = si_sdr(0, 1) + si_sdr(1, 0) + si_sdr(2, 2);
    const double expected = -std::max(straight, crossed) / 3;
    CHECK(all->forward(std::vector{estimates, targets.slice(0, 0, 1)}).item<double>() ==
          doctest::Approx(expected).epsilon(1e-5));

    // The permutations that it keeps are of as many sources as the batch has.
    const LossPointer any = build("{_target_: audyn.criterion.sdr.PITNegSISDR}");
    const at::Tensor two = targets.slice(1, 0, 2);
    const at::Tensor swapped = two.flip(1) + 0.1 * two.square();
    const auto value = [&](const LossPointer& one) { return one->forward(std::vector{swapped, two}).item<double>(); };
    const double alone = value(any);
    CHECK(any->forward(std::vector{estimates, targets.slice(0, 0, 1)}).item<double>() ==
          doctest::Approx(expected).epsilon(1e-5));
    CHECK(value(any) == alone);
    CHECK_THROWS_WITH_AS((void)all->forward(std::vector{at::ones({1, 2, 9}), at::ones({1, 2, 9})}),
                         doctest::Contains("shape (batch, 3, samples), got [1, 2, 9]"), audyn::UsageError);
    CHECK_THROWS_WITH_AS((void)all->forward(std::vector{at::ones({3, 9}), at::ones({3, 9})}),
                         doctest::Contains("shape (batch, 3, samples), got [3, 9]"), audyn::UsageError);
}

TEST_CASE("lists of scores must have one length") {
    const LossPointer matching = build("{_target_: audyn.criterion.hifigan.FeatureMatchingLoss}");
    CHECK(matching->takes_lists());
    CHECK_THROWS_WITH_AS((void)matching->forward(std::vector{at::ones({2}), at::ones({2}), at::ones({2})}),
                         doctest::Contains("(input, target) needs the same number of tensors"), audyn::UsageError);
    CHECK_THROWS_AS((void)matching->forward(std::vector<at::Tensor>()), audyn::UsageError);
    CHECK_THROWS_WITH_AS((void)matching->forward(std::vector{at::ones({2, 1}), at::ones({2})}),
                         doctest::Contains("[2] differs from the input's, [2, 1]"), audyn::UsageError);
}
