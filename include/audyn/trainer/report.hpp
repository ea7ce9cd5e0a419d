#pragma once

#include <audyn/logging/console.hpp>
#include <audyn/logging/logger.hpp>
#include <audyn/logging/progress_bar.hpp>
#include <audyn/state/state_dict.hpp>
#include <audyn/trainer/metric_sums.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// `value` as Python prints a float with `%.6g`.
[[nodiscard]] inline std::string format_number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

/// Where a run stands, for its lines and numbers.
struct Progress {
    int64_t epoch;      ///< 1-based
    int64_t epochs;     ///< of the whole run
    int64_t iteration;  ///< finished
    int64_t iterations; ///< of the whole run
};

/// What a run shows and writes down: Audyn's console lines, the live line, and the loggers' numbers under Audyn's tags.
class Report {
public:
    Report(std::shared_ptr<logging::Console> console, bool progress_bar)
        : console_(std::move(console)),
          bar_(*console_, progress_bar),
          bar_shown_(progress_bar && console_->is_terminal()) {}

    [[nodiscard]] logging::Console& console() { return *console_; }
    [[nodiscard]] logging::ProgressBar& bar() { return bar_; }
    void add_logger(std::shared_ptr<logging::Logger> logger) { loggers_.push_back(std::move(logger)); }
    /// Drops the loggers: a dry run writes nothing.
    void mute_loggers() { loggers_.clear(); }

    /// `[Epoch 1/20, Iter 10/2000] 0.53, cross_entropy: 0.53`; on a terminal the live line says it instead.
    void iteration(const Progress& progress, const std::vector<Metric>& metrics, double learning_rate) {
        bar_.set_values(metrics.empty() ? 0.0 : metrics.front().value, learning_rate);
        const double rate = bar_.samples_per_second();
        if (!bar_shown_ && console_->enabled(logging::Level::info)) {
            console_->info("[Epoch " + fraction(progress.epoch, progress.epochs) + ", Iter " +
                           fraction(progress.iteration, progress.iterations) + "] " + values(metrics) +
                           ", learning_rate: " + format_number(learning_rate) +
                           ", samples_per_second: " + format_number(rate));
        }
        std::vector<Metric> all = metrics;
        all.push_back({"learning_rate", learning_rate});
        all.push_back({"samples_per_second", rate});
        log_scalars(all, "iteration", "train", progress.iteration);
    }

    /// `[Epoch 1/20] (validation) 0.53, cross_entropy: 0.53`
    void epoch(const Progress& progress, std::string_view loader, const std::vector<Metric>& metrics) {
        console_->info("[Epoch " + fraction(progress.epoch, progress.epochs) + "] (" + std::string(loader) + ") " +
                       values(metrics));
        log_scalars(metrics, "epoch", loader, progress.epoch);
    }

    /// Hands everything to the operating system. \throws Error
    void flush() {
        for (const auto& logger : loggers_) {
            logger->flush();
        }
    }

    /// How far each logger has written.
    [[nodiscard]] state::List logger_states() const {
        state::List states;
        for (const auto& logger : loggers_) {
            states.emplace_back(logger->state_dict());
        }
        return states;
    }
    /// Takes back what was logged after a checkpoint. \throws Error
    void load_logger_states(const std::vector<state::Value>& states) {
        for (const auto& logger : loggers_) {
            for (const state::Value& state : states) {
                logger->load_state_dict(state.as_dict());
            }
        }
    }
    /// Takes back what an attempt that died before its first checkpoint has logged. \throws Error
    void restart_loggers() {
        for (const auto& logger : loggers_) {
            logger->restart();
        }
    }

private:
    static std::string fraction(int64_t part, int64_t whole) {
        return std::to_string(part) + "/" + std::to_string(whole);
    }

    /// The total first and without its name, as in Audyn.
    static std::string values(const std::vector<Metric>& metrics) {
        std::string text;
        for (const Metric& metric : metrics) {
            text += (text.empty() ? "" : ", ") + (metric.name == "total" ? "" : metric.name + ": ") +
                    format_number(metric.value);
        }
        return text;
    }

    void log_scalars(const std::vector<Metric>& metrics, std::string_view unit, std::string_view loader, int64_t step) {
        if (loggers_.empty()) {
            return;
        }
        std::vector<std::string> tags;
        std::vector<logging::Scalar> scalars;
        tags.reserve(metrics.size());
        for (const Metric& metric : metrics) {
            tags.push_back(metric.name + " (" + std::string(unit) + ")/" + std::string(loader));
            scalars.push_back({tags.back(), metric.value});
        }
        for (const auto& logger : loggers_) {
            logger->log_scalars(scalars, step);
        }
    }

    std::shared_ptr<logging::Console> console_;
    logging::ProgressBar bar_;
    bool bar_shown_;
    std::vector<std::shared_ptr<logging::Logger>> loggers_;
};

} // namespace audyn::trainer
