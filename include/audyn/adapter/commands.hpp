#pragma once

#include <audyn/adapter/auto_trainer.hpp>
#include <audyn/adapter/generator.hpp>
#include <audyn/adapter/main.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/config/config.hpp>

#include <vector>

namespace audyn {

/// Trains one of `Models` as the configuration says.
template <class... Models>
void train(Config& config) {
    setup_config(config);
    AutoTrainer<Models...>::build_from_config(config).run();
}

/// Evaluates the model of `test.checkpoint` by the criteria and callbacks of a training, on the loaders
/// `train.dataset.validation`.
template <class... Models>
void validate(Config& config) {
    setup_config(config);
    AutoTrainer<Models...>::build_for_validation(config).validate();
}

/// Writes what the model of `test.checkpoint` makes of `test.dataset.test`.
template <class... Models>
void test(Config& config) {
    setup_config(config);
    AutoGenerator<Models...>::build_from_config(config).run();
}

/// What `audyn::main` can do with one of `Models`: `train`, also without a word, `validate`, and `test` or, by the name
/// of other toolkits, `predict`.
template <class... Models>
[[nodiscard]] std::vector<Command> commands() {
    return {{"train", [](Config& config) { train<Models...>(config); }},
            {"validate", [](Config& config) { validate<Models...>(config); }},
            {"test", [](Config& config) { test<Models...>(config); }},
            {"predict", [](Config& config) { test<Models...>(config); }}};
}

} // namespace audyn
