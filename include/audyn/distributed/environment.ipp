#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/node_list.hpp>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace audyn::distributed {

AUDYN_INLINE std::string to_string(StartedBy engine) {
    switch (engine) {
    case StartedBy::launcher:
        return "the built-in launcher";
    case StartedBy::torchrun:
        return "torchrun";
    case StartedBy::variables:
        return "the environment variables RANK and WORLD_SIZE";
    case StartedBy::slurm:
        return "srun";
    case StartedBy::openmpi:
        return "OpenMPI's mpirun";
    case StartedBy::pmi:
        return "mpiexec";
    case StartedBy::nothing:
        break;
    }
    return "nothing";
}

namespace detail {

/// A port that depends on `identity` alone, outside the range from which Linux hands out ports.
[[nodiscard]] inline int derived_port(std::string_view identity) {
    uint64_t hash = 14695981039346656037U; // FNV-1a
    for (const char character : identity) {
        hash = (hash ^ static_cast<unsigned char>(character)) * 1099511628211U;
    }
    return 20000 + static_cast<int>((hash ^ (hash >> 32U)) % 10000U);
}

/// The process above this one with that name, or else its parent.
[[nodiscard]] inline pid_t ancestor_named(std::string_view wanted) {
    pid_t process = ::getppid();
    while (process > 1) {
        std::ifstream stream("/proc/" + std::to_string(process) + "/stat");
        std::string line;
        std::getline(stream, line);
        const std::size_t begin = line.find('(');
        const std::size_t end = line.rfind(')'); // the name may hold both
        if (begin == std::string::npos || end == std::string::npos || end + 4 > line.size()) {
            break;
        }
        if (std::string_view(line).substr(begin + 1, end - begin - 1) == wanted) {
            return process;
        }
        process = static_cast<pid_t>(std::strtol(line.c_str() + end + 4, nullptr, 10));
    }
    return ::getppid();
}

/// Reads the variables of one engine after another.
class EnvironmentReader {
public:
    explicit EnvironmentReader(const VariableLookup& variable) : variable_(variable) {}

    [[nodiscard]] Environment read() {
        if (is_set("RANK")) {
            read_rank();
        } else if (is_set("OMPI_COMM_WORLD_RANK")) {
            read_openmpi();
        } else if (is_set("PMI_RANK") && is_set("MPI_LOCALRANKID")) {
            read_pmi();
        } else if (is_set("SLURM_PROCID") && is_srun_step()) {
            read_slurm();
        } else if (is_set("AUDYN_STORE_LISTEN_FD")) {
            throw contradiction("AUDYN_STORE_LISTEN_FD", "is set, but RANK is not");
        }
        return std::move(result_);
    }

private:
    static constexpr int64_t most = std::numeric_limits<int32_t>::max();

    [[nodiscard]] bool is_set(const std::string& name) const { return variable_(name).has_value(); }

    [[nodiscard]] static DistributedError contradiction(const std::string& name, std::string_view reason) {
        return DistributedError(config::concat({"the environment variable ", name, " ", reason}));
    }

    [[nodiscard]] std::optional<int64_t> find(const std::string& name, int64_t least, int64_t greatest = most) const {
        const auto text = variable_(name);
        if (!text) {
            return std::nullopt;
        }
        int64_t number = 0;
        const auto end = std::from_chars(text->data(), text->data() + text->size(), number);
        if (end.ec != std::errc() || end.ptr != text->data() + text->size() || number < least || number > greatest) {
            throw contradiction(name, config::concat({"is '", *text, "', not a number from ", std::to_string(least),
                                                      " to ", std::to_string(greatest)}));
        }
        return number;
    }

    /// `because` is the variable that lets one expect this one.
    [[nodiscard]] int64_t need(const std::string& name, const std::string& because, int64_t least) const {
        const auto number = find(name, least);
        if (!number) {
            throw contradiction(name, config::concat({"is not set, but ", because, " is"}));
        }
        return *number;
    }

    /// A number from 0 and the count that it must lie below.
    void read_pair(int64_t& number, const std::string& number_name, int64_t& count,
                   const std::string& count_name) const {
        number = need(number_name, count_name, 0);
        count = need(count_name, number_name, 1);
        check_below(number, number_name, count, count_name);
    }

    static void check_below(int64_t number, const std::string& number_name, int64_t count,
                            const std::string& count_name) {
        if (number >= count) {
            throw contradiction(number_name, config::concat({"is ", std::to_string(number), ", but ", count_name,
                                                             " is ", std::to_string(count)}));
        }
    }

    void check_local(const std::string& local_name, const std::string& world_name) const {
        if (result_.local_world_size > result_.world_size) {
            throw contradiction(local_name, config::concat({"is ", std::to_string(result_.local_world_size), ", but ",
                                                            world_name, " is ", std::to_string(result_.world_size)}));
        }
    }

    void read_rank() {
        if (!is_set("WORLD_SIZE")) {
            throw contradiction("RANK", "is set, but WORLD_SIZE is not");
        }
        read_pair(result_.rank, "RANK", result_.world_size, "WORLD_SIZE");
        const bool is_elastic = is_set("TORCHELASTIC_RUN_ID");
        result_.started_by = is_set("AUDYN_LAUNCHER") ? StartedBy::launcher
                             : is_elastic             ? StartedBy::torchrun
                                                      : StartedBy::variables;
        if (is_elastic || is_set("LOCAL_RANK") || is_set("LOCAL_WORLD_SIZE")) {
            read_pair(result_.local_rank, "LOCAL_RANK", result_.local_world_size, "LOCAL_WORLD_SIZE");
            check_local("LOCAL_WORLD_SIZE", "WORLD_SIZE");
        }
        if (is_set("GROUP_RANK")) {
            result_.node_rank = need("GROUP_RANK", "RANK", 0);
            result_.nodes = find("GROUP_WORLD_SIZE", 1).value_or(result_.node_rank + 1);
            check_below(result_.node_rank, "GROUP_RANK", result_.nodes, "GROUP_WORLD_SIZE");
        } else {
            number_nodes();
        }
        result_.restart_count = find("TORCHELASTIC_RESTART_COUNT", 0).value_or(0);
        result_.max_restarts = find("TORCHELASTIC_MAX_RESTARTS", 0).value_or(0);
        result_.run_id = variable_("TORCHELASTIC_RUN_ID").value_or("");
        result_.uses_agent_store = variable_("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True";
        result_.store_listen_fd = static_cast<int>(find("AUDYN_STORE_LISTEN_FD", 0).value_or(-1));
        read_master();
    }

    void read_master() {
        result_.master_addr = variable_("MASTER_ADDR").value_or("");
        result_.master_port = static_cast<int>(find("MASTER_PORT", 1, 65535).value_or(0));
    }

    /// As if ranks were numbered machine by machine, each with as many.
    void number_nodes() {
        result_.nodes = (result_.world_size + result_.local_world_size - 1) / result_.local_world_size;
        result_.node_rank = result_.rank / result_.local_world_size;
    }

    void read_openmpi() {
        result_.started_by = StartedBy::openmpi;
        read_pair(result_.rank, "OMPI_COMM_WORLD_RANK", result_.world_size, "OMPI_COMM_WORLD_SIZE");
        read_pair(result_.local_rank, "OMPI_COMM_WORLD_LOCAL_RANK", result_.local_world_size,
                  "OMPI_COMM_WORLD_LOCAL_SIZE");
        check_local("OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_SIZE");
        number_nodes();
        result_.run_id = variable_("PMIX_NAMESPACE").value_or(variable_("OMPI_MCA_ess_base_jobid").value_or(""));
        choose_master();
    }

    void read_pmi() {
        result_.started_by = StartedBy::pmi;
        read_pair(result_.rank, "PMI_RANK", result_.world_size, "PMI_SIZE");
        read_pair(result_.local_rank, "MPI_LOCALRANKID", result_.local_world_size, "MPI_LOCALNRANKS");
        check_local("MPI_LOCALNRANKS", "PMI_SIZE");
        number_nodes();
        if (result_.nodes == 1) {
            result_.run_id = "mpiexec-" + std::to_string(ancestor_named("hydra_pmi_proxy"));
        } else if (const auto job = variable_("SLURM_JOB_ID")) {
            result_.run_id = config::concat({*job, ".", variable_("SLURM_STEP_ID").value_or("")});
        }
        choose_master();
    }

    /// Steps that Slurm makes for the script, the shell and their surroundings have the greatest numbers, or none.
    [[nodiscard]] bool is_srun_step() const {
        constexpr int64_t first_special = 0xfffffff0;
        const auto step = find("SLURM_STEP_ID", 0, std::numeric_limits<uint32_t>::max());
        return step && *step < first_special;
    }

    void read_slurm() {
        result_.started_by = StartedBy::slurm;
        read_pair(result_.rank, "SLURM_PROCID", result_.world_size,
                  is_set("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS");
        read_pair(result_.node_rank, "SLURM_NODEID", result_.nodes,
                  is_set("SLURM_STEP_NUM_NODES") ? "SLURM_STEP_NUM_NODES" : "SLURM_NNODES");
        result_.local_rank = need("SLURM_LOCALID", "SLURM_PROCID", 0);
        result_.local_world_size = slurm_tasks_of_node();
        check_below(result_.local_rank, "SLURM_LOCALID", result_.local_world_size, tasks_name());
        check_local(tasks_name(), "SLURM_NTASKS");
        result_.restart_count = find("SLURM_RESTART_COUNT", 0).value_or(0);
        result_.run_id =
            config::concat({variable_("SLURM_JOB_ID").value_or(""), ".", variable_("SLURM_STEP_ID").value_or(""),
                            result_.restart_count == 0 ? std::string()
                                                       : config::concat({".", std::to_string(result_.restart_count)})});
        choose_master();
    }

    [[nodiscard]] std::string tasks_name() const {
        return is_set("SLURM_STEP_TASKS_PER_NODE") ? "SLURM_STEP_TASKS_PER_NODE" : "SLURM_TASKS_PER_NODE";
    }

    /// From a list such as `2(x3),1`: three nodes with two tasks each, then one with one.
    [[nodiscard]] int64_t slurm_tasks_of_node() const {
        const auto text = variable_(tasks_name());
        if (!text && result_.nodes == 1) {
            return result_.world_size;
        }
        if (!text) {
            throw contradiction(tasks_name(), "is not set, but SLURM_PROCID is");
        }
        int64_t first_node = 0;
        const char* position = text->data();
        const char* const end = position + text->size();
        while (position != end) {
            int64_t tasks = 0;
            int64_t repeated = 1;
            auto read = std::from_chars(position, end, tasks);
            bool is_good = read.ec == std::errc() && tasks > 0;
            if (is_good && end - read.ptr > 2 && read.ptr[0] == '(' && read.ptr[1] == 'x') {
                read = std::from_chars(read.ptr + 2, end, repeated);
                is_good = read.ec == std::errc() && repeated > 0 && read.ptr != end && *read.ptr++ == ')';
            }
            if (!is_good || (read.ptr != end && *read.ptr != ',')) {
                break;
            }
            first_node += repeated;
            if (result_.node_rank < first_node) {
                return tasks;
            }
            position = read.ptr == end ? end : read.ptr + 1;
        }
        throw contradiction(tasks_name(), config::concat({"is '", *text, "', which tells no number of tasks for node ",
                                                          std::to_string(result_.node_rank)}));
    }

    /// For engines that do not say where rank 0 listens.
    void choose_master() {
        read_master();
        if (result_.master_addr.empty()) {
            if (result_.nodes == 1) {
                result_.master_addr = "127.0.0.1";
            } else if (const auto nodes = slurm_nodes()) {
                result_.master_addr = expand_node_list(*nodes).front();
            }
        }
        if (result_.master_port == 0 && !result_.run_id.empty()) {
            result_.master_port = derived_port(result_.run_id);
        }
    }

    [[nodiscard]] std::optional<std::string> slurm_nodes() const {
        // Below mpirun the step is the one of its daemons, which need not have one on its own machine.
        if (result_.started_by == StartedBy::slurm && is_set("SLURM_STEP_NODELIST")) {
            return variable_("SLURM_STEP_NODELIST");
        }
        const auto nodes = variable_("SLURM_JOB_NODELIST");
        return nodes ? nodes : variable_("SLURM_NODELIST");
    }

    const VariableLookup& variable_;
    Environment result_;
};

} // namespace detail

AUDYN_INLINE Environment Environment::detect(const VariableLookup& variable) {
    return detail::EnvironmentReader(variable).read();
}

AUDYN_INLINE Environment Environment::detect() {
    return detect([](const std::string& name) -> std::optional<std::string> {
        const char* const value = std::getenv(name.c_str());
        return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
    });
}

AUDYN_INLINE void Environment::require_master() const {
    if (!master_addr.empty() && master_port != 0) {
        return;
    }
    const std::string name = master_addr.empty() ? "MASTER_ADDR" : "MASTER_PORT";
    const std::string meaning =
        master_addr.empty() ? "the address of rank 0's machine" : "a port that is free on rank 0's machine";
    std::string advice = config::concat({"set ", name, " to ", meaning, " for all processes"});
    if (started_by == StartedBy::openmpi) {
        advice += config::concat({" (mpirun -x ", name, "=...)"});
    } else if (started_by == StartedBy::pmi) {
        advice += config::concat({" (mpiexec -genv ", name, " ...)"});
    }
    throw DistributedError(
        config::concat({to_string(started_by), " does not tell on which machine and port rank 0 listens: ", advice}));
}

} // namespace audyn::distributed
