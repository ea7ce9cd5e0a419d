#pragma once

#include <audyn/config/process.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace audyn::config::detail {

AUDYN_INLINE BlockedSignals::BlockedSignals() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
        sigaddset(&set_, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
}

AUDYN_INLINE ProcessEnd wait_for(pid_t child, const BlockedSignals& signals) {
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

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE ProcessEnd run_again(const std::vector<std::string>& arguments) {
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
