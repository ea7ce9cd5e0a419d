#include "../optim/reference.hpp"
#include "commands.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/adadelta.hpp>
#include <audyn/optim/adafactor.hpp>
#include <audyn/optim/adagrad.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamax.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/asgd.hpp>
#include <audyn/optim/detail/option_visitors.hpp>
#include <audyn/optim/lbfgs.hpp>
#include <audyn/optim/muon.hpp>
#include <audyn/optim/nadam.hpp>
#include <audyn/optim/radam.hpp>
#include <audyn/optim/rmsprop.hpp>
#include <audyn/optim/rprop.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/optim/sparse_adam.hpp>
#include <audyn/optim/torch_optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/rmsprop.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
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

using Make = std::function<std::unique_ptr<Optimizer>(const StateDict& given, const std::vector<at::Tensor>&)>;

template <class T, class Options>
Make make() {
    return [](const StateDict& given, const std::vector<at::Tensor>& parameters) {
        Options options;
        Options::visit(options, audyn::optim::detail::OptionReader{given});
        return std::make_unique<T>(parameters, options);
    };
}

std::unique_ptr<Optimizer> make_sgd(const StateDict& given, const std::vector<at::Tensor>& parameters) {
    SGDOptions options;
    options.lr(number(given, "lr", options.lr())).momentum(number(given, "momentum", 0.0));
    options.dampening(number(given, "dampening", 0.0)).weight_decay(number(given, "weight_decay", 0.0));
    options.nesterov(given.contains("nesterov")).maximize(given.contains("maximize"));
    return std::make_unique<SGD>(parameters, options);
}

/// The optimizer that Python calls by this name, with the options that differ from its defaults.
std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const StateDict& given,
                                          const std::vector<at::Tensor>& parameters) {
    using Parameters = std::vector<at::Tensor>;
    const std::map<std::string, Make> all{
        {"SGD", make_sgd},
        {"Adam", [](const StateDict& options,
                    const Parameters& p) { return std::make_unique<Adam>(p, adam_options(options, {})); }},
        {"AdamW",
         [](const StateDict& options, const Parameters& p) {
             return std::make_unique<AdamW>(p, AdamWOptions(adam_options(options, AdamWOptions().as_adam())));
         }},
        {"Adagrad", make<Adagrad, AdagradOptions>()},
        {"RMSprop", make<RMSprop, RMSpropOptions>()},
        {"NAdam", make<NAdam, NAdamOptions>()},
        {"RAdam", make<RAdam, RAdamOptions>()},
        {"Adamax", make<Adamax, AdamaxOptions>()},
        {"Adadelta", make<Adadelta, AdadeltaOptions>()},
        {"ASGD", make<ASGD, ASGDOptions>()},
        {"Rprop", make<Rprop, RpropOptions>()},
        {"Adafactor", make<Adafactor, AdafactorOptions>()},
        {"Muon", make<Muon, MuonOptions>()},
        {"SparseAdam", make<SparseAdam, SparseAdamOptions>()},
        {"LBFGS", make<LBFGS, LBFGSOptions>()},
        {"libtorch.Adagrad",
         [](const StateDict&, const Parameters& p) {
             return std::make_unique<TorchOptimizer>(std::make_unique<torch::optim::Adagrad>(p));
         }},
        {"libtorch.RMSprop",
         [](const StateDict&, const Parameters& p) {
             const auto options = torch::optim::RMSpropOptions().momentum(0.5).centered(true);
             return std::make_unique<TorchOptimizer>(std::make_unique<torch::optim::RMSprop>(p, options));
         }},
    };
    return all.at(name)(given, parameters);
}

/// As take_step() of tests/oracle/optimizer.py.
void take_step(const std::string& kind, Optimizer& optimizer, int64_t step) {
    if (kind == "LBFGS") {
        optimizer.step([&] {
            optimizer.zero_grad();
            at::Tensor loss = reference::loss(optimizer.parameters());
            loss.backward();
            return loss;
        });
        return;
    }
    if (kind == "SparseAdam") {
        reference::set_sparse_gradients(optimizer.parameters(), step);
    } else {
        reference::set_gradients(optimizer.parameters(), step);
    }
    optimizer.step();
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
StateDict run_case(const StateDict& given) {
    std::vector<at::Tensor> parameters;
    for (const auto& parameter : given.at("parameters").as_list()) {
        parameters.push_back(parameter.as_tensor().clone().requires_grad_());
    }
    const std::string& kind = given.at("class").as_string();
    const auto optimizer = make_optimizer(kind, given.at("options").as_dict(), parameters);
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
        take_step(kind, *optimizer, step);
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
        results.set(name, run_case(value.as_dict()));
    }
    audyn::checkpoint::save(arguments.at(1), results);
    return 0;
}
