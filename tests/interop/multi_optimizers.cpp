#include "../optim/reference.hpp"
#include "commands.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/exponential_moving_average.hpp>
#include <audyn/optim/multi_lr_schedulers.hpp>
#include <audyn/optim/multi_optimizers.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

using namespace audyn::optim;
using audyn::StateDict;

namespace {

MultiOptimizers make_optimizers(const std::vector<at::Tensor>& parameters) {
    auto body = std::make_unique<SGD>(std::vector{parameters[0], parameters[1]}, SGDOptions().lr(0.01).momentum(0.9));
    auto average = std::make_unique<ExponentialMovingAverage>(body->groups());
    std::vector<NamedOptimizer> optimizers;
    optimizers.push_back({"body", AnyOptimizer(std::move(body), std::move(average))});
    optimizers.push_back({"head", AnyOptimizer(std::make_unique<AdamW>(std::vector{parameters[2]}))});
    return MultiOptimizers(std::move(optimizers));
}

} // namespace

/// IN OUT: goes on with the optimizers and schedulers of multi_optimizers.py from step `first` to `last`.
int multi_optimizers_run(const Arguments& arguments) {
    const StateDict given = audyn::checkpoint::load(arguments.at(0));
    const std::vector<at::Tensor> parameters = reference::parameters();
    {
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            at::Tensor(parameters[i]).copy_(given.at("parameters").as_list()[i].as_tensor());
        }
    }
    MultiOptimizers optimizers = make_optimizers(parameters);
    const auto step = [](Optimizer& optimizer) { return std::make_unique<StepLR>(optimizer, 3, 0.5); };
    MultiLRSchedulers schedulers(optimizers, {{"body", nullptr}, {"head", step}});
    optimizers.load_state_dict(given.at("optimizer").as_dict());
    schedulers.load_state_dict(given.at("lr_scheduler").as_dict());
    for (int64_t i = given.at("first").as_int(); i < given.at("last").as_int(); ++i) {
        reference::set_gradients(parameters, i);
        optimizers.step();
        schedulers.step();
    }
    audyn::state::List trained;
    for (const at::Tensor& parameter : parameters) {
        trained.emplace_back(parameter.detach());
    }
    audyn::checkpoint::save(arguments.at(1), StateDict{{"optimizer", optimizers.state_dict()},
                                                       {"lr_scheduler", schedulers.state_dict()},
                                                       {"parameters", std::move(trained)}});
    return 0;
}
