#pragma once

#include <audyn/checkpoint/host_copy.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/state/state_dict.hpp>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace audyn::checkpoint {

/// Writes checkpoints in a thread of its own. The caller waits only for a copy of the state to host memory, for which
/// there are two buffers that are used again and again: one may be written while the other is filled. Files are written
/// in the order in which they were given. One thread calls the public functions.
class BackgroundWriter {
public:
    /// Throws when a state must not be written. Called in the writing thread.
    using Check = std::function<void(const StateDict& state)>;

    /// One file that was to be written.
    struct Result {
        std::filesystem::path path;
        std::exception_ptr error; ///< null when the file is there
    };

    BackgroundWriter() = default;
    BackgroundWriter(const BackgroundWriter&) = delete;
    BackgroundWriter& operator=(const BackgroundWriter&) = delete;
    /// Waits until everything is written.
    ~BackgroundWriter();

    /// True when both buffers hold states that are not yet written: `write` would wait.
    [[nodiscard]] bool is_busy() const;

    /// Copies `state` and has it written to each of `paths`, unless `check` throws.
    void write(std::vector<std::filesystem::path> paths, const StateDict& state, Check check = {});

    /// What was finished since the last call, in order.
    [[nodiscard]] std::vector<Result> take_results();

    /// Waits until everything is written, well or not.
    void wait();

private:
    struct Job {
        std::size_t buffer;
        StateDict state;
        std::vector<std::filesystem::path> paths;
        Check check;
    };

    [[nodiscard]] std::optional<std::size_t> free_buffer() const;

    [[nodiscard]] std::size_t acquire_buffer();

    void release_buffer(std::size_t buffer);

    void run(const std::stop_token& stop);

    [[nodiscard]] static std::vector<Result> execute(const Job& job);

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::array<HostCopy, 2> buffers_;
    std::array<bool, 2> is_used_{};
    std::deque<Job> jobs_;
    std::vector<Result> results_;
    std::jthread thread_; // Last, so that it ends first.
};

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/background_writer.ipp>
#endif
