// The network of speech_classification, trained by types alone, without any configuration file: `typed FOLDER
// [EPOCHS]`.
#include "speech_classifier.hpp"

#include <audyn/audio/audio_folder.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/criterion/losses.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/subset.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/trainer/trainer.hpp>

#include <ATen/Context.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

namespace {

constexpr int64_t sample_rate = 8000;
constexpr uint64_t seed = 0;

/// A tenth of the recordings below `root` validates, without random crops.
std::shared_ptr<audyn::Dataset> part(const std::string& root, bool training) {
    using namespace audyn;
    const auto recordings = std::make_shared<audio::AudioFolderDataset>(
        root, audio::AudioFolderOptions()
                  .sample_rate(sample_rate)
                  .segment_length((training ? 2 : 4) * sample_rate)
                  .crop(training ? audio::Crop::random : audio::Crop::center));
    return data::split(recordings, {0.9, 0.1}, seed)[training ? 0 : 1];
}

void train(const std::string& root, int64_t epochs) {
    using namespace audyn;
    at::manual_seed(seed);
    const auto classes = static_cast<int64_t>(audio::AudioFolderDataset(root).class_names().size());
    SpeechClassifier model(classes, 32, 0.2, sample_rate);
    DataLoader train_loader(part(root, true), DataLoaderOptions().batch_size(32).shuffle(true).num_workers(1));
    DataLoader validation_loader(part(root, false), DataLoaderOptions().batch_size(64).num_workers(1));

    const criterion::Criteria criteria{{.name = "cross_entropy",
                                        .criterion = std::make_shared<criterion::CrossEntropyLoss>(),
                                        .estimated = {{"input", "logits"}},
                                        .target = {{"target", "label"}}}};
    Trainer<SpeechClassifier, optim::AdamW, amp::Disabled> trainer(
        model, optim::AdamW(model->named_parameters(), optim::AdamWOptions().lr(3e-3)), criteria,
        TrainerOptions()
            .max_epochs(epochs)
            .key_mapping({.input = {{"waveform", "waveform"}}, .output = "logits"})
            .save_checkpoint({.last = "exp/model/last.pth", .best_epoch = "exp/model/best_epoch.pth"}));
    trainer.set_lr_scheduler(std::make_shared<optim::OneCycleLR>(
        trainer.optimizer(),
        optim::OneCycleLROptions().max_lr(3e-3).total_steps(trainer.plan(train_loader).iterations)));
    trainer.fit(train_loader, validation_loader);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: " << argv[0] << " FOLDER [EPOCHS]\n";
        return EXIT_FAILURE;
    }
    try {
        train(argv[1], argc > 2 ? std::atoll(argv[2]) : 30);
    } catch (const audyn::Interrupted& end) { // SIGTERM: the state is saved
        std::cerr << end.what() << '\n';
        return end.exit_code();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
