#include "commands.hpp"

#include <exception>
#include <iostream>
#include <map>
#include <string>

int main(int argc, char** argv) {
    const std::map<std::string, Command> commands{
        {"checkpoint_copy", checkpoint_copy},
        {"checkpoint_model", checkpoint_model},
        {"checkpoint_safetensors", checkpoint_safetensors},
        {"checkpoint_train", checkpoint_train},
        {"checkpoint_write", checkpoint_write},
        {"loggers_write", loggers_write},
        {"grad_scaler_run", grad_scaler_run},
        {"lr_scheduler_run", lr_scheduler_run},
        {"mixed_precision_run", mixed_precision_run},
        {"moving_average_run", moving_average_run},
        {"multi_optimizers_run", multi_optimizers_run},
        {"optimizer_run", optimizer_run},
        {"signatures", signatures},
        {"torchscript_train", torchscript_train},
    };
    const auto command = commands.find(argc > 1 ? argv[1] : "");
    if (command == commands.end()) {
        std::cerr << "audyn_interop: no such subcommand\n";
        return 2;
    }
    try {
        return command->second(Arguments(argv + 2, argv + argc));
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
