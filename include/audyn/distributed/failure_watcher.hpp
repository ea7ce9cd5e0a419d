#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/detail/store.hpp>
#include <audyn/distributed/environment.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace audyn::distributed {

/// The first failure of a job.
struct Failure {
    int64_t rank;
    std::string message;

    [[nodiscard]] std::string text() const { return "rank " + std::to_string(rank) + " failed: " + message; }
};

/// Who is missing from a collective.
struct Absentees {
    /// Ranks of whom there was no sign of life.
    std::vector<int64_t> silent;
    /// Ranks that live, but have come less far.
    std::vector<int64_t> behind;
    /// False when the store itself did not answer.
    bool is_known = true;
};

struct FailureWatcherOptions {
    /// Between looks at the store, and between signs of life.
    std::chrono::milliseconds interval{300};
    /// What a rank gets to end by itself after another has failed.
    std::chrono::milliseconds grace{2000};
};

/// A thread with a connection of its own to the job's store: it learns that another rank has failed, also while this
/// one waits in a collective or computes, and gives signs of life. When the program has not ended by itself `grace`
/// after a failure of another rank, the thread ends the process with the exit code 1 and says why.
///
/// The store may hang together with the rank that holds it, so that nothing here but the thread talks to it.
/// All members may be called from any thread.
class FailureWatcher {
public:
    /// `store` is used by this object alone.
    FailureWatcher(detail::StorePointer store, const Environment& environment, std::string store_name,
                   FailureWatcherOptions options = {});
    FailureWatcher(const FailureWatcher&) = delete;
    FailureWatcher& operator=(const FailureWatcher&) = delete;
    ~FailureWatcher() { stop(); }

    /// Ends the thread; a failure is not acted upon any more.
    void stop();

    /// Tells all ranks that this one fails. \returns the job's first failure, which may be another's.
    Failure report(const std::string& message);

    /// The job's first failure, if there was one.
    [[nodiscard]] std::optional<Failure> failure() const;

    /// The same; waits for it up to `timeout`.
    [[nodiscard]] std::optional<Failure> wait_for_failure(std::chrono::milliseconds timeout) const;

    /// Waits, for some intervals at most, until all ranks know of the failure: who holds the store must not end before.
    void wait_until_known() const;

    /// This rank begins what all ranks do next together.
    void begin() { state_->progress = (state_->progress | (steps - 1)) + 1; }

    /// It has come further in that. Counts up to three times.
    void advance() {
        if (const uint64_t progress = state_->progress; (progress + 1) % steps != 0) {
            state_->progress = progress + 1;
        }
    }

    /// Who has not come as far as this rank. Takes some intervals.
    [[nodiscard]] Absentees absentees() const;

private:
    using Clock = std::chrono::steady_clock;
    static constexpr uint64_t steps = 4;

    struct Sign {
        uint64_t count = 0;
        uint64_t progress = 0;
    };

    struct State {
        detail::StorePointer store;
        Environment environment;
        std::string store_name;
        FailureWatcherOptions options;

        std::atomic<uint64_t> progress{0}; ///< written by one thread at a time
        std::atomic<bool> has_failed{false};
        mutable std::mutex mutex;
        mutable std::condition_variable changed;
        std::optional<Failure> failure;
        std::optional<std::string> report;
        std::optional<Absentees> absentees;
        Clock::time_point last_answer = Clock::now();
        bool is_asked = false;
        bool is_known = false;
        bool is_stopping = false;
        bool has_ended = false;

        /// Whether the store is heard of, so that waiting for the thread makes sense. Under the mutex.
        [[nodiscard]] bool is_answering() const { return Clock::now() - last_answer < options.interval * 4; }
    };

    static void run(State& state);

    /// Tells that this rank knows of the failure, and waits for the others that live.
    static void spread(State& state);

    /// Until the end or the first failure.
    static void watch(State& state);

    static Failure parse(const std::string& value);

    static void set_failure(State& state, Failure failure);

    static std::vector<Sign> read_signs(State& state);

    static Absentees compare(const State& state, const std::vector<Sign>& before, const std::vector<Sign>& after,
                             uint64_t progress);

    std::shared_ptr<State> state_;
    std::thread thread_;
};

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/failure_watcher.ipp>
#endif
