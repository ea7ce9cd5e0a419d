#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/logging/progress_bar.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace audyn::logging {

AUDYN_INLINE ProgressBar::ProgressBar(Console& console, bool enabled)
    : console_(console), draws_(enabled && console.is_terminal()), unicode_(terminal_is_utf8()) {}

AUDYN_INLINE void ProgressBar::start_training(int64_t iterations, int64_t done) {
    run_total_ = iterations;
    run_done_ = run_first_ = done;
    run_start_ = Clock::now();
}

AUDYN_INLINE void ProgressBar::start_epoch(int64_t epoch, int64_t epochs, int64_t iterations, int64_t done) {
    label_ = "Epoch " + std::to_string(epoch) + "/" + std::to_string(epochs);
    start_phase(iterations, done, true);
}

AUDYN_INLINE void ProgressBar::start_pass(std::string_view name, int64_t batches) {
    label_ = name;
    start_phase(batches, 0, false);
}

AUDYN_INLINE void ProgressBar::advance(int64_t samples) {
    ++done_;
    samples_ += samples;
    run_done_ += counts_in_run_ ? 1 : 0;
    if (draws_ && ++since_check_ >= check_every_) {
        check();
    }
}

AUDYN_INLINE void ProgressBar::set_values(double loss, double learning_rate) {
    loss_ = loss;
    learning_rate_ = learning_rate;
}

AUDYN_INLINE double ProgressBar::samples_per_second() const {
    const double elapsed = seconds_since(phase_start_);
    return elapsed > 0.0 ? static_cast<double>(samples_) / elapsed : 0.0;
}

AUDYN_INLINE void ProgressBar::finish() {
    if (draws_) {
        console_.clear_live_line();
    }
}

AUDYN_INLINE void ProgressBar::start_phase(int64_t total, int64_t done, bool counts_in_run) {
    total_ = total;
    done_ = done;
    samples_ = 0;
    counts_in_run_ = counts_in_run;
    phase_start_ = last_draw_ = last_check_ = Clock::now();
    since_check_ = 0;
    check_every_ = 1;
    if (draws_) {
        draw();
    }
}

AUDYN_INLINE void ProgressBar::check() {
    const Clock::time_point now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - last_check_).count();
    if (elapsed < redraw_interval / 8) {
        check_every_ *= 2;
    } else if (elapsed > redraw_interval / 2) {
        check_every_ = std::max<int64_t>(1, check_every_ / 2);
    }
    last_check_ = now;
    since_check_ = 0;
    if (std::chrono::duration<double>(now - last_draw_).count() >= redraw_interval) {
        last_draw_ = now;
        draw();
    }
}

AUDYN_INLINE std::string ProgressBar::line(int columns) const {
    std::string tail = " " + std::to_string(done_) + (total_ > 0 ? "/" + std::to_string(total_) : "");
    if (counts_in_run_) {
        tail += std::isnan(loss_) ? "" : "  loss " + number("%.4g", loss_);
        tail += std::isnan(learning_rate_) ? "" : "  lr " + number("%.2e", learning_rate_);
    }
    if (const double rate = samples_per_second(); rate > 0.0) {
        tail += "  " + shortened(rate) + " samples/s";
    }
    tail += eta();
    const int left = columns - static_cast<int>(label_.size() + tail.size()) - 1;
    if (left < 4 || total_ <= 0) {
        return (label_ + tail).substr(0, static_cast<std::size_t>(std::max(columns, 0)));
    }
    return label_ + " " + bar(std::min(left, 24)) + tail;
}

AUDYN_INLINE std::string ProgressBar::bar(int width) const {
    const double fraction = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
    const int filled = static_cast<int>(fraction * width);
    std::string text;
    for (int i = 0; i < width; ++i) {
        text += i < filled ? (unicode_ ? "━" : "=") : (unicode_ ? "─" : "-");
    }
    return text;
}

AUDYN_INLINE std::string ProgressBar::eta() const {
    const int64_t done = counts_in_run_ && run_total_ > 0 ? run_done_ - run_first_ : done_;
    const int64_t left = counts_in_run_ && run_total_ > 0 ? run_total_ - run_done_ : total_ - done_;
    const double elapsed = seconds_since(counts_in_run_ && run_total_ > 0 ? run_start_ : phase_start_);
    if (done <= 0 || left < 0) {
        return {};
    }
    const auto seconds = static_cast<long long>(elapsed / static_cast<double>(done) * static_cast<double>(left));
    char text[48];
    if (seconds >= 3600) {
        std::snprintf(text, sizeof text, "  ETA %lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
    } else {
        std::snprintf(text, sizeof text, "  ETA %02lld:%02lld", seconds / 60, seconds % 60);
    }
    return text;
}

AUDYN_INLINE std::string ProgressBar::number(const char* format, double value) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

AUDYN_INLINE std::string ProgressBar::shortened(double value) {
    if (value >= 1e6) {
        return number("%.2fM", value / 1e6);
    }
    return value >= 1e4 ? number("%.1fk", value / 1e3) : number("%.0f", value);
}

AUDYN_INLINE double ProgressBar::seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

AUDYN_INLINE bool ProgressBar::terminal_is_utf8() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(variable);
        if (value != nullptr && *value != '\0') {
            const std::string_view locale(value);
            return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
        }
    }
    return false;
}

} // namespace audyn::logging
