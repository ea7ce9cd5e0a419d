#include "../optim/scheduler_cases.hpp"
#include "commands.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/state/state_dict.hpp>

#include <cstdint>
#include <string>

namespace {

using audyn::StateDict;
using audyn::state::List;

/// Steps one case from `first` to `last`, from the given states if there are any.
StateDict run_case(const std::string& name, const StateDict& given) {
    const auto optimizer = scheduler_cases::make_optimizer(name);
    const auto scheduler = scheduler_cases::cases().at(name)(*optimizer);
    if (given.contains("scheduler")) {
        optimizer->load_state_dict(given.at("optimizer").as_dict());
        scheduler->load_state_dict(given.at("scheduler").as_dict());
    }
    List rates;
    for (int64_t step = given.at("first").as_int(); step < given.at("last").as_int(); ++step) {
        scheduler_cases::advance(*scheduler, step);
        List groups;
        for (const auto& group : optimizer->groups()) {
            groups.emplace_back(group.lr);
            groups.emplace_back(*group.momentum);
        }
        rates.emplace_back(std::move(groups));
    }
    return {
        {"rates", std::move(rates)}, {"optimizer", optimizer->state_dict()}, {"scheduler", scheduler->state_dict()}};
}

} // namespace

/// IN OUT: steps the cases of lr_scheduler.py.
int lr_scheduler_run(const Arguments& arguments) {
    StateDict results;
    for (const auto& [key, given] : audyn::checkpoint::load(arguments.at(0))) {
        const std::string& name = key.string();
        results.set(name, run_case(name.substr(0, name.find('/')), given.as_dict()));
    }
    audyn::checkpoint::save(arguments.at(1), results);
    return 0;
}
