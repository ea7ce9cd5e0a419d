#pragma once

#include <audyn/distributed/process_group.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <vector>

/// What follows the command on the command line.
using Arguments = std::vector<std::string>;
using Commands = std::map<std::string, void (*)(const Arguments&)>;

/// The main function of a program that is one rank: PROGRAM COMMAND [ARGUMENT...]
inline int run_rank(int argc, char** argv, const Commands& commands) {
    namespace distributed = audyn::distributed;
    try {
        distributed::ProcessGroupOptions options;
        if (const char* init_method = std::getenv("AUDYN_TEST_INIT_METHOD")) {
            options.init_method = init_method;
        }
        if (const char* timeout = std::getenv("AUDYN_TEST_TIMEOUT")) {
            options.timeout = std::chrono::seconds(std::stoi(timeout));
        }
        const distributed::ProcessGroupScope group(options);
        try {
            commands.at(argc > 1 ? argv[1] : "")(Arguments(argv + 2, argv + argc));
        } catch (const std::exception& error) {
            std::cerr << "error: " << distributed::report_failure(error) << std::endl;
            return 1;
        }
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << std::endl;
        return 1;
    }
    return 0;
}
