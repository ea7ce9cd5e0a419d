#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/error_file.hpp>
#include <audyn/distributed/failure_watcher.hpp>

namespace audyn::distributed {

AUDYN_INLINE FailureWatcher::FailureWatcher(detail::StorePointer store, const Environment& environment,
                                            std::string store_name, FailureWatcherOptions options)
    : state_(std::make_shared<State>()) {
    state_->store = std::move(store);
    state_->environment = environment;
    state_->store_name = std::move(store_name);
    state_->options = options;
    thread_ = std::thread([state = state_] { run(*state); });
}

AUDYN_INLINE void FailureWatcher::stop() {
    if (!thread_.joinable()) {
        return;
    }
    std::unique_lock lock(state_->mutex);
    state_->is_stopping = true;
    state_->changed.notify_all();
    // One that hangs in the store is left behind: it holds its own part of the state.
    const bool has_ended = state_->is_answering() && state_->changed.wait_for(lock, state_->options.interval * 4,
                                                                              [&] { return state_->has_ended; });
    lock.unlock();
    has_ended ? thread_.join() : thread_.detach();
}

AUDYN_INLINE Failure FailureWatcher::report(const std::string& message) {
    std::unique_lock lock(state_->mutex);
    if (!state_->failure) {
        state_->report = message;
        state_->changed.notify_all();
        if (state_->is_answering()) {
            state_->changed.wait_for(lock, state_->options.interval * 4, [&] { return state_->failure.has_value(); });
        }
    }
    return state_->failure.value_or(Failure{state_->environment.rank, message});
}

AUDYN_INLINE std::optional<Failure> FailureWatcher::failure() const {
    if (!state_->has_failed) {
        return std::nullopt;
    }
    const std::lock_guard lock(state_->mutex);
    return state_->failure;
}

AUDYN_INLINE std::optional<Failure> FailureWatcher::wait_for_failure(std::chrono::milliseconds timeout) const {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, timeout, [&] { return state_->failure.has_value(); });
    return state_->failure;
}

AUDYN_INLINE void FailureWatcher::wait_until_known() const {
    std::unique_lock lock(state_->mutex);
    if (state_->failure && state_->is_answering()) {
        state_->changed.wait_for(lock, state_->options.interval * 5, [&] { return state_->is_known; });
    }
}

AUDYN_INLINE Absentees FailureWatcher::absentees() const {
    std::unique_lock lock(state_->mutex);
    state_->absentees.reset();
    state_->is_asked = true;
    state_->changed.notify_all();
    if (state_->is_answering()) {
        state_->changed.wait_for(lock, state_->options.interval * 8,
                                 [&] { return state_->absentees || state_->failure; });
    }
    return state_->absentees.value_or(Absentees{{}, {}, false});
}

AUDYN_INLINE void FailureWatcher::run(State& state) {
    try {
        watch(state);
    } catch (const std::exception& error) {
        set_failure(state, {0, state.store_name +
                                   " cannot be reached any more: rank 0 or the agent that holds it "
                                   "has died (" +
                                   detail::message_of(error) + ")"});
    }
    spread(state);
    std::unique_lock lock(state.mutex);
    if (!state.is_stopping && state.failure && state.failure->rank != state.environment.rank) {
        state.changed.wait_for(lock, state.options.grace, [&] { return state.is_stopping; });
        if (!state.is_stopping) {
            std::fprintf(stderr, "audyn: %s\naudyn: rank %lld ends with it.\n", state.failure->text().c_str(),
                         static_cast<long long>(state.environment.rank));
            std::fflush(nullptr);
            std::_Exit(EXIT_FAILURE);
        }
    }
    state.has_ended = true;
    state.changed.notify_all();
}

AUDYN_INLINE void FailureWatcher::spread(State& state) {
    if (!state.has_failed) {
        return;
    }
    try {
        const std::size_t dead = [&] {
            const std::lock_guard lock(state.mutex);
            return state.absentees ? state.absentees->silent.size() : 0;
        }();
        const int64_t living = state.environment.world_size - static_cast<int64_t>(dead);
        int64_t informed = state.store->add("informed", 1);
        const auto deadline = Clock::now() + state.options.interval * 4;
        while (informed < living && Clock::now() < deadline) {
            std::this_thread::sleep_for(state.options.interval / 10);
            informed = state.store->add("informed", 0);
        }
    } catch (const std::exception&) { // The store has gone, which is the failure.
    }
    const std::lock_guard lock(state.mutex);
    state.is_known = true;
    state.changed.notify_all();
}

AUDYN_INLINE void FailureWatcher::watch(State& state) {
    const std::string own_key = "alive/" + std::to_string(state.environment.rank);
    uint64_t signs = 0;
    std::optional<std::vector<Sign>> sample;
    Clock::time_point sample_due;
    for (std::unique_lock lock(state.mutex); !state.is_stopping;) {
        const auto report = std::exchange(state.report, std::nullopt);
        const bool begins = std::exchange(state.is_asked, false);
        lock.unlock();
        if (report) {
            const std::string value = std::to_string(state.environment.rank) + '\n' + *report;
            const Failure first = parse(state.store->compareSet("failure", std::string(), value));
            if (first.rank == state.environment.rank) {
                write_error_file({}, first.message);
            }
            set_failure(state, first);
            return;
        }
        if (state.store->check({"failure"})) {
            set_failure(state, parse(state.store->get_to_str("failure")));
            return;
        }
        const uint64_t progress = state.progress;
        state.store->set(own_key, std::to_string(++signs) + ' ' + std::to_string(progress));
        if (begins) {
            sample = read_signs(state);
            sample_due = Clock::now() + state.options.interval * 4;
        }
        std::optional<Absentees> found;
        if (sample && Clock::now() >= sample_due) {
            found = compare(state, *sample, read_signs(state), progress);
            sample.reset();
        }
        lock.lock();
        state.last_answer = Clock::now();
        if (found) {
            state.absentees = std::move(found);
            state.changed.notify_all();
        }
        state.changed.wait_for(lock, state.options.interval,
                               [&] { return state.is_stopping || state.report || state.is_asked; });
    }
}

AUDYN_INLINE Failure FailureWatcher::parse(const std::string& value) {
    const std::size_t end = value.find('\n');
    return {detail::parse_count(value.substr(0, end), "the rank of a failure"), value.substr(end + 1)};
}

AUDYN_INLINE void FailureWatcher::set_failure(State& state, Failure failure) {
    const std::lock_guard lock(state.mutex);
    state.failure = std::move(failure);
    state.has_failed = true;
    state.changed.notify_all();
}

AUDYN_INLINE auto FailureWatcher::read_signs(State& state) -> std::vector<Sign> {
    std::vector<Sign> signs(static_cast<std::size_t>(state.environment.world_size));
    for (std::size_t rank = 0; rank < signs.size(); ++rank) {
        const std::string key = "alive/" + std::to_string(rank);
        if (state.store->check({key})) {
            std::istringstream(state.store->get_to_str(key)) >> signs[rank].count >> signs[rank].progress;
        }
    }
    return signs;
}

AUDYN_INLINE Absentees FailureWatcher::compare(const State& state, const std::vector<Sign>& before,
                                               const std::vector<Sign>& after, uint64_t progress) {
    Absentees absentees;
    for (std::size_t i = 0; i < after.size(); ++i) {
        const auto rank = static_cast<int64_t>(i);
        if (rank == state.environment.rank) {
            continue;
        }
        if (after[i].count == before[i].count) {
            absentees.silent.push_back(rank);
        } else if (after[i].progress < progress) {
            absentees.behind.push_back(rank);
        }
    }
    return absentees;
}

} // namespace audyn::distributed
