#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/command_line.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/program.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/signals.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace audyn {

/// What a program does where its arguments begin with this word: `./program test --config-dir conf`.
struct Command {
    std::string name;
    std::function<void(Config&)> run;
};

namespace adapter::detail {

AUDYN_INLINE void add_toolkit_targets(Targets& targets);

/// What a training program brings to its command line.
[[nodiscard]] AUDYN_INLINE config::Program program(const std::shared_ptr<Targets>& targets);

AUDYN_INLINE int run(int argc, const char* const* argv, Targets targets, const std::vector<Command>& commands);

} // namespace adapter::detail

/// The body of a program's main: composes the configuration from the command line, answers --help, --version, --cfg and
/// --info, starts the jobs of --multirun, and otherwise makes the run's folder and calls `callback(config)`. An
/// exception ends the program with one message on the error stream and the exit code 1, or 128 + signal after a signal
/// for which the state was saved. `targets` adds to what `_target_` may name, and to resolvers and constants. Call it
/// first in main, before threads are started.
AUDYN_INLINE int main(int argc, char** argv, adapter::Targets targets, const std::function<void(Config&)>& callback);

/// The same for a program that can do several things, chosen by the first word of its arguments; without one it does
/// the first of `commands`.
AUDYN_INLINE int main(int argc, char** argv, adapter::Targets targets, const std::vector<Command>& commands);

/// The same for a program that adds nothing.
inline int main(int argc, char** argv, const std::function<void(Config&)>& callback) {
    return main(argc, argv, adapter::Targets(), callback);
}

} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/main.ipp>
#endif
