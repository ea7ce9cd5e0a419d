#pragma once

#include <audyn/logging/console.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
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
    explicit ProgressBar(Console& console, bool enabled = true);
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    ~ProgressBar() { finish(); }

    /// Begins a run of `iterations` in all, of which `done` were done before (a resumed run).
    void start_training(int64_t iterations, int64_t done = 0);

    /// Begins `epoch` (1-based) of `epochs` with `iterations` iterations, of which `done` are skipped.
    void start_epoch(int64_t epoch, int64_t epochs, int64_t iterations, int64_t done = 0);

    /// Begins a pass that is not training, for example "Validation", over `batches` batches.
    void start_pass(std::string_view name, int64_t batches);

    /// One more iteration (or batch of a pass) with `samples` samples is done.
    void advance(int64_t samples);

    /// The numbers to show from now on; the trainer knows new ones at logging intervals.
    void set_values(double loss, double learning_rate);

    /// Mean rate since the epoch or pass began; on a terminal or not.
    [[nodiscard]] double samples_per_second() const;

    /// Removes the line, for example at the end of a run. `start_...` begins anew.
    void finish();

private:
    static constexpr double redraw_interval = 0.1; // seconds

    void start_phase(int64_t total, int64_t done, bool counts_in_run);

    /// Redraws when it is time, and chooses after how many calls to look at the clock again: about four looks for each
    /// redraw, so fast steps read it rarely and slow ones each time.
    void check();

    void draw() { console_.set_live_line(line(console_.columns() - 1)); }

    /// The whole line in at most `columns` columns: the bar takes what the words leave, the last words go first.
    [[nodiscard]] std::string line(int columns) const;

    [[nodiscard]] std::string bar(int width) const;

    /// Time left of the run while training, of the pass otherwise. Validation between epochs is part of the pace.
    [[nodiscard]] std::string eta() const;

    static std::string number(const char* format, double value);

    /// 950 -> "950", 12345 -> "12.3k", 2e6 -> "2.00M".
    static std::string shortened(double value);

    static double seconds_since(Clock::time_point start);

    /// By POSIX's order of the variables that choose a character set.
    static bool terminal_is_utf8();

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

#ifndef AUDYN_COMPILED
#    include <audyn/logging/progress_bar.ipp>
#endif
