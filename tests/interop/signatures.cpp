#include "commands.hpp"

#include <audyn/adapter/optimizers.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/targets.hpp>

#include <iostream>

/// Prints the arguments of optimizers' and schedulers' targets, for signatures.py.
int signatures(const Arguments&) {
    audyn::Targets targets;
    audyn::adapter::add_optimizers(targets);
    audyn::adapter::add_scheduler_targets(targets);
    std::cout << targets.help();
    return 0;
}
