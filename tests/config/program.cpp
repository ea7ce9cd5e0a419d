// A program that uses the configuration layer alone, without libtorch. Integration tests run it, and its start is
// timed.

#include <audyn/config/driver.hpp>
#include <audyn/core/error.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <thread>

namespace {

/// What the tests ask a run to do: print itself, then end as `behaviour` says.
void run(audyn::Config& config) {
    std::cout << "in " << std::filesystem::current_path().string() << '\n'
              << "output " << config.hydra().get<std::string>("runtime.output_dir") << '\n'
              << config.to_yaml() << std::flush;
    const auto behaviour = config.get<std::string>("behaviour", "succeed");
    if (behaviour == "fail") {
        throw audyn::TrainingError("the run failed as it was asked to");
    }
    if (behaviour == "kill") {
        std::raise(SIGKILL);
    }
    if (behaviour == "wait") {
        std::this_thread::sleep_for(std::chrono::seconds(30));
    }
    if (behaviour == "environment") {
        const char* const value = std::getenv("AUDYN_TEST_VARIABLE");
        std::cout << "variable " << (value != nullptr ? value : "") << '\n';
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        audyn::config::Program program;
        program.version = "1.2.3";
        program.more_help = [] { return "Targets:\n  Denoiser(channels: int, dropout: float = 0.1)\n"; };
        program.target_names = [] { return std::vector<std::string>{"Denoiser", "torch.optim.AdamW"}; };
        program.output_keys = {"train.output.exp_dir"};
        program.run_folder = [](const audyn::Config& config) {
            using audyn::config::RunFolder;
            return config.get<bool>("train.fast_dev_run", false) ? RunFolder::none : RunFolder::record;
        };
        program.resolvers.add_constant("torch.bfloat16");
        return audyn::config::run_program(audyn::config::parse_command_line(argc, argv), program, run);
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
