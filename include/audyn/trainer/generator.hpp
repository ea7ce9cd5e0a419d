#pragma once

#include <audyn/amp/autocast.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/batch.hpp>
#include <audyn/data/loader.hpp>
#include <audyn/logging/console.hpp>
#include <audyn/trainer/concepts.hpp>
#include <audyn/trainer/forward_call.hpp>
#include <audyn/trainer/key_mapping.hpp>
#include <audyn/trainer/output_files.hpp>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// Options of a `Generator`: `GeneratorOptions().folder("exp/inference").identifiers({{"filename", "filename"}})`.
class GeneratorOptions {
public:
    /// Where the model and the batches live.
    GeneratorOptions& device(at::Device value) { return set(device_, value); }
    /// Runs the model in mixed precision.
    GeneratorOptions& autocast(std::optional<at::ScalarType> value) { return set(autocast_, value); }
    /// Which values of a batch the model takes and what its outputs are called.
    GeneratorOptions& key_mapping(KeyMapping value) { return set(key_mapping_, std::move(value)); }
    /// (name in file names, name in the batch) of what tells samples apart: texts or whole numbers.
    GeneratorOptions& identifiers(std::vector<std::pair<std::string, std::string>> value);
    /// The folder of the files.
    GeneratorOptions& folder(std::filesystem::path value) { return set(folder_, std::move(value)); }
    /// What is written of each sample.
    GeneratorOptions& files(std::vector<OutputFile> value) { return set(files_, std::move(value)); }
    /// The live line on a terminal.
    GeneratorOptions& progress_bar(bool value) { return set(progress_bar_, value); }

    [[nodiscard]] at::Device device() const { return device_; }
    [[nodiscard]] std::optional<at::ScalarType> autocast() const { return autocast_; }
    [[nodiscard]] const KeyMapping& key_mapping() const { return key_mapping_; }
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& identifiers() const { return identifiers_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] const std::vector<OutputFile>& files() const { return files_; }
    [[nodiscard]] bool progress_bar() const { return progress_bar_; }

    /// \throws UsageError when nothing is to be written, a file name has an unknown identifier or none, or two files
    /// have the same name.
    void check() const;

private:
    template <class T, class V>
    GeneratorOptions& set(T& member, V value) {
        member = std::move(value);
        return *this;
    }

    at::Device device_{at::kCPU};
    std::optional<at::ScalarType> autocast_;
    KeyMapping key_mapping_;
    std::vector<std::pair<std::string, std::string>> identifiers_;
    std::filesystem::path folder_ = "inference";
    std::vector<OutputFile> files_;
    bool progress_bar_ = true;
};

/// What of an inference does not depend on the model's type. Every process of a job runs it on its own share of the
/// samples and writes the files of those.
class GeneratorBase {
public:
    GeneratorBase(const GeneratorBase&) = delete;
    GeneratorBase& operator=(const GeneratorBase&) = delete;
    virtual ~GeneratorBase() = default;

    /// Runs the model on all of `loader`, in evaluation mode and without gradients, and writes the files of each
    /// sample. Returns how many samples there were on all ranks. \throws DataError when a sample cannot be read or
    /// written; UsageError when the mappings do not fit, or two samples have the same file.
    int64_t run(data::Loader& loader);

    [[nodiscard]] const GeneratorOptions& options() const { return options_; }
    [[nodiscard]] logging::Console& console() { return console_; }
    [[nodiscard]] virtual torch::nn::Module& module() = 0;

protected:
    explicit GeneratorBase(GeneratorOptions options);

    [[nodiscard]] virtual Outputs infer(const data::Batch& batch) = 0;

private:
    int64_t write(const data::Batch& batch, const Outputs& outputs);
    void write(const OutputFile& file, const at::Tensor& value, const Identifiers& identifiers);
    [[nodiscard]] std::filesystem::path new_path(const OutputFile& file, const Identifiers& identifiers);
    /// Samples of all ranks. \throws UsageError when two of them wrote the same file
    [[nodiscard]] int64_t compare_ranks(int64_t samples) const;

    GeneratorOptions options_;
    logging::Console console_;
    /// What was written, by the hash of its path.
    std::unordered_map<int64_t, std::string> written_;
};

/// Writes what a trained model makes of each sample; Audyn's `BaseGenerator`. It calls the model's `inference` where it
/// has such a member (see `InferenceMethod`), else its forward. `Model` is a holder made by TORCH_MODULE, or a
/// std::shared_ptr to a module.
template <class Model>
class Generator final : public GeneratorBase {
    static_assert(check_model<Model>());
    using Module = typename ModelTraits<Model>::Module;

    static_assert(HasInference<Module> || !detail::NamesInference<Module>::value,
                  "audyn: the model's member inference is overloaded, a template or not public; give it one public "
                  "signature");

    template <class T>
    struct MethodOf : std::type_identity<ForwardMethod<T>> {};
    template <HasInference T>
    struct MethodOf<T> : std::type_identity<InferenceMethod<T>> {};

public:
    /// The model is moved to the options' device. \throws UsageError when options contradict each other.
    explicit Generator(Model model, GeneratorOptions options = {})
        : GeneratorBase(std::move(options)), model_(std::move(model)), call_(this->options().key_mapping()) {
        module().to(this->options().device());
    }

    [[nodiscard]] Model& model() { return model_; }
    [[nodiscard]] torch::nn::Module& module() override { return *ModelTraits<Model>::pointer(model_); }

private:
    [[nodiscard]] Outputs infer(const data::Batch& batch) override {
        std::optional<amp::AutocastGuard> autocast;
        if (options().autocast()) {
            autocast.emplace(options().device().type(), *options().autocast());
        }
        return call_(*ModelTraits<Model>::pointer(model_), batch);
    }

    Model model_;
    ForwardCall<Module, typename MethodOf<Module>::type> call_;
};

} // namespace audyn::trainer

namespace audyn {
using trainer::Generator;
using trainer::GeneratorBase;
using trainer::GeneratorOptions;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/generator.ipp>
#endif
