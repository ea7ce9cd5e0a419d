#pragma once

#include <audyn/logging/console.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace audyn::logging {

/// The live line of a training on a terminal:
///
///     Epoch 3/20 ━━━━━━━━──────── 60/100  loss 0.5321  lr 3.0e-04  12.3k samples/s  ETA 01:23
///
/// On anything but a terminal it draws nothing; the console's plain lines tell the story there. `advance` is called
/// once an iteration and costs a few additions: the clock is read only every so many calls, and the line is redrawn at
/// most ten times a second. One thread uses it.
class ProgressBar {
public:
    using Clock = std::chrono::steady_clock;

    /// \param console must live longer. \param enabled false draws nothing anywhere.
    explicit ProgressBar(Console& console, bool enabled = true)
        : console_(console), draws_(enabled && console.is_terminal()), unicode_(terminal_is_utf8()) {}
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    ~ProgressBar() { finish(); }

    /// Begins a run of `iterations` in all, of which `done` were done before (a resumed run).
    void start_training(int64_t iterations, int64_t done = 0) {
        run_total_ = iterations;
        run_done_ = run_first_ = done;
        run_start_ = Clock::now();
    }

    /// Begins `epoch` (1-based) of `epochs` with `iterations` iterations, of which `done` are skipped.
    void start_epoch(int64_t epoch, int64_t epochs, int64_t iterations, int64_t done = 0) {
        label_ = "Epoch " + std::to_string(epoch) + "/" + std::to_string(epochs);
        start_phase(iterations, done, true);
    }

    /// Begins a pass that is not training, for example "Validation", over `batches` batches.
    void start_pass(std::string_view name, int64_t batches) {
        label_ = name;
        start_phase(batches, 0, false);
    }

    /// One more iteration (or batch of a pass) with `samples` samples is done.
    void advance(int64_t samples) {
        ++done_;
        samples_ += samples;
        run_done_ += counts_in_run_ ? 1 : 0;
        if (draws_ && ++since_check_ >= check_every_) {
            check();
        }
    }

    /// The numbers to show from now on; the trainer knows new ones at logging intervals.
    void set_values(double loss, double learning_rate) {
        loss_ = loss;
        learning_rate_ = learning_rate;
    }

    /// Mean rate since the epoch or pass began; on a terminal or not.
    [[nodiscard]] double samples_per_second() const {
        const double elapsed = seconds_since(phase_start_);
        return elapsed > 0.0 ? static_cast<double>(samples_) / elapsed : 0.0;
    }

    /// Removes the line, for example at the end of a run. `start_...` begins anew.
    void finish() {
        if (draws_) {
            console_.clear_live_line();
        }
    }

private:
    static constexpr double redraw_interval = 0.1; // seconds

    void start_phase(int64_t total, int64_t done, bool counts_in_run) {
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

    /// Redraws when it is time, and chooses after how many calls to look at the clock again: about four looks for each
    /// redraw, so fast steps read it rarely and slow ones each time.
    void check() {
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

    void draw() { console_.set_live_line(line(console_.columns() - 1)); }

    /// The whole line in at most `columns` columns: the bar takes what the words leave, the last words go first.
    [[nodiscard]] std::string line(int columns) const {
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

    [[nodiscard]] std::string bar(int width) const {
        const double fraction = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
        const int filled = static_cast<int>(fraction * width);
        std::string text;
        for (int i = 0; i < width; ++i) {
            text += i < filled ? (unicode_ ? "━" : "=") : (unicode_ ? "─" : "-");
        }
        return text;
    }

    /// Time left of the run while training, of the pass otherwise. Validation between epochs is part of the pace.
    [[nodiscard]] std::string eta() const {
        const int64_t done = counts_in_run_ && run_total_ > 0 ? run_done_ - run_first_ : done_;
        const int64_t left = counts_in_run_ && run_total_ > 0 ? run_total_ - run_done_ : total_ - done_;
        const double elapsed = seconds_since(counts_in_run_ && run_total_ > 0 ? run_start_ : phase_start_);
        if (done <= 0 || left < 0) {
            return {};
        }
        const auto seconds = static_cast<long long>(elapsed / static_cast<double>(done) * static_cast<double>(left));
        char text[48];
        if (seconds >= 3600) {
            std::snprintf(text, sizeof text, "  ETA %lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60,
                          seconds % 60);
        } else {
            std::snprintf(text, sizeof text, "  ETA %02lld:%02lld", seconds / 60, seconds % 60);
        }
        return text;
    }

    static std::string number(const char* format, double value) {
        char text[32];
        std::snprintf(text, sizeof text, format, value);
        return text;
    }

    /// 950 -> "950", 12345 -> "12.3k", 2e6 -> "2.00M".
    static std::string shortened(double value) {
        if (value >= 1e6) {
            return number("%.2fM", value / 1e6);
        }
        return value >= 1e4 ? number("%.1fk", value / 1e3) : number("%.0f", value);
    }

    static double seconds_since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }

    /// By POSIX's order of the variables that choose a character set.
    static bool terminal_is_utf8() {
        for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
            const char* value = std::getenv(variable);
            if (value != nullptr && *value != '\0') {
                const std::string_view locale(value);
                return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
            }
        }
        return false;
    }

    Console& console_;
    bool draws_;
    bool unicode_;
    std::string label_;
    double loss_ = std::nan("");
    double learning_rate_ = std::nan("");

    int64_t total_ = 0;
    int64_t done_ = 0;
    int64_t samples_ = 0;
    bool counts_in_run_ = false;
    int64_t run_total_ = 0;
    int64_t run_done_ = 0;
    int64_t run_first_ = 0;
    int64_t since_check_ = 0;
    int64_t check_every_ = 1;
    Clock::time_point run_start_ = Clock::now();
    Clock::time_point phase_start_ = run_start_;
    Clock::time_point last_draw_ = run_start_;
    Clock::time_point last_check_ = run_start_;
};

} // namespace audyn::logging
