#pragma once

#include <audyn/checkpoint/background_writer.hpp>
#include <audyn/core/inline.hpp>

#include <string>
#include <utility>

namespace audyn::checkpoint {

AUDYN_INLINE BackgroundWriter::~BackgroundWriter() {
    wait();
    // std::jthread stops and joins.
}

AUDYN_INLINE bool BackgroundWriter::is_busy() const {
    const std::scoped_lock lock(mutex_);
    return !free_buffer();
}

AUDYN_INLINE void BackgroundWriter::write(std::vector<std::filesystem::path> paths, const StateDict& state,
                                          Check check) {
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

AUDYN_INLINE auto BackgroundWriter::take_results() -> std::vector<Result> {
    const std::scoped_lock lock(mutex_);
    return std::exchange(results_, {});
}

AUDYN_INLINE void BackgroundWriter::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !is_used_[0] && !is_used_[1]; });
}

AUDYN_INLINE std::optional<std::size_t> BackgroundWriter::free_buffer() const {
    for (std::size_t i = 0; i < is_used_.size(); ++i) {
        if (!is_used_[i]) {
            return i;
        }
    }
    return std::nullopt;
}

AUDYN_INLINE std::size_t BackgroundWriter::acquire_buffer() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return free_buffer().has_value(); });
    const std::size_t buffer = *free_buffer();
    is_used_[buffer] = true;
    return buffer;
}

AUDYN_INLINE void BackgroundWriter::release_buffer(std::size_t buffer) {
    const std::scoped_lock lock(mutex_);
    is_used_[buffer] = false;
    changed_.notify_all();
}

AUDYN_INLINE void BackgroundWriter::run(const std::stop_token& stop) {
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

AUDYN_INLINE auto BackgroundWriter::execute(const Job& job) -> std::vector<Result> {
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

} // namespace audyn::checkpoint
