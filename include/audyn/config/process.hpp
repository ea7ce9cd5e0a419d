#pragma once

#include <audyn/core/inline.hpp>

#include <string>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace audyn::config {

/// How a child process ended.
struct ProcessEnd {
    int exit_code = 0;   ///< when it exited by itself
    int signal = 0;      ///< that killed it; 0 when it exited
    int interrupted = 0; ///< a signal that asked this process to end meanwhile; 0 for none

    [[nodiscard]] bool succeeded() const { return exit_code == 0 && signal == 0; }
};

namespace detail {

/// Blocks the signals that end a program or tell of a child, for as long as it lives: they are then taken one by one.
class BlockedSignals {
public:
    BlockedSignals();
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;
    ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    [[nodiscard]] const sigset_t& set() const { return set_; }
    [[nodiscard]] const sigset_t& before() const { return before_; }

private:
    sigset_t set_ = [] {
        sigset_t empty;
        sigemptyset(&empty);
        return empty;
    }();
    sigset_t before_{};
};

/// Waits for the child. A signal from the terminal reaches the child by itself; any other is passed on to it.
[[nodiscard]] AUDYN_INLINE ProcessEnd wait_for(pid_t child, const BlockedSignals& signals);

} // namespace detail

/// Runs this very program again with other arguments, the first of which is its name, and waits for its end. The child
/// shares terminal and streams, and ends with this process. Call it while there is one thread only.
[[nodiscard]] AUDYN_INLINE ProcessEnd run_again(const std::vector<std::string>& arguments);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/process.ipp>
#endif
