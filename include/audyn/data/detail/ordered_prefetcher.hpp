#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::data::detail {

/// Threads that make items 0, 1, 2, ... of a run ahead of their use; `next` gives them in that order. At most
/// `capacity` items are being made or waiting at any time. One thread calls the public functions.
template <class Item>
class OrderedPrefetcher {
public:
    /// Makes item `number`. It may return anything, soon, once `cancelled` is true.
    using Make = std::function<Item(int64_t number, const std::atomic<bool>& cancelled)>;

    /// Starts `threads` threads, each of which runs `prepare_thread` first; returns when all have.
    OrderedPrefetcher(int threads, std::size_t capacity, const std::function<void()>& prepare_thread)
        : slots_(capacity) {
        // Shared, because the start of a later thread may fail while an earlier one runs.
        const auto prepared = std::make_shared<std::latch>(threads);
        threads_.reserve(static_cast<std::size_t>(threads));
        for (int i = 0; i < threads; ++i) {
            threads_.emplace_back([this, prepare_thread, prepared](const std::stop_token& stop) {
                prepare_thread();
                prepared->count_down();
                work(stop);
            });
        }
        prepared->wait();
    }

    OrderedPrefetcher(const OrderedPrefetcher&) = delete;
    OrderedPrefetcher& operator=(const OrderedPrefetcher&) = delete;

    /// Waits for the items that are being made, at most one for each thread, and drops them.
    ~OrderedPrefetcher() {
        {
            const std::lock_guard lock(mutex_);
            if (run_) {
                run_->cancelled = true;
            }
        }
        for (std::jthread& thread : threads_) {
            thread.request_stop();
        }
    }

    /// Begins a run of `count` items. What is left of the run before is dropped, without waiting for it.
    void start(int64_t count, Make make) {
        auto run = std::make_shared<Run>(count, std::move(make));
        {
            const std::lock_guard lock(mutex_);
            if (run_) {
                run_->cancelled = true;
            }
            run_.swap(run); // The old run's captures go after the lock.
            claimed_ = 0;
            taken_ = 0;
            dropped_.resize(slots_.size());
            dropped_.swap(slots_);
        }
        work_.notify_all();
        dropped_.clear();
    }

    /// Waits for the next item of the run and gives it, or throws what its making threw; nothing when all are given.
    [[nodiscard]] std::optional<Item> next() {
        std::optional<Result> result;
        {
            std::unique_lock lock(mutex_);
            if (!run_ || taken_ == run_->count) {
                return std::nullopt;
            }
            std::optional<Result>& slot = slot_of(taken_);
            ready_.wait(lock, [&] { return slot.has_value(); });
            result.swap(slot);
            ++taken_;
        }
        work_.notify_one();
        if (auto* failure = std::get_if<std::exception_ptr>(&*result)) {
            std::rethrow_exception(std::move(*failure));
        }
        return std::get<Item>(std::move(*result));
    }

private:
    using Result = std::variant<Item, std::exception_ptr>;

    struct Run {
        Run(int64_t items, Make function) : count(items), make(std::move(function)) {}
        const int64_t count;
        const Make make;
        std::atomic<bool> cancelled = false;
    };

    std::optional<Result>& slot_of(int64_t number) { return slots_[static_cast<std::size_t>(number) % slots_.size()]; }

    [[nodiscard]] bool has_work() const {
        return run_ && claimed_ < run_->count && claimed_ < taken_ + static_cast<int64_t>(slots_.size());
    }

    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (work_.wait(lock, stop, [this] { return has_work(); }) && !stop.stop_requested()) {
            std::shared_ptr<Run> run = run_;
            const int64_t number = claimed_++;
            lock.unlock();
            std::optional<Result> result = make(*run, number);
            lock.lock();
            if (run == run_) {
                slot_of(number).swap(result);
                ready_.notify_one();
            }
            // What is dropped, and perhaps the last reference to its run, is destroyed outside the lock.
            lock.unlock();
            result.reset();
            run.reset();
            lock.lock();
        }
    }

    static Result make(const Run& run, int64_t number) {
        try {
            return Result(std::in_place_index<0>, run.make(number, run.cancelled));
        } catch (...) {
            return Result(std::in_place_index<1>, std::current_exception());
        }
    }

    std::mutex mutex_;
    std::condition_variable_any work_;
    std::condition_variable ready_;
    std::shared_ptr<Run> run_;
    int64_t claimed_ = 0;
    int64_t taken_ = 0;
    std::vector<std::optional<Result>> slots_;
    std::vector<std::optional<Result>> dropped_;
    std::vector<std::jthread> threads_;
};

} // namespace audyn::data::detail
