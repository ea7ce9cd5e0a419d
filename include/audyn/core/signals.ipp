#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/core/signals.hpp>

namespace audyn::core::detail {

AUDYN_INLINE void handle_signal(int number, siginfo_t* information, void* /*context*/) {
    SignalState& state = signal_state;
    const SignalReaction reaction = state.reactions[static_cast<std::size_t>(number)];
    if (reaction == SignalReaction::save) {
        state.save_signal = number;
    } else if (reaction == SignalReaction::save_and_exit) {
        const bool is_passed_on = information->si_code == SI_QUEUE;
        const int count = is_passed_on ? information->si_value.sival_int : ++state.direct_exit_signals;
        state.exit_signal = number;
        if (count > 1) {
            ::_exit(128 + number);
        }
    }
}

} // namespace audyn::core::detail

namespace audyn::core {

AUDYN_INLINE SignalScope::SignalScope(const std::vector<SignalAction>& actions) {
    try {
        for (const SignalAction& action : actions) {
            install(action);
        }
    } catch (...) {
        restore();
        throw;
    }
}

AUDYN_INLINE void SignalScope::install(const SignalAction& action) {
    if (action.reaction == SignalReaction::none) {
        return;
    }
    struct sigaction handler {};
    struct sigaction old {};
    handler.sa_sigaction = &detail::handle_signal;
    handler.sa_flags = SA_SIGINFO | SA_RESTART; // reads and writes go on as if nothing had come
    ::sigemptyset(&handler.sa_mask);
    const bool is_known = action.number > 0 && static_cast<std::size_t>(action.number) < signal_count;
    if (is_known) {
        signal_state.reactions[static_cast<std::size_t>(action.number)] = action.reaction;
    }
    if (!is_known || ::sigaction(action.number, &handler, &old) != 0) {
        throw UsageError("the signal " + std::to_string(action.number) + " cannot be handled");
    }
    old_handlers_.emplace_back(action.number, old);
}

AUDYN_INLINE void SignalScope::restore() {
    for (const auto& [number, old] : old_handlers_) {
        ::sigaction(number, &old, nullptr);
        signal_state.reactions[static_cast<std::size_t>(number)] = SignalReaction::none;
    }
    old_handlers_.clear();
    signal_state.exit_signal = 0;
    signal_state.direct_exit_signals = 0;
    signal_state.save_signal = 0;
}

AUDYN_INLINE std::string signal_name(int number) {
    for (const auto& [name, known] : known_signals) {
        if (known == number) {
            return name;
        }
    }
    return "signal " + std::to_string(number);
}

} // namespace audyn::core
