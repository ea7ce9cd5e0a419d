#include "commands.hpp"

#include <audyn/adapter/optimizers.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trainer.hpp>

#include <iostream>

/// Prints the arguments of the targets that signatures.py compares with Python's.
int signatures(const Arguments&) {
    audyn::Targets targets;
    audyn::adapter::add_optimizers(targets);
    audyn::adapter::add_scheduler_targets(targets);
    audyn::adapter::add_trainer_targets(targets);
    std::cout << targets.help();
    return 0;
}
