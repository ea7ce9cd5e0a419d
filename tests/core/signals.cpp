#include <audyn/core/error.hpp>
#include <audyn/core/signals.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using audyn::SignalReaction;
using audyn::core::SignalScope;

/// How a child ends that calls `action`: its exit code, or minus the signal.
template <class Action>
int end_of_child(const Action& action) {
    const pid_t child = ::fork();
    if (child == 0) {
        action();
        ::_exit(7);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// As a launcher passes a signal on, which it got for the `count`th time.
void pass(int count) {
    ::sigqueue(::getpid(), SIGTERM, sigval{count});
}

} // namespace

TEST_CASE("signals leave a note while a scope lives") {
    {
        const SignalScope scope({{SIGUSR1, SignalReaction::save}, {SIGUSR2, SignalReaction::save_and_exit}});
        CHECK(SignalScope::save_signal() == 0);
        CHECK(SignalScope::exit_signal() == 0);
        std::raise(SIGUSR1);
        std::raise(SIGUSR1);
        CHECK(SignalScope::save_signal() == SIGUSR1);
        CHECK(SignalScope::exit_signal() == 0);
        SignalScope::clear_save_signal();
        CHECK(SignalScope::save_signal() == 0);
        std::raise(SIGUSR2);
        CHECK(SignalScope::exit_signal() == SIGUSR2);
        std::raise(SIGUSR1); // asks for less, and ends nothing
        CHECK(SignalScope::save_signal() == SIGUSR1);
    }
    CHECK(SignalScope::save_signal() == 0);
    CHECK(SignalScope::exit_signal() == 0);
}

TEST_CASE("a second signal that asks for the end ends the process at once") {
    CHECK(end_of_child([] {
              const SignalScope scope({{SIGTERM, SignalReaction::save_and_exit}});
              std::raise(SIGTERM);
              std::raise(SIGTERM);
          }) == 128 + SIGTERM);
}

TEST_CASE("a signal that a launcher passes on may have come already") {
    CHECK(end_of_child([] {
              const SignalScope scope({{SIGTERM, SignalReaction::save_and_exit}});
              std::raise(SIGTERM);
              pass(1);
          }) == 7);
    CHECK(end_of_child([] {
              const SignalScope scope({{SIGTERM, SignalReaction::save_and_exit}});
              pass(1);
              std::raise(SIGTERM);
          }) == 7);
    CHECK(end_of_child([] {
              const SignalScope scope({{SIGTERM, SignalReaction::save_and_exit}});
              pass(1);
              pass(2);
          }) == 128 + SIGTERM);
    CHECK(end_of_child([] {
              {
                  const SignalScope scope({{SIGTERM, SignalReaction::save_and_exit}});
                  std::raise(SIGTERM);
              }
              const SignalScope scope({{SIGTERM, SignalReaction::save_and_exit}});
              std::raise(SIGTERM);
          }) == 7);
}

TEST_CASE("after a scope signals act as before it") {
    CHECK(end_of_child([] {
              std::signal(SIGTERM, SIG_DFL); // not doctest's
              { const SignalScope scope({{SIGTERM, SignalReaction::save_and_exit}}); }
              std::raise(SIGTERM);
          }) == -SIGTERM);
    CHECK(end_of_child([] {
              const SignalScope scope({{SIGUSR2, SignalReaction::none}});
              std::raise(SIGUSR2);
          }) == -SIGUSR2);
}

TEST_CASE("a signal that cannot be handled is refused") {
    CHECK_THROWS_AS(SignalScope({{SIGKILL, SignalReaction::save}}), audyn::UsageError);
    CHECK_THROWS_AS(SignalScope({{1000, SignalReaction::save}}), audyn::UsageError);
}

TEST_CASE("an end by a signal has the exit code that schedulers know") {
    CHECK(audyn::Interrupted(SIGTERM, "").exit_code() == 143);
    CHECK(audyn::core::signal_name(SIGUSR1) == "SIGUSR1");
    CHECK(audyn::core::signal_name(63) == "signal 63");
}
