#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/logging/console.hpp>
#include <audyn/logging/logger.hpp>
#include <audyn/logging/progress_bar.hpp>
#include <audyn/state/state_dict.hpp>
#include <audyn/trainer/metric_sums.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// `value` as Python prints a float with `%.6g`.
[[nodiscard]] AUDYN_INLINE std::string format_number(double value);

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
    Report(std::shared_ptr<logging::Console> console, bool progress_bar);

    [[nodiscard]] logging::Console& console() { return *console_; }
    [[nodiscard]] logging::ProgressBar& bar() { return bar_; }
    void add_logger(std::shared_ptr<logging::Logger> logger) { loggers_.push_back(std::move(logger)); }
    /// Drops the loggers: a dry run writes nothing.
    void mute_loggers() { loggers_.clear(); }

    /// `[Epoch 1/20, Iter 10/2000] 0.53, cross_entropy: 0.53`; on a terminal the live line says it instead, with the
    /// first of the learning rates.
    void iteration(const Progress& progress, std::vector<Metric> metrics, const std::vector<Metric>& learning_rates);

    /// `[Epoch 1/20] (validation) 0.53, cross_entropy: 0.53`
    void epoch(const Progress& progress, std::string_view loader, const std::vector<Metric>& metrics);

    /// The total first and without its name, as in Audyn: `0.53, cross_entropy: 0.53`.
    [[nodiscard]] static std::string values(const std::vector<Metric>& metrics);

    /// Hands everything to the operating system. \throws Error
    void flush();

    /// How far each logger has written.
    [[nodiscard]] state::List logger_states() const;
    /// Takes back what was logged after a checkpoint. \throws Error
    void load_logger_states(const std::vector<state::Value>& states);
    /// Takes back what an attempt that died before its first checkpoint has logged. \throws Error
    void restart_loggers();

private:
    static std::string fraction(int64_t part, int64_t whole);

    void log_scalars(const std::vector<Metric>& metrics, std::string_view unit, std::string_view loader, int64_t step);

    std::shared_ptr<logging::Console> console_;
    logging::ProgressBar bar_;
    bool bar_shown_;
    std::vector<std::shared_ptr<logging::Logger>> loggers_;
};

} // namespace audyn::trainer

#ifndef AUDYN_COMPILED
#    include <audyn/trainer/report.ipp>
#endif
