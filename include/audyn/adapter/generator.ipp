#pragma once

#include <audyn/adapter/data.hpp>
#include <audyn/adapter/entries.hpp>
#include <audyn/adapter/generator.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/ranks.hpp>
#include <audyn/modules/weight_norm.hpp>

#include <ATen/Context.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <unistd.h>

namespace audyn::adapter::detail {

/// `node.NAME`, and of that the part for inference; nothing where it is null.
AUDYN_INLINE std::optional<Config> inference_part(const Config& node, const std::string& name) {
    auto part = node.find(name);
    if (!part || part->is_null()) {
        return std::nullopt;
    }
    for (const char* const kind : {"inference", "test"}) {
        if (auto inner = part->find(kind)) {
            return inner->is_null() ? std::nullopt : std::move(inner);
        }
    }
    return part;
}

/// The members of `node.SIDE` that are set.
AUDYN_INLINE std::map<std::string, Config> non_null(const std::optional<Config>& node, const std::string& side) {
    std::map<std::string, Config> members;
    const auto group = node ? node->find_key(side) : std::nullopt;
    if (group && !group->is_null()) {
        for (auto& [name, member] : group->items()) {
            if (!member.is_null()) {
                members.emplace(name, std::move(member));
            }
        }
    }
    return members;
}

AUDYN_INLINE trainer::FileNamePattern file_name(const Config& node) {
    try {
        return trainer::FileNamePattern(node.as<std::string>());
    } catch (const UsageError& error) {
        throw node.error(error.what());
    }
}

/// Appends the files of one kind of output, `node`.
AUDYN_INLINE void append_files(const Config& node, const Targets& targets,
                               const std::function<trainer::WriteTensor()>& make_writer,
                               std::vector<trainer::OutputFile>& files) {
    const auto mapping = inference_part(node, "key_mapping");
    const auto transforms = inference_part(node, "transforms");
    for (const bool is_reference : {false, true}) {
        const char* const side = is_reference ? "reference" : "output";
        const auto paths = non_null(mapping, side);
        const auto own_transforms = non_null(transforms, side);
        for (const auto& [name, path] : paths) {
            files.push_back({name, file_name(path), make_writer(), is_reference});
            if (const auto transform = own_transforms.find(name); transform != own_transforms.end()) {
                files.back().transform = targets.build<trainer::OutputTransform>(transform->second);
            }
        }
        for (const auto& [name, transform] : own_transforms) {
            if (!paths.contains(name)) {
                throw transform.error("transforms '" + name + "', of which no file is written");
            }
        }
    }
}

/// Makes the folder of the outputs, before a long inference finds that it cannot.
AUDYN_INLINE void check_folder(const Config& node, const std::filesystem::path& folder) {
    try {
        core::create_folders(folder, /*durable=*/false);
    } catch (const Error& error) {
        throw node.error(std::string("must be a folder that can be written to: ") + error.what());
    }
    if (!std::filesystem::is_directory(folder)) {
        throw node.error("must be a folder that can be written to, and is something else");
    }
    if (::access(folder.c_str(), W_OK | X_OK) != 0) {
        throw node.error("must be a folder that can be written to: " + folder.string() + ": " + std::strerror(errno));
    }
}

AUDYN_INLINE trainer::WriteTensor audio_writer(const Config& node, const Targets& targets) {
    const auto sample_rate = node.get_optional<int64_t>("sample_rate");
    if (!sample_rate || *sample_rate < 1) {
        throw node.at("sample_rate").error("must be the sample rate of the audio files, in Hz");
    }
    const std::vector<std::string> names = targets.names();
    AudioWriter write;
    if (const auto writer = node.find("writer"); writer && !writer->is_null()) {
        write = targets.build<AudioWriter>(*writer);
    } else if (std::find(names.begin(), names.end(), "audyn.AudioFile") != names.end()) {
        config::Value fallback = config::Value::dict();
        fallback.set(config::Key("_target_"), config::Value("audyn.AudioFile"));
        write = targets.build<AudioWriter>(Config(std::move(fallback)));
    } else {
        throw node.error("this program writes no audio files: include <audyn/audio.hpp>, link audyn::audio and call "
                         "audyn::add_audio_targets(targets) in main; torch_dump writes the values as tensors");
    }
    return [write, rate = *sample_rate](const std::filesystem::path& path, const at::Tensor& waveform) {
        write(path, waveform, rate);
    };
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE std::vector<trainer::OutputFile> output_files(const Config& output, const Targets& targets) {
    std::vector<trainer::OutputFile> files;
    const auto append = [&](const Config& node, const std::function<trainer::WriteTensor()>& make_writer,
                            std::vector<std::string> more_keys = {}) {
        more_keys.insert(more_keys.end(), {"key_mapping", "transforms"});
        detail::check_entry_keys(node, more_keys);
        detail::append_files(node, targets, make_writer, files);
    };
    const auto is_folder = [](const Config&) {};
    const EntryReaders readers{
        {"exp_dir", is_folder},
        {"inference_dir", is_folder},
        {"torch_dump", [&](const Config& node) { append(node, [] { return trainer::write_tensor; }); }},
        {"audio",
         [&](const Config& node) {
             append(node, [&] { return detail::audio_writer(node, targets); }, {"sample_rate", "writer"});
         }},
        {"spectrogram", [&](const Config& node) { append(node, [] { return trainer::write_spectrogram; }); }}};
    read_entries(output, readers, "key");
    return files;
}

AUDYN_INLINE trainer::GeneratorOptions generator_options(const Config& config, const Targets& targets,
                                                         config::Mistakes& mistakes) {
    const Config test = config["test"];
    trainer::GeneratorOptions options;
    mistakes.attempt([&] { options.device(device(config)); });
    mistakes.attempt([&] { options.autocast(amp_dtype(config)); });
    mistakes.attempt([&] { options.key_mapping(key_mapping(test, "inference").value_or(trainer::KeyMapping())); });
    const bool are_identifiers_right = mistakes.attempt([&] {
        std::vector<std::pair<std::string, std::string>> identifiers;
        for (const auto& [name, source] : detail::non_null(test.find("key_mapping.inference"), "identifier")) {
            identifiers.emplace_back(name, source.as<std::string>());
        }
        options.identifiers(std::move(identifiers));
    });
    mistakes.attempt([&] { options.folder(test["output"].get<std::string>("inference_dir")); });
    const bool are_files_right = mistakes.attempt([&] { options.files(output_files(test["output"], targets)); });
    if (are_identifiers_right && are_files_right) {
        mistakes.attempt([&] {
            try {
                options.check();
            } catch (const UsageError& error) {
                throw test["output"].error(std::string("cannot be written: ") + error.what());
            }
        });
    }
    return options;
}

AUDYN_INLINE InferencePlan::InferencePlan(const Config& config)
    : config_(config), targets_(require_targets(config)), trained_(trained_model(config)) {
    config::Mistakes mistakes;
    options_ = generator_options(config, *targets_, mistakes);
    const Config test = config["test"];
    mistakes.attempt([&] {
        const auto nodes = loader_nodes(test, "test");
        if (nodes.size() != 1) {
            throw test["dataset"].error("needs `test.dataset.test`, one dataset");
        }
        check_loader(nodes.front(), *targets_, mistakes);
    });
    mistakes.attempt([&] {
        const std::vector<std::string> known{"audyn.utils.driver.BaseGenerator",
                                             "audyn.utils.driver.CascadeTextToWaveGenerator"};
        const auto name = test.get_optional<std::string>("generator._target_");
        if (name && std::find(known.begin(), known.end(), *name) == known.end()) {
            throw test["generator"]["_target_"].error("names an unknown generator '" + *name +
                                                      "'; known are: " + known[0] + ", " + known[1]);
        }
    });
    mistakes.throw_if_any();
}

AUDYN_INLINE void InferencePlan::load_into(torch::nn::Module& module) const {
    trained_.load_into(module);
    const auto node = config_.find("test.remove_weight_norm");
    if (node && !node->is_null() && node->as<bool>() && modules::remove_weight_norm(module) == 0) {
        throw node->error("asks to remove what the model does not have: no module of it is an "
                          "audyn::modules::WeightNorm");
    }
}

AUDYN_INLINE int64_t InferencePlan::run(trainer::GeneratorBase& generator) const {
    detail::check_folder(config_.at("test.output.inference_dir"), options_.folder());
    logging::Console& console = generator.console();
    LoaderContext context{.dataset = nullptr, .seed = seed(config_), .warn = [&console](const std::string& message) {
                              console.warning(message);
                          }};
    context.rank = distributed::rank();
    context.world_size = distributed::world_size();
    context.is_for_evaluation = true;
    at::manual_seed(seed_of_rank(config_));
    const auto loader = build_loader(loader_nodes(config_["test"], "test").front(), *targets_, context);
    console.info("Load weights of model: " + trained_.description() + ".");
    const int64_t samples = fit([&] { return generator.run(*loader); });
    console.info("Wrote the outputs of " + std::to_string(samples) + " samples to " + options_.folder().string() + ".");
    return samples;
}

} // namespace audyn::adapter
