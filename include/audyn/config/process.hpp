#pragma once

#include <audyn/core/error.hpp>

#include <cerrno>
#include <csignal>
#include <string>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <system_error>
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
    BlockedSignals() {
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
            sigaddset(&set_, signal);
        }
        ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
    }
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
[[nodiscard]] inline ProcessEnd wait_for(pid_t child, const BlockedSignals& signals) {
    ProcessEnd end;
    while (true) {
        int status = 0;
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child) {
            end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
            end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
            return end;
        }
        if (ended < 0 && errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "waiting for a process");
        }
        siginfo_t info{};
        const int signal = ::sigwaitinfo(&signals.set(), &info);
        if (signal <= 0 || signal == SIGCHLD) {
            continue;
        }
        if (signal != SIGUSR1 && signal != SIGUSR2) {
            end.interrupted = signal;
        }
        if (info.si_code != SI_KERNEL) {
            ::kill(child, signal);
        }
    }
}

} // namespace detail

/// Runs this very program again with other arguments, the first of which is its name, and waits for its end. The child
/// shares terminal and streams, and ends with this process. Call it while there is one thread only.
[[nodiscard]] inline ProcessEnd run_again(const std::vector<std::string>& arguments) {
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) {
        pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);
    std::signal(SIGCHLD, SIG_DFL); // ignored, it would take the child's status away
    const detail::BlockedSignals signals;
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
        throw std::system_error(errno, std::generic_category(), "a process cannot be started");
    }
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::pthread_sigmask(SIG_SETMASK, &signals.before(), nullptr);
        if (::getppid() == parent) {
            ::execv("/proc/self/exe", pointers.data());
        }
        ::_exit(127);
    }
    return detail::wait_for(child, signals);
}

} // namespace audyn::config
