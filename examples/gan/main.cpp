// A generator learns to make points in the plane like those of the data, eight clusters on a circle.
#include <audyn/audyn.hpp>

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>

namespace {

torch::nn::Sequential perceptron(int64_t inputs, int64_t hidden, int64_t outputs) {
    using torch::nn::LeakyReLU, torch::nn::Linear;
    const auto slope = torch::nn::LeakyReLUOptions().negative_slope(0.2);
    return torch::nn::Sequential(Linear(inputs, hidden), LeakyReLU(slope), Linear(hidden, hidden), LeakyReLU(slope),
                                 Linear(hidden, outputs));
}

} // namespace

struct GeneratorImpl : torch::nn::Module {
    GeneratorImpl(int64_t noise_size, int64_t hidden)
        : network(register_module("network", perceptron(noise_size, hidden, 2))) {}

    /// (batch, noise_size) to points (batch, 2)
    torch::Tensor forward(const torch::Tensor& noise) { return network->forward(noise); }

    static constexpr auto forward_arguments = audyn::names("noise");

    torch::nn::Sequential network;
};
TORCH_MODULE(Generator);

struct DiscriminatorImpl : torch::nn::Module {
    explicit DiscriminatorImpl(int64_t hidden) : network(register_module("network", perceptron(2, hidden, 1))) {}

    /// Points (batch, 2) to scores (batch, 1), high for those of the data.
    torch::Tensor forward(const torch::Tensor& point) { return network->forward(point); }

    static constexpr auto forward_arguments = audyn::names("point");

    torch::nn::Sequential network;
};
TORCH_MODULE(Discriminator);

/// Points of the data, each with noise for the generator, other ones in each epoch.
class Clusters : public audyn::Dataset {
public:
    Clusters(int64_t samples, int64_t noise_size) : samples_(samples), noise_size_(noise_size) {}

    int64_t size() const override { return samples_; }

    audyn::Sample get(int64_t index, audyn::data::Random& random) const override {
        constexpr int64_t clusters = 8;
        constexpr double deviation = 0.1;
        const double angle = 2.0 * std::numbers::pi * static_cast<double>(random.integer(clusters)) / clusters;
        const double x = std::cos(angle) + deviation * random.normal();
        const double y = std::sin(angle) + deviation * random.normal();
        return {{"point", torch::tensor({x, y}, torch::kFloat)},
                {"noise", torch::randn({noise_size_}, random.generator())},
                {"name", "point" + std::to_string(index)}};
    }

private:
    int64_t samples_;
    int64_t noise_size_;
};

/// How far generated points (n, 2) are from those of the data: 2 E|X - Y| - E|X - X'| - E|Y - Y'|, which is 0 where
/// both have one distribution (Székely and Rizzo 2013). The mean over batches.
class EnergyDistance : public audyn::metrics::StatefulMetric {
public:
    EnergyDistance()
        : StatefulMetric(audyn::names("preds", "target"), {{"sum", {}, torch::kFloat}, {"batches", {}, torch::kLong}}) {
    }

protected:
    void add(std::span<const torch::Tensor> arguments, std::span<torch::Tensor> states) override {
        const torch::Tensor made = arguments[0].to(torch::kFloat);
        const torch::Tensor& data = arguments[1];
        states[0] += 2.0 * mean_distance(made, data) - mean_distance(made, made) - mean_distance(data, data);
        states[1] += 1;
    }

    torch::Tensor value(std::span<const torch::Tensor> states) const override { return states[0] / states[1]; }

private:
    /// Of pairs of different points.
    static torch::Tensor mean_distance(const torch::Tensor& from, const torch::Tensor& to) {
        const bool is_same = from.is_same(to);
        const int64_t pairs = from.size(0) * (to.size(0) - (is_same ? 1 : 0));
        return torch::cdist(from, to).sum() / pairs;
    }
};

int main(int argc, char** argv) {
    using audyn::arg, audyn::constructor;
    audyn::Targets targets;
    targets.add<Generator>("Generator", constructor<int64_t, int64_t>(arg("noise_size"), arg("hidden")));
    targets.add<Discriminator>("Discriminator", constructor<int64_t>(arg("hidden")));
    targets.add<Clusters>("Clusters", constructor<int64_t, int64_t>(arg("samples"), arg("noise_size")));
    targets.add<EnergyDistance>("EnergyDistance");
    return audyn::main(argc, argv, targets, audyn::commands<audyn::GAN<Generator, Discriminator>>());
}
