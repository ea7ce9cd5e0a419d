#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/launch_options.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace audyn::distributed {

/// What the built-in launcher starts.
struct LaunchJob {
    std::string program = "/proc/self/exe";
    /// The first is the program's name.
    std::vector<std::string> arguments;
    /// Number of workers.
    int64_t nproc = 1;
    /// Only `rdzv_id`, `max_restarts` and `grace_period` matter.
    LaunchOptions options;
};

/// The built-in launcher: runs this program as the workers of a job on this machine, with torchrun's variables, and
/// gives the exit code.
///
/// - Rank 0 gets in AUDYN_STORE_LISTEN_FD a socket that listens already at MASTER_ADDR and MASTER_PORT, a new one each
///   time the job starts.
/// - Output is passed on in whole lines; those of rank 1 and above begin with `[rank N] `. Where a stream is a
/// terminal,
///   rank 0 keeps it. Standard input is empty.
/// - SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on to all workers. A second one that asks for the
///   end lets them only `grace_period`.
/// - A worker that fails ends the others: SIGTERM, then SIGKILL after `grace_period`. The message names the first to
/// fail
///   with its error; the exit code is that worker's, 128 + signal when a signal killed it. Then the job starts again,
///   at most `max_restarts` times, unless it was asked to end or a mistake in configuration or program was reported.
/// - Workers are killed when this process dies, whatever the cause.
///
/// Call it while there is one thread only. \throws std::system_error when workers cannot be started.
[[nodiscard]] AUDYN_INLINE int run_workers(const LaunchJob& job);

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/launcher.ipp>
#endif
