#include "../temporary_folder.hpp"

#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/node_list.hpp>

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using audyn::DistributedError;
using audyn::distributed::Environment;
using audyn::distributed::expand_node_list;
using audyn::distributed::StartedBy;
using Variables = std::map<std::string, std::string>;

Environment detect(const Variables& variables) {
    return Environment::detect([&variables](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found != variables.end() ? std::optional<std::string>(found->second) : std::nullopt;
    });
}

/// With some variables changed; an empty value removes one.
Variables with(Variables variables, const Variables& changes) {
    for (const auto& [name, value] : changes) {
        if (value.empty()) {
            variables.erase(name);
        } else {
            variables[name] = value;
        }
    }
    return variables;
}

std::string error_of(const Variables& variables) {
    return message_of<DistributedError>([&variables] { static_cast<void>(detect(variables)); });
}

const Variables torchrun{{"RANK", "5"},
                         {"WORLD_SIZE", "8"},
                         {"LOCAL_RANK", "1"},
                         {"LOCAL_WORLD_SIZE", "4"},
                         {"GROUP_RANK", "1"},
                         {"GROUP_WORLD_SIZE", "2"},
                         {"MASTER_ADDR", "node1"},
                         {"MASTER_PORT", "29500"},
                         {"TORCHELASTIC_RUN_ID", "j1"},
                         {"TORCHELASTIC_RESTART_COUNT", "2"},
                         {"TORCHELASTIC_MAX_RESTARTS", "3"},
                         {"TORCHELASTIC_USE_AGENT_STORE", "True"}};

// As srun of Slurm 22.05 sets them.
const Variables srun{{"SLURM_PROCID", "3"},
                     {"SLURM_NTASKS", "5"},
                     {"SLURM_STEP_NUM_TASKS", "5"},
                     {"SLURM_LOCALID", "1"},
                     {"SLURM_NODEID", "1"},
                     {"SLURM_NNODES", "3"},
                     {"SLURM_STEP_NUM_NODES", "3"},
                     {"SLURM_STEP_TASKS_PER_NODE", "2(x2),1"},
                     {"SLURM_JOB_ID", "1234"},
                     {"SLURM_STEP_ID", "0"},
                     {"SLURM_JOB_NODELIST", "gpu[07-10]"},
                     {"SLURM_STEP_NODELIST", "gpu[08-10]"}};

const Variables mpirun{{"OMPI_COMM_WORLD_RANK", "1"},       {"OMPI_COMM_WORLD_SIZE", "2"},
                       {"OMPI_COMM_WORLD_LOCAL_RANK", "1"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                       {"PMIX_NAMESPACE", "2009923585"},    {"PMI_RANK", "1"}};

const Variables mpiexec{{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}};

} // namespace

TEST_CASE("without variables a process runs by itself") {
    const Environment environment = detect({});
    CHECK(environment.started_by == StartedBy::nothing);
    CHECK(!environment.is_worker());
    CHECK(environment.is_main_process());
    CHECK(environment.world_size == 1);
    CHECK(environment.nodes == 1);
    CHECK(environment.store_listen_fd == -1);
    CHECK(!detect({{"WORLD_SIZE", "4"}}).is_worker()); // recipes read it, so people set it
}

TEST_CASE("torchrun") {
    const Environment environment = detect(torchrun);
    CHECK(environment.started_by == StartedBy::torchrun);
    CHECK(environment.is_worker());
    CHECK(!environment.is_main_process());
    CHECK(environment.rank == 5);
    CHECK(environment.world_size == 8);
    CHECK(environment.local_rank == 1);
    CHECK(environment.local_world_size == 4);
    CHECK(environment.node_rank == 1);
    CHECK(environment.nodes == 2);
    CHECK(environment.restart_count == 2);
    CHECK(environment.max_restarts == 3);
    CHECK(environment.run_id == "j1");
    CHECK(environment.master_addr == "node1");
    CHECK(environment.master_port == 29500);
    CHECK(environment.uses_agent_store);
    CHECK(!detect(with(torchrun, {{"TORCHELASTIC_USE_AGENT_STORE", "False"}})).uses_agent_store);
    CHECK(detect(with(torchrun, {{"SLURM_PROCID", "0"}, {"SLURM_STEP_ID", "0"}})).rank == 5);
    // One process of one is still torchrun's.
    CHECK(detect({{"RANK", "0"},
                  {"WORLD_SIZE", "1"},
                  {"LOCAL_RANK", "0"},
                  {"LOCAL_WORLD_SIZE", "1"},
                  {"TORCHELASTIC_RUN_ID", "none"}})
              .is_worker());
}

TEST_CASE("the built-in launcher") {
    const Environment environment = detect(with(torchrun, {{"AUDYN_LAUNCHER", "17"}, {"AUDYN_STORE_LISTEN_FD", "5"}}));
    CHECK(environment.started_by == StartedBy::launcher);
    CHECK(environment.store_listen_fd == 5);
    CHECK(error_of({{"AUDYN_STORE_LISTEN_FD", "5"}}) ==
          "the environment variable AUDYN_STORE_LISTEN_FD is set, but RANK is not");
}

TEST_CASE("RANK and WORLD_SIZE of something else") {
    const Environment environment =
        detect({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "x"}, {"MASTER_PORT", "1"}});
    CHECK(environment.started_by == StartedBy::variables);
    CHECK(environment.rank == 1);
    CHECK(environment.local_rank == 0);
    CHECK(environment.nodes == 2);
    CHECK(environment.node_rank == 1);
    CHECK_NOTHROW(environment.require_master());
    CHECK(detect({{"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "4"}}).node_rank == 1);
}

TEST_CASE("contradictions name the variable") {
    CHECK(error_of({{"RANK", "1"}}) == "the environment variable RANK is set, but WORLD_SIZE is not");
    CHECK(error_of(with(torchrun, {{"RANK", "8"}})) == "the environment variable RANK is 8, but WORLD_SIZE is 8");
    CHECK(error_of(with(torchrun, {{"RANK", "-1"}})) ==
          "the environment variable RANK is '-1', not a number from 0 to 2147483647");
    CHECK(error_of(with(torchrun, {{"WORLD_SIZE", "8x"}})).find("WORLD_SIZE is '8x'") != std::string::npos);
    CHECK(error_of(with(torchrun, {{"WORLD_SIZE", "99999999999999999999"}})).find("WORLD_SIZE") != std::string::npos);
    CHECK(error_of(with(torchrun, {{"MASTER_PORT", "70000"}})) ==
          "the environment variable MASTER_PORT is '70000', not a number from 1 to 65535");
    CHECK(error_of(with(torchrun, {{"LOCAL_RANK", ""}})) ==
          "the environment variable LOCAL_RANK is not set, but LOCAL_WORLD_SIZE is");
    CHECK(error_of(with(torchrun, {{"LOCAL_RANK", "4"}})) ==
          "the environment variable LOCAL_RANK is 4, but LOCAL_WORLD_SIZE is 4");
    CHECK(error_of(with(torchrun, {{"LOCAL_WORLD_SIZE", "9"}})) ==
          "the environment variable LOCAL_WORLD_SIZE is 9, but WORLD_SIZE is 8");
    CHECK(error_of(with(torchrun, {{"GROUP_RANK", "2"}})) ==
          "the environment variable GROUP_RANK is 2, but GROUP_WORLD_SIZE is 2");
    CHECK(error_of(with(srun, {{"SLURM_LOCALID", ""}})) ==
          "the environment variable SLURM_LOCALID is not set, but SLURM_PROCID is");
    CHECK(error_of(with(srun, {{"SLURM_LOCALID", "2"}})) ==
          "the environment variable SLURM_LOCALID is 2, but SLURM_STEP_TASKS_PER_NODE is 2");
    CHECK(error_of(with(srun, {{"SLURM_NODEID", "3"}})) ==
          "the environment variable SLURM_NODEID is 3, but SLURM_STEP_NUM_NODES is 3");
    CHECK(error_of(with(mpirun, {{"OMPI_COMM_WORLD_SIZE", ""}})) ==
          "the environment variable OMPI_COMM_WORLD_SIZE is not set, but OMPI_COMM_WORLD_RANK is");
    CHECK(error_of(with(mpiexec, {{"PMI_SIZE", "1"}})) == "the environment variable PMI_RANK is 1, but PMI_SIZE is 1");
    for (const char* const tasks : {"2(x1", "2(x0),1", "0", "2(x2),0", "2(x1)", "2(x1)1", "a", "2,", ""}) {
        CHECK_MESSAGE(error_of([&tasks] {
                          Variables variables = srun;
                          variables["SLURM_STEP_TASKS_PER_NODE"] = tasks;
                          variables["SLURM_NODEID"] = "2";
                          return variables;
                      }())
                              .find("tells no number of tasks for node 2") != std::string::npos,
                      tasks);
    }
}

TEST_CASE("a step of srun") {
    Environment environment = detect(srun);
    CHECK(environment.started_by == StartedBy::slurm);
    CHECK(environment.is_worker());
    CHECK(environment.rank == 3);
    CHECK(environment.world_size == 5);
    CHECK(environment.local_rank == 1);
    CHECK(environment.local_world_size == 2);
    CHECK(environment.node_rank == 1);
    CHECK(environment.nodes == 3);
    CHECK(environment.run_id == "1234.0");
    CHECK(environment.master_addr == "gpu08");
    CHECK(environment.master_port >= 20000);
    CHECK(environment.master_port < 30000);
    CHECK(environment.master_port == detect(with(srun, {{"SLURM_PROCID", "2"}, {"SLURM_LOCALID", "0"}})).master_port);
    CHECK(environment.master_port != detect(with(srun, {{"SLURM_JOB_ID", "1235"}})).master_port);
    CHECK(environment.master_port != detect(with(srun, {{"SLURM_STEP_ID", "1"}})).master_port);

    environment = detect(with(srun, {{"SLURM_PROCID", "4"}, {"SLURM_LOCALID", "0"}, {"SLURM_NODEID", "2"}}));
    CHECK(environment.local_world_size == 1);
    environment = detect(with(srun, {{"MASTER_ADDR", "10.0.0.1"}, {"MASTER_PORT", "17"}}));
    CHECK(environment.master_addr == "10.0.0.1");
    CHECK(environment.master_port == 17);
    environment = detect(with(srun, {{"SLURM_RESTART_COUNT", "2"}}));
    CHECK(environment.restart_count == 2);
    CHECK(environment.run_id == "1234.0.2");
}

TEST_CASE("a step of srun on one machine") {
    const Environment environment = detect({{"SLURM_PROCID", "1"},
                                            {"SLURM_NTASKS", "2"},
                                            {"SLURM_LOCALID", "1"},
                                            {"SLURM_NODEID", "0"},
                                            {"SLURM_NNODES", "1"},
                                            {"SLURM_JOB_ID", "7"},
                                            {"SLURM_STEP_ID", "3"},
                                            {"SLURM_JOB_NODELIST", "login1"}});
    CHECK(environment.local_world_size == 2);
    CHECK(environment.master_addr == "127.0.0.1");
}

TEST_CASE("the shell and the script of an allocation are no step of srun") {
    Variables shell = with(srun, {{"SLURM_PROCID", ""}, {"SLURM_STEP_ID", ""}}); // salloc
    CHECK(detect(shell).started_by == StartedBy::nothing);
    shell["SLURM_PROCID"] = "0"; // sbatch
    CHECK(detect(shell).started_by == StartedBy::nothing);
    for (const char* const step : {"4294967290", "4294967291", "4294967292"}) {
        shell["SLURM_STEP_ID"] = step;
        CHECK(detect(shell).started_by == StartedBy::nothing);
    }
    // A shell in a step of its own, `srun --pty bash`, may start workers.
    const Environment environment = detect({{"SLURM_PROCID", "0"},
                                            {"SLURM_NTASKS", "1"},
                                            {"SLURM_LOCALID", "0"},
                                            {"SLURM_NODEID", "0"},
                                            {"SLURM_NNODES", "1"},
                                            {"SLURM_STEP_ID", "0"}});
    CHECK(environment.started_by == StartedBy::slurm);
    CHECK(!environment.is_worker());
}

TEST_CASE("OpenMPI's mpirun") {
    Environment environment = detect(mpirun);
    CHECK(environment.started_by == StartedBy::openmpi);
    CHECK(environment.rank == 1);
    CHECK(environment.world_size == 2);
    CHECK(environment.local_rank == 1);
    CHECK(environment.local_world_size == 2);
    CHECK(environment.nodes == 1);
    CHECK(environment.run_id == "2009923585");
    CHECK(environment.master_addr == "127.0.0.1");
    CHECK(environment.master_port >= 20000);
    CHECK_NOTHROW(environment.require_master());
    // In an allocation of Slurm, whose step is the one of mpirun's daemons.
    environment = detect(with(mpirun, {{"SLURM_PROCID", "0"},
                                       {"SLURM_STEP_ID", "0"},
                                       {"SLURM_JOB_NODELIST", "a[1-2]"},
                                       {"SLURM_STEP_NODELIST", "a2"},
                                       {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"},
                                       {"OMPI_COMM_WORLD_LOCAL_RANK", "0"}}));
    CHECK(environment.started_by == StartedBy::openmpi);
    CHECK(environment.nodes == 2);
    CHECK(environment.node_rank == 1);
    CHECK(environment.master_addr == "a1");
    // On several machines that nothing names.
    environment = detect(with(mpirun, {{"OMPI_COMM_WORLD_LOCAL_SIZE", "1"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "0"}}));
    CHECK(environment.master_addr.empty());
    const auto message = message_of<DistributedError>([&environment] { environment.require_master(); });
    CHECK(message == "OpenMPI's mpirun does not tell on which machine and port rank 0 listens: set MASTER_ADDR to the "
                     "address of rank 0's machine for all processes (mpirun -x MASTER_ADDR=...)");
}

TEST_CASE("mpiexec") {
    Environment environment = detect(mpiexec);
    CHECK(environment.started_by == StartedBy::pmi);
    CHECK(environment.rank == 1);
    CHECK(environment.world_size == 2);
    CHECK(environment.local_rank == 1);
    CHECK(environment.master_addr == "127.0.0.1");
    CHECK(environment.run_id == "mpiexec-" + std::to_string(::getppid()));
    CHECK(detect(with(mpiexec, {{"SLURM_PROCID", "0"}, {"SLURM_STEP_ID", "0"}})).started_by == StartedBy::pmi);
    environment = detect(with(mpiexec, {{"MPI_LOCALNRANKS", "1"}, {"MPI_LOCALRANKID", "0"}, {"MASTER_ADDR", "a"}}));
    CHECK(message_of<DistributedError>([&environment] {
              environment.require_master();
          }).find("set MASTER_PORT to a port that is free") != std::string::npos);
}

TEST_CASE("node lists") {
    using Hosts = std::vector<std::string>;
    CHECK(expand_node_list("login1") == Hosts{"login1"});
    CHECK(expand_node_list("a,b-1,c.d") == Hosts{"a", "b-1", "c.d"});
    CHECK(expand_node_list("node[08-10,12],login1") == Hosts{"node08", "node09", "node10", "node12", "login1"});
    CHECK(expand_node_list("n[9-11]-ib") == Hosts{"n9-ib", "n10-ib", "n11-ib"});
    CHECK(expand_node_list("r[1-2]n[3,5]") == Hosts{"r1n3", "r1n5", "r2n3", "r2n5"});
    for (const char* const bad : {"", "a,", ",a", "a[1", "a1]", "a[]", "a[2-1]", "a[x]", "a[1-]", "a[1-9999999999]",
                                  "a[1-1000000]b[1-2]", "a[1,,2]", "a[0-99999999999999999999]"}) {
        CHECK_MESSAGE(message_of<DistributedError>([&bad] {
                          static_cast<void>(expand_node_list(bad));
                      }).find("the node list '") == 0,
                      bad);
    }
}
