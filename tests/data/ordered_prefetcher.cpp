#include <audyn/data/detail/ordered_prefetcher.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Prefetcher = audyn::data::detail::OrderedPrefetcher<std::unique_ptr<int64_t>>;

const auto nothing = [] {};

std::unique_ptr<int64_t> square(int64_t number, const std::atomic<bool>&) {
    return std::make_unique<int64_t>(number * number);
}

std::vector<int64_t> rest(Prefetcher& prefetcher) {
    std::vector<int64_t> values;
    while (auto item = prefetcher.next()) {
        values.push_back(**item);
    }
    return values;
}

} // namespace

TEST_CASE("ordered_prefetcher: items come in order, in several runs, for any number of threads") {
    std::vector<int64_t> squares;
    for (int64_t i = 0; i < 500; ++i) {
        squares.push_back(i * i);
    }
    for (const int threads : {1, 2, 7}) {
        Prefetcher prefetcher(threads, 5, nothing);
        CHECK_FALSE(prefetcher.next());
        for (int run = 0; run < 3; ++run) {
            prefetcher.start(500, square);
            CHECK(rest(prefetcher) == squares);
            CHECK_FALSE(prefetcher.next());
        }
        prefetcher.start(0, square);
        CHECK_FALSE(prefetcher.next());
    }
}

TEST_CASE("ordered_prefetcher: each thread is prepared before the constructor returns") {
    std::atomic<int> prepared = 0;
    const Prefetcher prefetcher(3, 3, [&] { ++prepared; });
    CHECK(prepared == 3);
}

TEST_CASE("ordered_prefetcher: it does not run further ahead than its capacity") {
    std::atomic<int64_t> started = 0;
    std::latch filled(4);
    Prefetcher prefetcher(2, 4, nothing);
    prefetcher.start(100, [&](int64_t number, const std::atomic<bool>&) {
        ++started;
        if (number < 4) {
            filled.count_down();
        }
        return std::make_unique<int64_t>(number);
    });
    filled.wait();
    // Nobody took an item, so none after the fourth may have begun.
    CHECK(started == 4);
    for (int64_t taken = 1; taken <= 50; ++taken) {
        CHECK(**prefetcher.next() == taken - 1);
        CHECK(started <= taken + 4);
    }
}

TEST_CASE("ordered_prefetcher: an exception arrives at its item's turn and the run goes on") {
    Prefetcher prefetcher(3, 6, nothing);
    prefetcher.start(20, [](int64_t number, const std::atomic<bool>&) {
        if (number % 5 == 3) {
            throw std::runtime_error("item " + std::to_string(number));
        }
        return std::make_unique<int64_t>(number);
    });
    for (int64_t number = 0; number < 20; ++number) {
        if (number % 5 == 3) {
            CHECK_THROWS_WITH((void)prefetcher.next(), ("item " + std::to_string(number)).c_str());
        } else {
            CHECK(**prefetcher.next() == number);
        }
    }
    CHECK_FALSE(prefetcher.next());
}

TEST_CASE("ordered_prefetcher: a new run cancels the one before and never gives its items") {
    Prefetcher prefetcher(4, 8, nothing);
    for (int64_t run = 0; run < 200; ++run) {
        prefetcher.start(100, [run](int64_t number, const std::atomic<bool>&) {
            return std::make_unique<int64_t>(1000 * run + number);
        });
        for (int64_t number = 0; number < run % 7; ++number) {
            CHECK(**prefetcher.next() == 1000 * run + number);
        }
    }
}

TEST_CASE("ordered_prefetcher: an item that is finished after its run was replaced is dropped") {
    Prefetcher prefetcher(1, 2, nothing);
    std::latch begun(1);
    prefetcher.start(1, [&](int64_t, const std::atomic<bool>& cancelled) {
        begun.count_down();
        while (!cancelled) {
            std::this_thread::yield();
        }
        return std::make_unique<int64_t>(-1);
    });
    begun.wait();
    prefetcher.start(3, square);
    CHECK(rest(prefetcher) == std::vector<int64_t>{0, 1, 4});
}

TEST_CASE("ordered_prefetcher: a run that is being made is cancelled by a new one and by destruction") {
    const auto token = std::make_shared<int>(0);
    {
        std::latch waiting(2);
        Prefetcher prefetcher(2, 4, nothing);
        // Each item takes until it is cancelled, so that this case ends only if cancellation arrives.
        prefetcher.start(10, [token, &waiting](int64_t number, const std::atomic<bool>& cancelled) {
            if (number < 2) {
                waiting.count_down();
            }
            while (!cancelled) {
                std::this_thread::yield();
            }
            return std::unique_ptr<int64_t>();
        });
        waiting.wait();
        std::latch again(2);
        prefetcher.start(10, [token, &again](int64_t number, const std::atomic<bool>& cancelled) {
            if (number < 2) {
                again.count_down();
            }
            while (!cancelled) {
                std::this_thread::yield();
            }
            return std::unique_ptr<int64_t>();
        });
        again.wait();
    }
    CHECK(token.use_count() == 1);
}
