#include "commands.hpp"

#include <audyn/amp/grad_scaler.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>

#include <vector>

using audyn::StateDict;
using audyn::state::List;

/// IN OUT: two optimizers and one scaler, over the losses that grad_scaler.py describes.
int grad_scaler_run(const Arguments& arguments) {
    const StateDict given = audyn::checkpoint::load(arguments.at(0));
    const at::Tensor first = given.at("first").as_tensor().clone().requires_grad_();
    const at::Tensor second = given.at("second").as_tensor().clone().requires_grad_();
    audyn::optim::AdamW adamw(std::vector{first});
    audyn::optim::SGD sgd(std::vector{second}, audyn::optim::SGDOptions().lr(0.1).momentum(0.9));
    audyn::amp::GradScaler scaler(audyn::amp::GradScalerOptions().growth_interval(3));
    if (given.contains("scaler_state")) {
        scaler.load_state_dict(given.at("scaler_state").as_dict());
        adamw.load_state_dict(given.at("adamw_state").as_dict());
        sgd.load_state_dict(given.at("sgd_state").as_dict());
    }
    List scales;
    for (const auto& iteration : given.at("iterations").as_list()) {
        const StateDict& factors = iteration.as_dict();
        adamw.zero_grad();
        sgd.zero_grad();
        const at::Tensor loss =
            (first * factors.at("first").as_tensor()).sum() + (second * factors.at("second").as_tensor()).sum();
        scaler.scale(loss).backward();
        if (factors.at("unscale").as_bool()) {
            scaler.unscale_(adamw);
        }
        scaler.step(adamw);
        scaler.step(sgd);
        scaler.update();
        scales.emplace_back(scaler.get_scale());
    }
    audyn::checkpoint::save(arguments.at(1), StateDict{{"first", first.detach()},
                                                       {"second", second.detach()},
                                                       {"scales", std::move(scales)},
                                                       {"scaler_state", scaler.state_dict()},
                                                       {"adamw_state", adamw.state_dict()},
                                                       {"sgd_state", sgd.state_dict()}});
    return 0;
}
