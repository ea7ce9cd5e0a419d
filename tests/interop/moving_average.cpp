#include "../optim/averaged_net.hpp"
#include "commands.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/optim/averaged_model.hpp>
#include <audyn/optim/exponential_moving_average.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstdint>
#include <string>

using namespace audyn::optim;
using audyn::StateDict;

/// IN OUT: goes on with the averages of moving_average.py from step `first` to `last`.
int moving_average_run(const Arguments& arguments) {
    const StateDict given = audyn::checkpoint::load(arguments.at(0));
    averaged_net::Net net;
    AveragedModel equal(net);
    AveragedModel with_buffers(net, AveragedModelOptions().use_buffers(true));
    ExponentialMovingAverageWrapper<SGD> wrapper{SGD(net.parameters(), SGDOptions().lr(0.0))};
    equal.load_state_dict(given.at("swa").as_dict());
    with_buffers.load_state_dict(given.at("swa_buffers").as_dict());
    wrapper.load_state_dict(given.at("ema").as_dict());
    for (int64_t step = given.at("first").as_int(); step <= given.at("last").as_int(); ++step) {
        net.set_values(step);
        equal.update();
        with_buffers.update();
        wrapper.moving_average().update();
    }
    audyn::checkpoint::save(arguments.at(1), StateDict{{"swa", equal.state_dict()},
                                                       {"swa_buffers", with_buffers.state_dict()},
                                                       {"ema", wrapper.state_dict()},
                                                       {"model", wrapper.moving_average().model_state(net)}});
    return 0;
}
