#pragma once

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trained_model.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/gan.hpp>
#include <audyn/trainer/generator.hpp>
#include <audyn/trainer/output_files.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::adapter {

/// Writes a waveform, (frames) or (channels, frames), at a sample rate in Hz. `audyn.AudioFile`, which
/// `add_audio_targets` of <audyn/audio.hpp> adds, builds one for WAV and FLAC.
using AudioWriter =
    std::function<void(const std::filesystem::path& path, const at::Tensor& waveform, int64_t sample_rate)>;

/// The files that `test.output.{torch_dump,audio,spectrogram}` ask for, by Audyn's `key_mapping` and `transforms`
/// (below `inference`, `test` or at once). \throws ConfigError
[[nodiscard]] AUDYN_INLINE std::vector<trainer::OutputFile> output_files(const Config& output, const Targets& targets);

/// The options that `test` and `system` mean; what is wrong in them is added to `mistakes`.
[[nodiscard]] AUDYN_INLINE trainer::GeneratorOptions generator_options(const Config& config, const Targets& targets,
                                                                       config::Mistakes& mistakes);

/// Everything of a configured inference that does not depend on the model's type: the plain half of `AutoGenerator`.
class InferencePlan {
public:
    /// Reads and checks the whole of `test`, and the checkpoint, before anything reads data. \throws ConfigError
    explicit InferencePlan(const Config& config);

    [[nodiscard]] const Config& model_config() const { return trained_.config(); }
    [[nodiscard]] const Targets& targets() const { return *targets_; }
    [[nodiscard]] const trainer::GeneratorOptions& options() const { return options_; }

    /// Gives the model its parameters, and removes its weight normalisation where that is asked for.
    void load_into(torch::nn::Module& module) const;

    /// \throws ConfigError when the folder of the outputs cannot be written to.
    int64_t run(trainer::GeneratorBase& generator) const;

    /// What `action` returns. \throws ConfigError when it finds that the mappings do not fit
    template <class Action>
    auto fit(const Action& action) const {
        try {
            return action();
        } catch (const UsageError& error) {
            throw config_.at("test.key_mapping.inference")
                .error(std::string("does not fit the model and the samples: ") + error.what());
        }
    }

private:
    Config config_;
    std::shared_ptr<Targets> targets_;
    TrainedModel trained_;
    trainer::GeneratorOptions options_;
};

namespace detail {

/// What infers of a model: of a GAN the generator.
template <class Model>
struct Inferring : std::type_identity<Model> {};
template <class Generator, class Discriminator>
struct Inferring<trainer::GAN<Generator, Discriminator>> : std::type_identity<Generator> {};

} // namespace detail

/// The inference that a configuration describes, for a checkpoint of one of `Models`; Audyn's
/// `BaseGenerator.build_from_config`. The model is built as the checkpoint says; of a GAN it is the generator.
template <class... Models>
class AutoGenerator {
public:
    /// Call `setup_config` before. \throws ConfigError before any data is read
    [[nodiscard]] static AutoGenerator build_from_config(const Config& config) { return AutoGenerator(config); }

    /// Writes the outputs; returns the number of samples on all ranks.
    int64_t run() { return plan_->run(*generator_); }

    [[nodiscard]] trainer::GeneratorBase& generator() { return *generator_; }

private:
    explicit AutoGenerator(const Config& config) : plan_(std::make_unique<InferencePlan>(config)) {
        ((generator_ = generator_ ? std::move(generator_) : build_if<typename detail::Inferring<Models>::type>()), ...);
        if (!generator_) {
            const Config& node = plan_->model_config();
            throw node.at("_target_")
                .error("names '" + node.get<std::string>("_target_") +
                       "', which builds none of the models that this AutoGenerator was made for");
        }
    }

    template <class Model>
    [[nodiscard]] std::unique_ptr<trainer::GeneratorBase> build_if() const {
        const Config& node = plan_->model_config();
        if (!plan_->targets().template builds<Model>(node)) {
            return nullptr;
        }
        Model model = plan_->targets().template build<Model>(node, reserved_model_keys);
        plan_->load_into(*trainer::ModelTraits<Model>::pointer(model));
        return plan_->fit(
            [&] { return std::make_unique<trainer::Generator<Model>>(std::move(model), plan_->options()); });
    }

    std::unique_ptr<InferencePlan> plan_;
    std::unique_ptr<trainer::GeneratorBase> generator_;
};

} // namespace audyn::adapter

namespace audyn {
using adapter::AutoGenerator;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/generator.ipp>
#endif
