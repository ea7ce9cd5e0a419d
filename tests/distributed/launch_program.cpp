// A training program without libtorch and without training: it starts its workers, or is started by torchrun, srun or
// mpirun, tells who it is, and ends as it is asked to. Integration tests run it.

#include <audyn/adapter/distributed.hpp>
#include <audyn/config/command_line.hpp>
#include <audyn/config/program.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/error_file.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using audyn::core::SignalScope;
using audyn::distributed::Environment;

void sleep_for(double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

bool listens(int number) {
    int value = 0;
    socklen_t size = sizeof(value);
    return ::getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1;
}

void print_environment(const Environment& environment) {
    const char* const threads = std::getenv("OMP_NUM_THREADS");
    std::cout << "rank=" << environment.rank << " world_size=" << environment.world_size
              << " local_rank=" << environment.local_rank << " local_world_size=" << environment.local_world_size
              << " node_rank=" << environment.node_rank << " nodes=" << environment.nodes
              << " started_by=" << audyn::distributed::to_string(environment.started_by)
              << " restart_count=" << environment.restart_count << " max_restarts=" << environment.max_restarts
              << " run_id=" << environment.run_id << " master=" << environment.master_addr << ':'
              << environment.master_port << " agent_store=" << environment.uses_agent_store
              << " listens=" << listens(environment.store_listen_fd) << " threads=" << (threads ? threads : "-")
              << " terminal=" << ::isatty(1) << ::isatty(2) << " pid=" << ::getpid() << std::endl;
}

/// Until a signal comes; then as a training that has saved.
void train(double seconds) {
    const SignalScope scope({{SIGTERM, audyn::SignalReaction::save_and_exit},
                             {SIGINT, audyn::SignalReaction::save_and_exit},
                             {SIGUSR1, audyn::SignalReaction::save}});
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    std::cout << "training" << std::endl;
    while (std::chrono::steady_clock::now() < end) {
        if (SignalScope::save_signal() != 0) {
            SignalScope::clear_save_signal();
            std::cout << "saved" << std::endl;
        }
        if (SignalScope::exit_signal() != 0) {
            sleep_for(0.3);
            std::cout << "saved and left" << std::endl;
            throw audyn::Interrupted(SignalScope::exit_signal(), "interrupted");
        }
        sleep_for(0.01);
    }
}

/// A word, with its argument after a colon.
void act(const std::string& action) {
    const std::string word = action.substr(0, action.find(':'));
    const std::string argument = word.size() < action.size() ? action.substr(word.size() + 1) : "";
    if (word == "exit") {
        std::exit(std::stoi(argument));
    } else if (word == "raise") {
        std::signal(std::stoi(argument), SIG_DFL);
        std::raise(std::stoi(argument));
    } else if (word == "throw") {
        throw audyn::TrainingError(argument);
    } else if (word == "report") {
        audyn::distributed::write_error_file(audyn::TrainingError(argument));
    } else if (word == "lose") {
        throw audyn::DistributedError(argument);
    } else if (word == "mistake") {
        throw audyn::ConfigError(argument);
    } else if (word == "sleep") {
        sleep_for(std::stod(argument));
    } else if (word == "ignore") {
        std::signal(std::stoi(argument), SIG_IGN);
    } else if (word == "train") {
        train(std::stod(argument));
    } else if (word == "out") {
        std::cout << argument << std::flush;
    } else if (word == "line") {
        std::cout << argument << std::endl;
    } else if (word == "error") {
        std::cerr << argument << std::endl;
    } else if (word == "lines") {
        for (int line = 0; line < std::stoi(argument); ++line) {
            std::cout << "line " << line << '\n';
        }
    } else if (word == "child") {
        if (::fork() == 0) {
            sleep_for(std::stod(argument));
            ::_exit(0);
        }
    } else if (word != "none") {
        throw audyn::UsageError("unknown action '" + action + "'");
    }
}

/// What this rank does in this attempt: `+actions=[...]` of all, `+rank_1=[...]` of one, `+again=[...]` after a
/// restart.
void work(const audyn::Config& config, const Environment& environment) {
    const std::string own = "rank_" + std::to_string(environment.rank);
    for (const std::string& key : environment.restart_count > 0 && config.find("again")
                                      ? std::vector<std::string>{"again"}
                                      : std::vector<std::string>{"actions", own}) {
        for (const std::string& action : config.get<std::vector<std::string>>(key, {})) {
            act(action);
        }
    }
}

int run(int argc, char** argv) {
    std::vector<std::string> arguments(argv, argv + argc);
    std::vector<const char*> others;
    for (const std::string& argument : arguments) {
        if (argument != audyn::distributed::print_option) {
            others.push_back(argument.c_str());
        }
    }
    const auto command_line = audyn::config::parse_command_line(static_cast<int>(others.size()), others.data());
    const audyn::Config config = audyn::config::compose_from_command_line(command_line, audyn::config::Program(),
                                                                          "config", command_line.overrides);
    const Environment environment = Environment::detect();
    audyn::adapter::LaunchContext context;
    context.arguments = arguments;
    context.torch_version = config.get<std::string>("torch_version", "");
    if (const auto code = audyn::adapter::launch(config, context, environment)) {
        return *code;
    }
    print_environment(environment);
    std::cout << "started at " << command_line.job.start.value_or(0) << std::endl;
    work(config, environment);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const audyn::Interrupted& end) {
        return end.exit_code();
    } catch (const std::exception& error) {
        audyn::distributed::write_error_file(error);
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
