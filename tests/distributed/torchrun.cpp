#include "../temporary_folder.hpp"

#include <audyn/distributed/launch.hpp>
#include <audyn/distributed/torchrun.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using audyn::distributed::Environment;
using audyn::distributed::LaunchOptions;
using audyn::distributed::OptionError;
using audyn::distributed::Role;
using audyn::distributed::role_of;
using audyn::distributed::shell_command;
using audyn::distributed::StartedBy;
using audyn::distributed::torchrun_command;

/// Two nodes that may be started.
LaunchOptions two_nodes() {
    LaunchOptions options;
    options.enable = true;
    options.nodes = 2;
    options.rdzv_endpoint = "node1:29400";
    return options;
}

std::string command_of(const LaunchOptions& options) {
    return shell_command(torchrun_command(options, 4, {"./train", "a b", "c=1"}));
}

std::string error_of(const LaunchOptions& options) {
    return message_of<OptionError>([&options] { static_cast<void>(command_of(options)); });
}

std::filesystem::path executable(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
    write_file(folder / name, text);
    std::filesystem::permissions(folder / name, std::filesystem::perms::owner_all);
    return folder / name;
}

Environment environment(StartedBy engine, int64_t world_size, int64_t local_world_size) {
    Environment result;
    result.started_by = engine;
    result.world_size = world_size;
    result.local_world_size = local_world_size;
    result.nodes = world_size / local_world_size;
    return result;
}

std::string role_error(const LaunchOptions& options, const Environment& place) {
    return message_of<OptionError>([&] { static_cast<void>(role_of(options, place)); });
}

} // namespace

TEST_CASE("words are quoted as a shell reads them") {
    CHECK(shell_command({"a-b_c=1,2:/x.y@z%+", "", "two words", "it's", "$HOME", "{a: [1]}"}) ==
          R"(a-b_c=1,2:/x.y@z%+ '' 'two words' 'it'"'"'s' '$HOME' '{a: [1]}')");
}

TEST_CASE("options become a torchrun command") {
    LaunchOptions options = two_nodes();
    CHECK(command_of(options) == "torchrun --no-python --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d "
                                 "--rdzv-endpoint node1:29400 ./train 'a b' c=1");
    options.rdzv_backend = "static";
    options.node_rank = 1;
    options.rdzv_id = "job 7";
    options.max_restarts = 3;
    CHECK(command_of(options) == "torchrun --no-python --nnodes 2 --nproc-per-node 4 --rdzv-backend static "
                                 "--rdzv-endpoint node1:29400 --rdzv-id 'job 7' --node-rank 1 --max-restarts 3 "
                                 "./train 'a b' c=1");
    CHECK(command_of(LaunchOptions()) ==
          "torchrun --no-python --nnodes 1 --nproc-per-node 4 --standalone ./train 'a b' c=1");
}

TEST_CASE("options that are missing or wrong are named") {
    LaunchOptions options = two_nodes();
    options.rdzv_endpoint.reset();
    CHECK(error_of(options) ==
          "the option 'rdzv_endpoint' is needed with several nodes: HOST:PORT of one of them, the same on all");
    for (const char* const endpoint : {"", ":1", "node:", "node:x", "node:0", "node:65536", "node:1x"}) {
        options.rdzv_endpoint = endpoint;
        CHECK_MESSAGE(error_of(options).find("must be HOST:PORT") != std::string::npos, endpoint);
    }
    options.rdzv_endpoint = "node1"; // c10d has a port of its own
    CHECK(error_of(options).empty());
    options.rdzv_backend = "static";
    options.node_rank = 0;
    CHECK(error_of(options).find("must be HOST:PORT") != std::string::npos);
}

TEST_CASE("the static rendezvous needs the number of the node") {
    LaunchOptions options = two_nodes();
    options.rdzv_backend = "static";
    CHECK(error_of(options).find("the option 'node_rank' is needed with rdzv_backend static") == 0);
    for (const char* const variable : {"PET_NODE_RANK", "SLURM_NODEID"}) {
        ::setenv(variable, "1", 1);
        CHECK(command_of(options).find("--node-rank 1") != std::string::npos);
        ::setenv(variable, "2", 1);
        CHECK(error_of(options) ==
              std::string("the option 'node_rank' must be a number from 0 to 1, not '2' (from ") + variable + ")");
        ::setenv(variable, "x", 1);
        CHECK(!error_of(options).empty());
        options.node_rank = 0;
        CHECK(command_of(options).find("--node-rank 0") != std::string::npos);
        options.node_rank.reset();
        ::unsetenv(variable);
    }
    options.node_rank = 2;
    CHECK(error_of(options) == "the option 'node_rank' must be a number from 0 to 1, not '2'");
}

TEST_CASE("a program is found as a shell does") {
    const TemporaryFolder folder;
    const std::string before = std::getenv("PATH");
    const auto program = executable(folder, "audyn-program", "");
    write_file(folder / "audyn-text", "");
    std::filesystem::create_directory(folder / "audyn-folder");
    ::setenv("PATH", ("/nowhere::" + folder.path().string()).c_str(), 1);
    CHECK(audyn::distributed::find_program("audyn-program") == program);
    CHECK(!audyn::distributed::find_program("audyn-text"));
    CHECK(!audyn::distributed::find_program("audyn-folder"));
    CHECK(!audyn::distributed::find_program("audyn-absent"));
    ::setenv("PATH", before.c_str(), 1);
}

TEST_CASE("the version of a torchrun is its Python's") {
    const TemporaryFolder folder;
    const auto python = executable(folder, "my python", "#!/bin/sh\n[ \"$1\" = -c ] && echo 2.7.1+cpu\n");
    const auto version = [&folder](const std::string& text) {
        return audyn::distributed::torchrun_version(executable(folder, "torchrun", text)).value_or("-");
    };
    std::filesystem::create_symlink(python, folder / "python");
    CHECK(version("#!" + (folder / "python").string() + "\nimport re\n") == "2.7.1+cpu");
    CHECK(version("#! /usr/bin/env " + (folder / "python").string() + " \n") == "2.7.1+cpu");
    CHECK(version("#!/bin/sh\n'''exec' \"" + python.string() + "\" \"$0\" \"$@\"\n' '''\n") == "2.7.1+cpu");
    CHECK(version("#!/bin/sh\n'''exec' " + (folder / "python").string() + " \"$0\" \"$@\"\n' '''\n") == "2.7.1+cpu");
    CHECK(version("#!/bin/false\n") == "-");
    CHECK(version("#!/nowhere/python\n") == "-");
    CHECK(version("") == "-");
    CHECK(!audyn::distributed::torchrun_version(folder / "absent"));
    CHECK(audyn::distributed::detail::minor_version("2.13.0+cpu") == "2.13");
    CHECK(audyn::distributed::detail::minor_version("2.13a0") == "2.13");
    CHECK(audyn::distributed::detail::minor_version("2") == "2");
}

TEST_CASE("a process that something started trains as a worker") {
    LaunchOptions options;
    for (const StartedBy engine :
         {StartedBy::torchrun, StartedBy::launcher, StartedBy::slurm, StartedBy::openmpi, StartedBy::pmi}) {
        options = {};
        const Environment place = environment(engine, 4, 2);
        CHECK(role_of(options, place) == Role::worker);
        options.enable = true;
        options.nodes = 3; // what started the processes decides
        CHECK(role_of(options, place) == Role::worker);
        options.enable = false;
        CHECK(role_error(options, place)
                  .find("the option 'enable' is false, but " + to_string(engine) +
                        " started this program as one of 4 processes") == 0);
    }
    options = {};
    options.enable = false;
    CHECK(role_of(options, environment(StartedBy::torchrun, 1, 1)) == Role::single);
    options.enable = true;
    CHECK(role_of(options, environment(StartedBy::torchrun, 1, 1)) == Role::worker);
}

TEST_CASE("a process that runs by itself does what the options ask for") {
    for (const Environment& place : {Environment(), environment(StartedBy::slurm, 1, 1)}) {
        LaunchOptions options;
        CHECK(role_of(options, place) == Role::single);
        options.nproc_per_node = 2;
        CHECK(role_of(options, place) == Role::launcher);
        options.enable = false;
        CHECK(role_of(options, place) == Role::single);
        options = {};
        options.enable = true;
        CHECK(role_of(options, place) == Role::launcher);
        options.nodes = 2;
        CHECK(role_of(options, place) == Role::torchrun);
        options.enable.reset();
        CHECK(role_of(options, place) == Role::torchrun);
    }
}

TEST_CASE("one task of srun on each machine starts more there") {
    LaunchOptions options;
    options.enable = true;
    const Environment place = environment(StartedBy::slurm, 2, 1);
    CHECK(role_of(options, place) == Role::worker);
    options.nproc_per_node = 4;
    CHECK(role_of(options, place) == Role::torchrun);
    CHECK(role_of(options, environment(StartedBy::slurm, 4, 2)) == Role::worker);
    CHECK(role_of(options, environment(StartedBy::openmpi, 2, 1)) == Role::worker);
    options.nodes = 3;
    CHECK(role_error(options, place) == "the option 'nodes' is 3, but srun started this program on 2 machines");
}

TEST_CASE("the number of processes follows the machine") {
    audyn::distributed::LaunchRequest request;
    request.gpu_count = [] { return int64_t{3}; };
    CHECK(process_count(request) == std::max<int64_t>(1, audyn::distributed::available_cores() / 2));
    request.uses_gpus = true;
    CHECK(process_count(request) == 3);
    request.gpu_count = [] { return int64_t{0}; };
    CHECK(process_count(request) == 1);
    request.options.nproc_per_node = 5;
    CHECK(process_count(request) == 5);
}

TEST_CASE("numbers that cannot be are refused") {
    const auto error = [](auto LaunchOptions::*option, int64_t value) {
        audyn::distributed::LaunchRequest request;
        request.arguments = {"x"};
        request.options.*option = value;
        return message_of<OptionError>([&] { static_cast<void>(launch(request, Environment())); });
    };
    CHECK(error(&LaunchOptions::nodes, 0) == "the option 'nodes' must be at least 1, not 0");
    CHECK(error(&LaunchOptions::nproc_per_node, 0) == "the option 'nproc_per_node' must be at least 1, not 0");
    CHECK(error(&LaunchOptions::max_restarts, -1) == "the option 'max_restarts' must be at least 0, not -1");
    CHECK(error(&LaunchOptions::node_rank, -1) == "the option 'node_rank' must be at least 0, not -1");
    CHECK(error(&LaunchOptions::max_restarts, 1).empty());
}
