#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/trainer/report.hpp>

#include <cstdio>

namespace audyn::trainer {

AUDYN_INLINE std::string format_number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

AUDYN_INLINE Report::Report(std::shared_ptr<logging::Console> console, bool progress_bar)
    : console_(std::move(console)),
      bar_(*console_, progress_bar),
      bar_shown_(progress_bar && console_->is_terminal()) {}

AUDYN_INLINE void Report::iteration(const Progress& progress, std::vector<Metric> metrics,
                                    const std::vector<Metric>& learning_rates) {
    bar_.set_values(metrics.empty() ? 0.0 : metrics.front().value, learning_rates.front().value);
    metrics.insert(metrics.end(), learning_rates.begin(), learning_rates.end());
    metrics.push_back({"samples_per_second", bar_.samples_per_second()});
    if (!bar_shown_ && console_->enabled(logging::Level::info)) {
        console_->info("[Epoch " + fraction(progress.epoch, progress.epochs) + ", Iter " +
                       fraction(progress.iteration, progress.iterations) + "] " + values(metrics));
    }
    log_scalars(metrics, "iteration", "train", progress.iteration);
}

AUDYN_INLINE void Report::epoch(const Progress& progress, std::string_view loader, const std::vector<Metric>& metrics) {
    console_->info("[Epoch " + fraction(progress.epoch, progress.epochs) + "] (" + std::string(loader) + ") " +
                   values(metrics));
    log_scalars(metrics, "epoch", loader, progress.epoch);
}

AUDYN_INLINE void Report::flush() {
    for (const auto& logger : loggers_) {
        logger->flush();
    }
}

AUDYN_INLINE state::List Report::logger_states() const {
    state::List states;
    for (const auto& logger : loggers_) {
        states.emplace_back(logger->state_dict());
    }
    return states;
}

AUDYN_INLINE void Report::load_logger_states(const std::vector<state::Value>& states) {
    for (const auto& logger : loggers_) {
        for (const state::Value& state : states) {
            logger->load_state_dict(state.as_dict());
        }
    }
}

AUDYN_INLINE void Report::restart_loggers() {
    for (const auto& logger : loggers_) {
        logger->restart();
    }
}

AUDYN_INLINE std::string Report::fraction(int64_t part, int64_t whole) {
    return std::to_string(part) + "/" + std::to_string(whole);
}

AUDYN_INLINE std::string Report::values(const std::vector<Metric>& metrics) {
    std::string text;
    for (const Metric& metric : metrics) {
        text += (text.empty() ? "" : ", ") + (metric.name == "total" ? "" : metric.name + ": ") +
                format_number(metric.value);
    }
    return text;
}

AUDYN_INLINE void Report::log_scalars(const std::vector<Metric>& metrics, std::string_view unit,
                                      std::string_view loader, int64_t step) {
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

} // namespace audyn::trainer
