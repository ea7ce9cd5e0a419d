#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace audyn::distributed {

/// How a job is started and how its processes find each other. The names are those of `system.distributed` and, where
/// torchrun has them, torchrun's.
struct LaunchOptions {
    /// Whether training is distributed. Nothing: when something started this process as one of several, or when `nodes`
    /// or `nproc_per_node` ask for more than one.
    std::optional<bool> enable;
    /// Number of machines.
    std::optional<int64_t> nodes;
    /// Number of processes on each machine. Nothing: one for each GPU where training uses them, else one for every two
    /// cores.
    std::optional<int64_t> nproc_per_node;
    /// Number of this machine, from 0; for `rdzv_backend` static. Nothing: SLURM_NODEID or PET_NODE_RANK tell.
    std::optional<int64_t> node_rank;

    /// "gloo" or "nccl". Nothing: by the device.
    std::optional<std::string> backend;
    /// "env://", "tcp://HOST:PORT" or "file://PATH". Nothing: env.
    std::optional<std::string> init_method;

    /// torchrun's name of the job, which all machines share.
    std::optional<std::string> rdzv_id;
    /// How torchrun's agents find each other: "c10d" or "static". Nothing: c10d.
    std::optional<std::string> rdzv_backend;
    /// HOST:PORT where they do.
    std::optional<std::string> rdzv_endpoint;

    /// How often the job is started again after a failure.
    int64_t max_restarts = 0;
    /// How long a collective may take.
    std::chrono::milliseconds timeout = std::chrono::seconds(300);
    /// After a failure the other workers of a machine are asked to end, and killed when they did not for so long. Long
    /// enough to leave a collective and to flush files, short enough for the job to be over 5 s after the failure.
    std::chrono::milliseconds grace_period = std::chrono::seconds(3);

    [[nodiscard]] int64_t node_count() const { return nodes.value_or(1); }
    /// Whether these options ask for several processes, wherever they come from.
    [[nodiscard]] bool is_enabled() const {
        return enable.value_or(node_count() > 1 || nproc_per_node.value_or(1) > 1);
    }
};

/// One of the options does not fit.
class OptionError : public UsageError {
public:
    /// \param option its name. \param reason continues a sentence that the name begins.
    OptionError(std::string option, const std::string& reason)
        : UsageError(config::concat({"the option '", option, "' ", reason})),
          option_(std::move(option)),
          reason_(reason) {}

    [[nodiscard]] const std::string& option() const { return option_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    std::string option_;
    std::string reason_;
};

} // namespace audyn::distributed
