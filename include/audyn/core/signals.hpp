#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace audyn {

/// What a run does at the next iteration boundary after a signal.
enum class SignalReaction : int {
    none,
    /// Saves a checkpoint and trains on.
    save,
    /// Saves a checkpoint and ends with the exit code 128 + signal.
    save_and_exit,
};

/// A signal with the reaction to it.
struct SignalAction {
    int number;
    SignalReaction reaction;
};

/// A run ended because of a signal, after it had saved its state.
class Interrupted : public Error {
public:
    Interrupted(int signal, const std::string& message) : Error(message), signal_(signal) {}

    [[nodiscard]] int signal() const { return signal_; }
    /// The exit code by which shells and schedulers know such an end: 143 for SIGTERM.
    [[nodiscard]] int exit_code() const { return 128 + signal_; }

private:
    int signal_;
};

namespace core {

inline constexpr std::size_t signal_count = 65;

/// The part of the process that signal handlers and the program share: which signal is waiting, and what each means.
/// Visible to all shared libraries of a program, so that there is one.
struct SignalState {
    /// The signal that asked for the end, or 0.
    std::atomic<int> exit_signal{0};
    /// How many such signals came directly, not through a launcher.
    std::atomic<int> direct_exit_signals{0};
    /// The signal that asked for a checkpoint, or 0.
    std::atomic<int> save_signal{0};
    std::array<std::atomic<SignalReaction>, signal_count> reactions{};
};
[[gnu::visibility("default")]] inline constinit SignalState signal_state{};

namespace detail {

/// A second signal that asks for the end is not kept waiting. A launcher passes on what it gets with the count of what
/// it got: a job manager may have sent the first to all processes, which is one wish and not two.
AUDYN_INLINE void handle_signal(int number, siginfo_t* information, void* context);

} // namespace detail

/// While it lives, signals only leave a note, which `exit_signal` and `save_signal` read; the second that asks for the
/// end ends the process at once. Afterwards they act as before. One at a time; threads need not know.
class SignalScope {
public:
    /// \throws UsageError for a signal that cannot be handled.
    explicit SignalScope(const std::vector<SignalAction>& actions);
    SignalScope(const SignalScope&) = delete;
    SignalScope& operator=(const SignalScope&) = delete;
    ~SignalScope() { restore(); }

    /// The signal that asked for the end, or 0.
    [[nodiscard]] static int exit_signal() { return signal_state.exit_signal.load(std::memory_order_relaxed); }
    /// The signal that asked for a checkpoint, or 0.
    [[nodiscard]] static int save_signal() { return signal_state.save_signal.load(std::memory_order_relaxed); }
    /// The checkpoint was written.
    static void clear_save_signal() { signal_state.save_signal = 0; }

private:
    void install(const SignalAction& action);

    void restore();

    std::vector<std::pair<int, struct sigaction>> old_handlers_;
};

/// The signals that have a name in configurations and messages.
inline constexpr std::array<std::pair<const char*, int>, 5> known_signals{
    {{"SIGTERM", SIGTERM}, {"SIGINT", SIGINT}, {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGHUP", SIGHUP}}};

/// "SIGTERM" for 15.
[[nodiscard]] AUDYN_INLINE std::string signal_name(int number);

} // namespace core

} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/core/signals.ipp>
#endif
