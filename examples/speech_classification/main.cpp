// Which of several languages is spoken? One folder of recordings for each: `speech_classification data.root=FOLDER`.
#include "confusion_table.hpp"
#include "speech_classifier.hpp"
#include "speech_data.hpp"

#include <audyn/audyn.hpp>

#include <memory>
#include <string>

namespace {

void train(audyn::Config& config) {
    using namespace audyn;
    setup_config(config);
    const audio::AudioFolderDataset recordings(config.get<std::string>("data.root"));
    config.set("model.num_classes", static_cast<int64_t>(recordings.class_names().size()));
    auto trainer = AutoTrainer<SpeechClassifier>::build_from_config(config);
    trainer.trainer().add_callback(std::make_shared<ConfusionTable>(recordings.class_names()));
    trainer.run();
}

} // namespace

int main(int argc, char** argv) {
    using namespace audyn;
    Targets targets;
    targets.add<SpeechClassifier>("SpeechClassifier", constructor<int64_t, int64_t, double, int64_t>(
                                                          arg("num_classes"), arg("channels") = 32,
                                                          arg("dropout") = 0.2, arg("sample_rate") = 8000));
    targets.add_function("SpeechDataset", speech_dataset, arg("root"), arg("part"), arg("duration"), arg("sample_rate"),
                         arg("seed"));
    return audyn::main(
        argc, argv, targets,
        {{"train", ::train}, {"validate", validate<SpeechClassifier>}, {"test", test<SpeechClassifier>}});
}
