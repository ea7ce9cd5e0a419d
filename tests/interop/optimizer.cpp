#include "commands.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/optim/torch_optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/rmsprop.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace audyn::optim;
using audyn::StateDict;
using audyn::state::List;

double number(const StateDict& options, const char* key, double fallback) {
    return options.contains(key) ? options.at(key).as_float() : fallback;
}

AdamOptions adam_options(const StateDict& given, AdamOptions options) {
    options.lr(number(given, "lr", options.lr())).eps(number(given, "eps", options.eps()));
    options.weight_decay(number(given, "weight_decay", options.weight_decay()));
    options.amsgrad(given.contains("amsgrad")).maximize(given.contains("maximize"));
    options.decoupled_weight_decay(given.contains("decoupled_weight_decay"));
    if (given.contains("betas")) {
        const auto& betas = given.at("betas").as_list();
        options.betas({betas[0].as_float(), betas[1].as_float()});
    }
    return options;
}

/// The optimizer that Python calls by this name, with the options that differ from its defaults.
std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const StateDict& given,
                                          const std::vector<at::Tensor>& parameters) {
    if (name == "AdamW") {
        return std::make_unique<AdamW>(parameters, AdamWOptions(adam_options(given, AdamWOptions().as_adam())));
    }
    if (name == "Adam") {
        return std::make_unique<Adam>(parameters, adam_options(given, {}));
    }
    if (name == "Adagrad") {
        return std::make_unique<TorchOptimizer>(std::make_unique<torch::optim::Adagrad>(parameters));
    }
    if (name == "RMSprop") {
        return std::make_unique<TorchOptimizer>(std::make_unique<torch::optim::RMSprop>(
            parameters, torch::optim::RMSpropOptions().momentum(0.5).centered(true)));
    }
    SGDOptions options;
    options.lr(number(given, "lr", options.lr())).momentum(number(given, "momentum", 0.0));
    options.dampening(number(given, "dampening", 0.0)).weight_decay(number(given, "weight_decay", 0.0));
    options.nesterov(given.contains("nesterov")).maximize(given.contains("maximize"));
    return std::make_unique<SGD>(parameters, options);
}

/// The schedulers of optimizer.py.
std::unique_ptr<LRScheduler> make_scheduler(const std::string& name, Optimizer& optimizer) {
    if (name == "one_cycle") {
        return std::make_unique<OneCycleLR>(optimizer, OneCycleLROptions().max_lr(0.05).total_steps(100));
    }
    if (name == "warmup_cosine") {
        return linear_warmup(optimizer, 10, 0.1,
                             [](Optimizer& own) { return std::make_unique<CosineAnnealingLR>(own, 90); });
    }
    if (name == "step") {
        return std::make_unique<StepLR>(optimizer, 7, 0.5);
    }
    throw audyn::UsageError("no such scheduler: " + name);
}

/// Trains one case of optimizer.py.
StateDict run_case(const StateDict& given, const std::vector<audyn::state::Value>& gradients) {
    std::vector<at::Tensor> parameters;
    for (const auto& parameter : given.at("parameters").as_list()) {
        parameters.push_back(parameter.as_tensor().clone().requires_grad_());
    }
    const auto optimizer = make_optimizer(given.at("class").as_string(), given.at("options").as_dict(), parameters);
    std::unique_ptr<LRScheduler> scheduler;
    if (!given.at("scheduler").is_none()) {
        scheduler = make_scheduler(given.at("scheduler").as_string(), *optimizer);
    }
    if (given.contains("optimizer_state")) {
        optimizer->load_state_dict(given.at("optimizer_state").as_dict());
        if (scheduler) {
            scheduler->load_state_dict(given.at("scheduler_state").as_dict());
        }
    }
    for (int64_t step = given.at("first").as_int(); step < given.at("last").as_int(); ++step) {
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            parameters[i].mutable_grad() = gradients[static_cast<std::size_t>(step)].as_list()[i].as_tensor().clone();
        }
        optimizer->step();
        if (scheduler) {
            scheduler->step();
        }
    }
    List trained;
    for (const at::Tensor& parameter : parameters) {
        trained.emplace_back(parameter.detach());
    }
    return {{"parameters", std::move(trained)},
            {"optimizer_state", optimizer->state_dict()},
            {"scheduler_state", scheduler ? scheduler->state_dict() : StateDict()}};
}

} // namespace

/// IN OUT: trains the cases that optimizer.py describes.
int optimizer_run(const Arguments& arguments) {
    const StateDict given = audyn::checkpoint::load(arguments.at(0));
    StateDict results;
    for (const auto& [name, value] : given.at("cases").as_dict()) {
        results.set(name, run_case(value.as_dict(), given.at("gradients").as_list()));
    }
    audyn::checkpoint::save(arguments.at(1), results);
    return 0;
}
