#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/process.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/sweep.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::config {

namespace detail {

/// One run of a sweep.
struct SweepJob {
    std::vector<std::string> overrides;
    std::filesystem::path folder;
    std::optional<ProcessEnd> end; ///< nothing while it did not run
    double seconds = 0.0;
};

[[nodiscard]] AUDYN_INLINE std::string status_text(const SweepJob& job);

/// Runs the jobs of a sweep; made for one sweep.
class Multirun {
public:
    Multirun(const CommandLine& command_line, const Program& program);

    /// The exit code: 0 when every job succeeded.
    [[nodiscard]] int run();

private:
    [[nodiscard]] std::string config_name() const;

    Config compose_master();

    void add_warnings(const Config& config);

    /// As they were given, with their interpolations.
    static std::vector<std::string> overrides_of(const Config& config, const std::string& kind);

    /// Overrides from `hydra.sweeper.params`, which those of the command line follow.
    static std::vector<std::string> parameters(const Config& master);

    /// Expands the sweep and composes each job, so that a mistake in the last one is told before the first one runs.
    void prepare_jobs(const Config& master);

    void compose_job(std::size_t number);

    void warn_if_shared(const std::string& what, const std::string& output, std::size_t number);

    void run_jobs(bool stop_on_failure);

    [[nodiscard]] std::vector<std::string> arguments(std::size_t number) const;

    [[nodiscard]] std::string results() const;

    const CommandLine& command_line_;
    const Program& program_;
    std::time_t start_;
    CompositionDetails details_;
    std::vector<std::string> hydra_overrides_;
    std::vector<SweepJob> jobs_;
    std::vector<std::string> warnings_;
    std::map<std::pair<std::string, std::string>, std::size_t> outputs_; ///< who writes where
    std::map<std::string, bool> warned_;
    int interrupted_ = 0;
};

} // namespace detail

/// Runs the program once for each combination of the values that the command line names, one after another, each in a
/// process and a folder of its own, and prints what became of them. All jobs are composed before the first one runs.
/// Gives the exit code: 0, 1 when a job failed, 128 and a signal's number when the sweep was interrupted. Throws
/// `ConfigError`. Call it while there is one thread only.
[[nodiscard]] inline int run_sweep(const CommandLine& command_line, const Program& program) {
    return detail::Multirun(command_line, program).run();
}

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/multirun.ipp>
#endif
