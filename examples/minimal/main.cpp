#include <audyn/audyn.hpp>

#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>

#include <string>

struct DenoiserImpl : torch::nn::Module {
    explicit DenoiserImpl(int64_t channels)
        : encoder(register_module("encoder", torch::nn::Conv1d(torch::nn::Conv1dOptions(1, channels, 15).padding(7)))),
          decoder(register_module("decoder", torch::nn::Conv1d(torch::nn::Conv1dOptions(channels, 1, 15).padding(7)))) {
    }

    /// (batch, 1, time) -> the same shape
    torch::Tensor forward(torch::Tensor waveform) { return decoder(encoder(waveform).tanh()); }

    static constexpr auto forward_arguments = audyn::names("waveform");

    torch::nn::Conv1d encoder;
    torch::nn::Conv1d decoder;
};
TORCH_MODULE(Denoiser);

/// Sines of random pitch, clean and with noise.
class NoisySines : public audyn::Dataset {
public:
    explicit NoisySines(int64_t samples) : samples_(samples) {}

    int64_t size() const override { return samples_; }

    audyn::Sample get(int64_t index, audyn::data::Random& random) const override {
        auto clean = torch::arange(256, torch::kFloat).mul(random.uniform(0.02, 0.3)).sin().unsqueeze(0);
        auto noise = torch::randn({1, 256}, random.generator());
        return {{"noisy", clean + 0.5 * noise}, {"clean", clean}, {"name", "sine" + std::to_string(index)}};
    }

private:
    int64_t samples_;
};

int main(int argc, char** argv) {
    audyn::Targets targets;
    targets.add<Denoiser>("Denoiser", audyn::constructor<int64_t>(audyn::arg("channels") = 16));
    targets.add<NoisySines>("NoisySines", audyn::constructor<int64_t>(audyn::arg("samples")));
    return audyn::main(argc, argv, targets, audyn::commands<Denoiser>()); // train, validate, test
}
