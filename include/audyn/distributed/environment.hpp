#pragma once

#include <audyn/core/inline.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace audyn::distributed {

/// What started this process as one of a job's.
enum class StartedBy {
    nothing,   ///< it runs by itself
    launcher,  ///< another process of this program: the built-in launcher
    torchrun,  ///< also any other program that uses torch's elastic agent
    variables, ///< RANK and WORLD_SIZE, set by something unknown
    slurm,     ///< srun
    openmpi,   ///< OpenMPI's mpirun
    pmi,       ///< mpiexec of MPICH, Intel MPI and others of that family (Hydra)
};

/// The name of what started a process, for messages.
[[nodiscard]] AUDYN_INLINE std::string to_string(StartedBy engine);

/// How `Environment::detect` reads variables: nothing for one that is not set.
using VariableLookup = std::function<std::optional<std::string>(const std::string& name)>;

/// Where a process stands in its job, and how to reach the others.
struct Environment {
    /// Number of this process among all of the job, from 0.
    int64_t rank = 0;
    /// Number of processes of the job.
    int64_t world_size = 1;
    /// Number of this process among those of its machine, from 0.
    int64_t local_rank = 0;
    /// Number of processes of the job on this machine.
    int64_t local_world_size = 1;
    /// Number of this machine among those of the job, from 0. mpirun and mpiexec do not tell: there it is computed as
    /// if ranks were numbered machine by machine.
    int64_t node_rank = 0;
    /// Number of machines of the job; computed under mpiexec.
    int64_t nodes = 1;

    StartedBy started_by = StartedBy::nothing;
    /// How often this process was started again after a failure. Under torchrun on several machines it differs between
    /// them.
    int64_t restart_count = 0;
    /// How often it may be started again.
    int64_t max_restarts = 0;
    /// The same for all processes of the job, another for another job; empty where nothing tells.
    std::string run_id;

    /// Where rank 0's store listens; empty and 0 where nothing tells. See `require_master`.
    std::string master_addr;
    int master_port = 0;
    /// torchrun's agent listens there already: every rank, 0 included, connects to it.
    bool uses_agent_store = false;
    /// The socket on which rank 0's store listens, opened by the launcher; -1 elsewhere. The port is `master_port`.
    int store_listen_fd = -1;

    [[nodiscard]] bool is_main_process() const { return rank == 0; }
    /// Part of a job that something else started. A job of one process of srun or mpirun does not count: a shell that
    /// they opened has the same variables.
    [[nodiscard]] bool is_worker() const {
        return world_size > 1 || started_by == StartedBy::launcher || started_by == StartedBy::torchrun ||
               started_by == StartedBy::variables;
    }

    /// Checks that it is known where rank 0 listens. \throws DistributedError which names the variable to set.
    void require_master() const;

    /// Reads who started this process and as what, from the environment's variables. The first that applies:
    ///
    /// - RANK and WORLD_SIZE: the built-in launcher, torchrun (TORCHELASTIC_RUN_ID is set), or something else that sets
    ///   them with MASTER_ADDR and MASTER_PORT; LOCAL_RANK may be absent only there. WORLD_SIZE alone means nothing.
    /// - OMPI_COMM_WORLD_*: OpenMPI's mpirun.
    /// - PMI_RANK with MPI_LOCALRANKID: mpiexec of the Hydra family. Both are looked for before Slurm's, whose
    /// variables
    ///   they pass on inside a Slurm allocation.
    /// - SLURM_PROCID in a step of srun. The shell of salloc, the script of sbatch and an interactive step have such
    ///   variables too, and are told apart by SLURM_STEP_ID.
    ///
    /// Where rank 0 listens is MASTER_ADDR and MASTER_PORT when they are set. Otherwise all processes find the same
    /// answer without asking each other: on one machine the address is 127.0.0.1; on several it is the first host of
    /// the Slurm step or allocation, and unknown without one. The port is 20000 plus a hash, below 10000, of what names
    /// the job for all its processes alike: Slurm's job and step id, OpenMPI's PMIX_NAMESPACE, or under mpiexec, which
    /// names nothing, the process id of the `hydra_pmi_proxy` that started them (only on one machine). It lies below
    /// the ports that systems hand out by themselves; should it be taken, rank 0 fails at once and MASTER_PORT helps.
    ///
    /// \throws DistributedError which names the variable, when they contradict each other.
    [[nodiscard]] static Environment detect(const VariableLookup& variable);
    [[nodiscard]] static Environment detect();
};

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/environment.ipp>
#endif
