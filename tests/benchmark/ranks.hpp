#pragma once

#include <audyn/distributed/process_group.hpp>

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace benchmark {

inline int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(socket);
    return ntohs(address.sin_port);
}

/// Whether this process is one of those that `start_ranks` started, or that an engine did.
inline bool is_rank() {
    return std::getenv("RANK") != nullptr;
}

/// Runs this program once for each rank, and waits. Gives an exit code.
inline int start_ranks(int world_size, char** argv) {
    ::setenv("MASTER_ADDR", "127.0.0.1", 1);
    ::setenv("MASTER_PORT", std::to_string(free_port()).c_str(), 1);
    ::setenv("WORLD_SIZE", std::to_string(world_size).c_str(), 1);
    for (int rank = 0; rank < world_size; ++rank) {
        if (::fork() == 0) {
            ::setenv("RANK", std::to_string(rank).c_str(), 1);
            ::execv("/proc/self/exe", argv);
            ::_exit(127);
        }
    }
    int result = EXIT_SUCCESS;
    for (int status = 0; ::wait(&status) > 0;) {
        result = status == 0 ? result : EXIT_FAILURE;
    }
    return result;
}

/// Calls `function` within the job's process group; a failure is told and ends all ranks. Gives an exit code.
template <class Function>
int run_rank(const Function& function) {
    namespace distributed = audyn::distributed;
    try {
        const distributed::ProcessGroupScope group;
        try {
            function();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", distributed::report_failure(error).c_str());
            return EXIT_FAILURE;
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

} // namespace benchmark
