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
#include <utility>
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
    ~BackgroundWriter() {
        wait();
        // std::jthread stops and joins.
    }

    /// True when both buffers hold states that are not yet written: `write` would wait.
    [[nodiscard]] bool is_busy() const {
        const std::scoped_lock lock(mutex_);
        return !free_buffer();
    }

    /// Copies `state` and has it written to each of `paths`, unless `check` throws.
    void write(std::vector<std::filesystem::path> paths, const StateDict& state, Check check = {}) {
        const std::size_t buffer = acquire_buffer();
        Job job{buffer, {}, std::move(paths), std::move(check)};
        try {
            job.state = buffers_[buffer].copy(state);
        } catch (...) {
            release_buffer(buffer);
            throw;
        }
        const std::scoped_lock lock(mutex_);
        jobs_.push_back(std::move(job));
        if (!thread_.joinable()) {
            thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
        }
        changed_.notify_all();
    }

    /// What was finished since the last call, in order.
    [[nodiscard]] std::vector<Result> take_results() {
        const std::scoped_lock lock(mutex_);
        return std::exchange(results_, {});
    }

    /// Waits until everything is written, well or not.
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !is_used_[0] && !is_used_[1]; });
    }

private:
    struct Job {
        std::size_t buffer;
        StateDict state;
        std::vector<std::filesystem::path> paths;
        Check check;
    };

    [[nodiscard]] std::optional<std::size_t> free_buffer() const {
        for (std::size_t i = 0; i < is_used_.size(); ++i) {
            if (!is_used_[i]) {
                return i;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] std::size_t acquire_buffer() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return free_buffer().has_value(); });
        const std::size_t buffer = *free_buffer();
        is_used_[buffer] = true;
        return buffer;
    }

    void release_buffer(std::size_t buffer) {
        const std::scoped_lock lock(mutex_);
        is_used_[buffer] = false;
        changed_.notify_all();
    }

    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return !jobs_.empty(); })) {
            Job job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            std::vector<Result> results = execute(job);
            job.state = {}; // before the buffer is filled again
            lock.lock();
            results_.insert(results_.end(), results.begin(), results.end());
            is_used_[job.buffer] = false;
            changed_.notify_all();
        }
    }

    [[nodiscard]] static std::vector<Result> execute(const Job& job) {
        std::vector<Result> results;
        std::exception_ptr refused;
        try {
            if (job.check) {
                job.check(job.state);
            }
        } catch (...) {
            refused = std::current_exception();
        }
        for (const std::filesystem::path& path : job.paths) {
            std::exception_ptr error = refused;
            if (!refused) {
                try {
                    save(path, job.state);
                } catch (...) {
                    error = std::current_exception();
                }
            }
            results.push_back({path, error});
        }
        return results;
    }

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::array<HostCopy, 2> buffers_;
    std::array<bool, 2> is_used_{};
    std::deque<Job> jobs_;
    std::vector<Result> results_;
    std::jthread thread_; // Last, so that it ends first.
};

} // namespace audyn::checkpoint
