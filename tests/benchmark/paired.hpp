#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace benchmark {

/// Seconds that `function` takes.
template <class Function>
double seconds(const Function& function) {
    const auto start = std::chrono::steady_clock::now();
    function();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2.0;
}

/// A median with its 95 % interval, by bootstrap with a fixed seed.
struct Estimate {
    double median;
    double low;
    double high;
};

inline Estimate estimate(const std::vector<double>& values) {
    std::mt19937_64 random(0);
    std::uniform_int_distribution<std::size_t> pick(0, values.size() - 1);
    std::vector<double> medians;
    for (int i = 0; i < 2000; ++i) {
        std::vector<double> sample;
        for (std::size_t k = 0; k < values.size(); ++k) {
            sample.push_back(values[pick(random)]);
        }
        medians.push_back(median(std::move(sample)));
    }
    std::sort(medians.begin(), medians.end());
    return {median(values), medians[50], medians[1949]};
}

/// Times of two sides in alternating blocks of one process: each block runs both, in turns first.
struct Paired {
    std::vector<double> first;
    std::vector<double> second;

    /// second / first of each block.
    [[nodiscard]] Estimate ratio() const {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < first.size(); ++i) {
            ratios.push_back(second[i] / first[i]);
        }
        return estimate(ratios);
    }
    /// second - first of each block.
    [[nodiscard]] Estimate difference() const {
        std::vector<double> differences;
        for (std::size_t i = 0; i < first.size(); ++i) {
            differences.push_back(second[i] - first[i]);
        }
        return estimate(differences);
    }
};

template <class First, class Second>
Paired measure(int blocks, const First& first, const Second& second) {
    first();
    second();
    Paired paired;
    for (int block = 0; block < blocks; ++block) {
        double times[2];
        for (int turn = 0; turn < 2; ++turn) {
            const bool is_first = (turn == 0) == (block % 2 == 0);
            times[is_first ? 0 : 1] = is_first ? seconds(first) : seconds(second);
        }
        paired.first.push_back(times[0]);
        paired.second.push_back(times[1]);
    }
    return paired;
}

} // namespace benchmark
